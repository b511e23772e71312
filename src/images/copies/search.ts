/**
 * Mirrored, turned and cropped copies of pictures, without comparing each with each.
 *
 * Every window of a picture asks which whole pictures have a hash about like its own (`wholes.ts`); those of a shape that the
 * window would have and with blocks that correlate are compared by their prints (`compare.ts`), the most alike first and a
 * few of them only. What is found for a picture depends on the columns and on what is joined already, and on nothing else,
 * so pictures can be asked about in any order, by any number of threads.
 *
 * Cost: about 60 µs a picture for its windows and their questions, and 50 µs for each pair that is compared: 0.1 pairs a
 * picture in photographs, 5 where everything looks alike.
 */
import { type Agreement, COPY_LIMITS, type CopyLimits, hasStructure, isWithin, PrintComparer } from './compare.ts';
import type { PrintColumns } from './prints.ts';
import { type Candidate, type WholeHashes, WholeSearch } from './wholes.ts';
import { WINDOWS, WindowHasher } from './windows.ts';

/**
 * Pictures that one is compared with at most, those whose blocks correlate most, of those that are not in its group: what
 * bounds the cost where everything looks alike.
 */
const MAX_COMPARED = 5;

export class CopySearch {
  readonly #columns: PrintColumns;
  readonly #roots: Uint32Array | undefined;
  readonly #wholes: WholeSearch;
  readonly #hasher = new WindowHasher();
  readonly #comparer: PrintComparer;

  /**
   * @param roots shape [n]: pictures with the same number are joined already, and are not compared; default: none are
   * @param limits as in `PrintComparer`
   */
  constructor(columns: PrintColumns, wholes: WholeHashes, roots?: Uint32Array, limits?: CopyLimits) {
    this.#columns = columns;
    this.#comparer = new PrintComparer(limits);
    this.#roots = roots;
    this.#wholes = new WholeSearch(wholes, columns.logAspect);
  }

  /** Calls `onLikeness` for each picture `j` that was compared: where a window of `i` looks about like all of it. */
  of(i: number, onLikeness: (j: number, likeness: Agreement) => void): void {
    const print = this.#columns.print(i);
    if (print === undefined || !hasStructure(print)) return;
    /** For each picture that a window of this one is near: the nearest window. */
    const nearest = new Map<number, Candidate>();
    this.#hasher.each(print, 'all', (hash) => this.#wholes.near(this.#hasher, hash, i, nearest));
    const roots = this.#roots;
    const candidates = [...nearest].filter(([j]) => roots === undefined || roots[i] !== roots[j]);
    candidates.sort(([j, a], [k, b]) => b.correlation - a.correlation || j - k);
    for (const [j, { window, turn, wholeTurn }] of candidates.slice(0, MAX_COMPARED)) {
      const other = this.#columns.print(j);
      const likeness = other && this.#comparer.likeness(print, WINDOWS[window], turn, other, wholeTurn);
      if (likeness !== undefined) onLikeness(j, likeness);
    }
  }
}

/** The pairs (i, j) that belong together, one after the other, of pictures i from `from` to before `to`. */
export function copiesFrom(search: CopySearch, from: number, to: number): Uint32Array<ArrayBuffer> {
  const pairs: number[] = [];
  for (let i = from; i < to; i++) {
    search.of(i, (j, likeness) => {
      if (isWithin(likeness, COPY_LIMITS)) pairs.push(i, j);
    });
  }
  return Uint32Array.from(pairs);
}
