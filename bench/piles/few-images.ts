/** Small piles that a person may try first: of one class, of a few, and of images that are all different. */
import { sampleIndices, shuffled } from '../../src/core/random.ts';
import type { Pile, PileItem } from './draw.ts';
import type { EmbeddedSet } from './vectors.ts';

export const FEW_KINDS = ['oneClass', 'fewClasses', 'differentOfOneSet', 'differentOfManySets'] as const;
export type FewKind = (typeof FEW_KINDS)[number];

const [FEWEST, MOST] = [3, 36];
/** Sets that images of many are of: others stay to say how much is to be claimed. */
const MANY = 6;
const MOST_CLASSES = 4;

type Random = () => number;

export function fewImages(sets: readonly EmbeddedSet[], kind: FewKind, random: Random): Pile {
  const size = Math.round(FEWEST * (MOST / FEWEST) ** random());
  const from = kind === 'differentOfManySets' ? MANY : 1;
  const drawn = [...sampleIndices(sets.length, Math.min(from, size), random)].map((at) => sets[at] as EmbeddedSet);
  const classes = {
    oneClass: 1,
    fewClasses: 2 + Math.floor(random() * (MOST_CLASSES - 1)),
    differentOfOneSet: size,
    differentOfManySets: Math.ceil(size / drawn.length),
  }[kind];
  // Class by class of each set in turn, so that sets count alike.
  const ofSets = drawn.map((set) => imagesByClass(set, classes, random));
  const each = kind === 'oneClass' || kind === 'fewClasses' ? Math.ceil(size / classes) : 1;
  const items: (PileItem & { readonly className: string })[] = [];
  for (let place = 0; place < each; place++) {
    for (let c = 0; c < classes; c++) {
      for (const ofSet of ofSets) {
        const item = ofSet[c]?.[place];
        if (item && items.length < size) items.push(item);
      }
    }
  }
  const names = items.map(({ set, className }) => `${set} ${className}`);
  const distinct = [...new Set(names)];
  return {
    id: kind,
    kind: 'tiny',
    sets: [...new Set(items.map(({ set }) => set))],
    items: items.map(({ set, row, copy }) => ({ set, row, copy })),
    truth: Int32Array.from(names, (name) => distinct.indexOf(name)),
    classes: distinct.length,
  };
}

/** Some of the set's classes, the images of each in random order. */
function imagesByClass({ name, classes, classNames }: EmbeddedSet, count: number, random: Random) {
  const some = shuffled([...classNames.keys()], random).slice(0, count);
  return some.map((c) => {
    const rows = shuffled(
      [...classes.keys()].filter((row) => classes[row] === c),
      random,
    );
    return rows.map((row) => ({ set: name, row, copy: -1, className: classNames[c] as string }));
  });
}
