/**
 * Piles as people have them, drawn from the benchmark's sets: one set or two mixed, some of its classes, few or many images of
 * each, even or skewed, with junk, with copies, and tiny ones. The same sets, counts and seed give the same piles.
 */
import { sampleIndices, seededRandom, shuffled } from '../../src/core/random.ts';
import { COPY_KINDS, type EmbeddedSet, JUNK_SET, originalOf } from './vectors.ts';

/** An image of a set, or the copy of one. */
export interface PileItem {
  readonly set: string;
  /** Row of the set's vectors, or of its copies'. */
  readonly row: number;
  /** Kind of copy, an index of `copies`; −1 for the image itself. */
  readonly copy: number;
}

export interface Pile {
  readonly id: string;
  readonly kind: 'one-set' | 'mixture' | 'tiny';
  /** Sets that its classes are of; a rule that was fitted with one of them in view is not scored here. */
  readonly sets: readonly string[];
  readonly items: readonly PileItem[];
  /** Class of every item, [items]; −1 for junk. */
  readonly truth: Int32Array;
  readonly classes: number;
}

/** The first of them is the whole set. */
const PILES_PER_SET = 10;
const MIXTURES_PER_SET = 2;
const MIN_CLASS = 4;
const MAX_CLASS = 150;
const MAX_CLASSES = 40;
const MAX_JUNK = 0.2;
const MAX_COPIES = 5;
const TINY = [0, 1, 2, 3, 5, 10, 20];

type Random = () => number;
/** Between two bounds, every factor as likely as another. */
const logUniform = (random: Random, low: number, high: number) => Math.round(low * (high / low) ** random());

export function drawPiles(sets: ReadonlyMap<string, EmbeddedSet>, seed: number): Pile[] {
  const names = [...sets.keys()].filter((name) => name !== JUNK_SET);
  const piles: Pile[] = [];
  for (const [s, name] of names.entries()) {
    for (let i = 0; i < PILES_PER_SET; i++) {
      const random = seededRandom(seed, `pile:${name}:${i}`);
      piles.push(drawn({ id: `${name}-${i}`, kind: 'one-set', from: [name], sets, random, form: i, whole: i === 0 }));
    }
    for (let i = 0; i < MIXTURES_PER_SET; i++) {
      const random = seededRandom(seed, `mixture:${name}:${i}`);
      const other = names[(s + 1 + Math.floor(random() * (names.length - 1))) % names.length] as string;
      piles.push(
        drawn({ id: `${name}+${other}-${i}`, kind: 'mixture', from: [name, other], sets, random, form: 2 * i }),
      );
    }
  }
  return [...piles, ...tinyPiles(sets, names, seed)];
}

interface Drawing {
  readonly id: string;
  readonly kind: Pile['kind'];
  readonly from: readonly string[];
  readonly sets: ReadonlyMap<string, EmbeddedSet>;
  readonly random: Random;
  /** Says which of the pile's properties it has: skewed if odd, junk in two of three, copies in one of four. */
  readonly form: number;
  /** All classes, of each as many images as a class may have. Default false. */
  readonly whole?: boolean;
}

function drawn({ id, kind, from, sets, random, form, whole = false }: Drawing): Pile {
  const withCopies = form % 4 === 3;
  const parts = from.map((name) => {
    const set = sets.get(name) as EmbeddedSet;
    const most = Math.min(MAX_CLASSES / from.length, set.classNames.length);
    // One class alone in a tenth of the piles of one set: then there is nothing to find.
    const alone = kind === 'one-set' && random() < 0.1;
    const some = alone ? 1 : Math.max(2, logUniform(random, 2, most));
    const count = whole ? set.classNames.length : some;
    const classes = shuffled(
      Array.from(set.classNames, (_, c) => c),
      random,
    ).slice(0, count);
    return { set, classes: classes.map((c) => rowsOf(set, c, withCopies, random)) };
  });
  const items: PileItem[] = [];
  const truth: number[] = [];
  let classNumber = 0;
  const size = whole ? MAX_CLASS : logUniform(random, MIN_CLASS, MAX_CLASS);
  for (const { set, classes } of parts) {
    for (const rows of classes) {
      // Zipf's law: the class of rank r has 1/r of the largest.
      const wanted = form % 2 === 1 ? Math.max(MIN_CLASS, Math.round((2.5 * size) / (classNumber + 1))) : size;
      const own = withCopies
        ? copied(set.name, rows, Math.min(MAX_CLASS, wanted), random)
        : plain(set.name, rows, wanted);
      items.push(...own);
      truth.push(...own.map(() => classNumber));
      classNumber++;
    }
  }
  if (form % 3 !== 0) {
    const junk = junkFor(sets, from, Math.round(items.length * MAX_JUNK * random()), random);
    items.push(...junk);
    truth.push(...junk.map(() => -1));
  }
  const order = shuffled(
    items.map((_, i) => i),
    random,
  );
  return {
    id,
    kind,
    sets: from,
    items: order.map((i) => items[i] as PileItem),
    truth: Int32Array.from(order, (i) => truth[i]),
    classes: classNumber,
  };
}

/** Rows of a class in random order; with copies, of the copies' matrices. */
function rowsOf({ classes, copies }: EmbeddedSet, c: number, withCopies: boolean, random: Random): number[] {
  const rows: number[] = [];
  const count = withCopies ? (copies[0]?.rows ?? 0) : classes.length;
  for (let row = 0; row < count; row++) if (classes[withCopies ? originalOf(row) : row] === c) rows.push(row);
  return shuffled(rows, random);
}

const plain = (set: string, rows: readonly number[], wanted: number): PileItem[] =>
  rows.slice(0, Math.min(MAX_CLASS, wanted)).map((row) => ({ set, row, copy: -1 }));

/** Each image once to five times: itself, then other forms of it. */
function copied(set: string, rows: readonly number[], wanted: number, random: Random): PileItem[] {
  const items: PileItem[] = [];
  for (const row of rows) {
    if (items.length >= wanted) break;
    const times = 1 + Math.floor(random() * MAX_COPIES);
    const kinds = shuffled(
      COPY_KINDS.map((_, kind) => kind),
      random,
    ).slice(0, times - 1);
    items.push({ set, row: originalOf(row), copy: -1 }, ...kinds.map((copy) => ({ set, row, copy })));
  }
  return items;
}

/** Images of other sets, each of a set drawn anew. */
function junkFor(
  sets: ReadonlyMap<string, EmbeddedSet>,
  without: readonly string[],
  count: number,
  random: Random,
): PileItem[] {
  const others = [...sets.values()].filter(({ name }) => !without.includes(name));
  // A mixture of all the sets that there are has none.
  if (others.length === 0) return [];
  const taken = new Set<string>();
  const junk: PileItem[] = [];
  while (junk.length < count) {
    const set = others[Math.floor(random() * others.length)] as EmbeddedSet;
    const row = Math.floor(random() * set.classes.length);
    if (taken.has(`${set.name} ${row}`)) continue;
    taken.add(`${set.name} ${row}`);
    junk.push({ set: set.name, row, copy: -1 });
  }
  return junk;
}

/** A few images of few classes; one image in several forms; images that are all of different classes. */
function tinyPiles(sets: ReadonlyMap<string, EmbeddedSet>, names: readonly string[], seed: number): Pile[] {
  const piles: Pile[] = [];
  const random = seededRandom(seed, 'tiny');
  const any = () => sets.get(names[Math.floor(random() * names.length)] as string) as EmbeddedSet;
  for (const size of TINY) {
    const set = any();
    const rows = sampleIndices(set.classes.length, size, random);
    const wanted = new Set([...rows].map((row) => set.classes[row]).slice(0, 3));
    const all = [...set.classes.keys()].filter((row) => wanted.has(set.classes[row]));
    const own = shuffled(all, random).slice(0, size);
    piles.push(
      tiny(
        `tiny-${size}`,
        own.map((row) => ({ set, row, copy: -1 })),
      ),
    );
  }
  for (const size of TINY.filter((one) => one >= 3)) {
    const set = any();
    const row = Math.floor(random() * (set.copies[0]?.rows ?? 1));
    const forms = Array.from({ length: size }, (_, i) =>
      i % (COPY_KINDS.length + 1) === 0
        ? { set, row: originalOf(row), copy: -1 }
        : { set, row, copy: (i % (COPY_KINDS.length + 1)) - 1 },
    );
    piles.push(tiny(`alike-${size}`, forms));
    const different = Array.from({ length: size }, (_, i) => {
      const other = sets.get(names[i % names.length] as string) as EmbeddedSet;
      const c = Math.floor(i / names.length) % other.classNames.length;
      return { set: other, row: other.classes.indexOf(c), copy: -1 };
    });
    piles.push(tiny(`different-${size}`, different));
  }
  return piles;
}

function tiny(id: string, drawn: readonly { set: EmbeddedSet; row: number; copy: number }[]): Pile {
  const names = drawn.map(({ set, row, copy }) => `${set.name} ${set.classes[copy < 0 ? row : originalOf(row)]}`);
  const classes = [...new Set(names)];
  return {
    id,
    kind: 'tiny',
    sets: [...new Set(drawn.map(({ set }) => set.name))],
    items: drawn.map(({ set, row, copy }) => ({ set: set.name, row, copy })),
    truth: Int32Array.from(names, (name) => classes.indexOf(name)),
    classes: classes.length,
  };
}
