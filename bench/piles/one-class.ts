/** Piles of one class alone, of every set: there is nothing to find in them. */
import { seededRandom, shuffled } from '../../src/core/random.ts';
import type { Pile } from './draw.ts';
import { type EmbeddedSet, JUNK_SET } from './vectors.ts';

const PILES_PER_SET = 4;
const [FEWEST, MOST] = [12, 150];

/** The same sets, images and seed give the same piles. */
export function oneClassPiles(sets: ReadonlyMap<string, EmbeddedSet>, seed: number): Pile[] {
  return [...sets.values()]
    .filter(({ name }) => name !== JUNK_SET)
    .flatMap(({ name, classes, classNames }) =>
      Array.from({ length: PILES_PER_SET }, (_, i): Pile => {
        const random = seededRandom(seed, `single:${name}:${i}`);
        const c = Math.floor(random() * classNames.length);
        const size = Math.round(FEWEST * (MOST / FEWEST) ** random());
        const all = [...classes.keys()].filter((row) => classes[row] === c);
        const items = shuffled(all, random)
          .slice(0, size)
          .map((row) => ({ set: name, row, copy: -1 }));
        return {
          id: `${name}-one-${i}`,
          kind: 'one-set',
          sets: [name],
          items,
          truth: new Int32Array(items.length),
          classes: 1,
        };
      }),
    );
}
