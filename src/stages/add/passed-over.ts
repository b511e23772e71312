/** What a listing leaves out because its name is no image's, by the end of the name: told, so that nobody misses a video. */

/** Of files without an ending. */
export const NO_ENDING = '';

/** How many files of each ending, in lower case with its dot: `.mp4`. */
export type PassedOver = Readonly<Record<string, number>>;

/** Longer ones are part of a name more often than an ending. */
const LONGEST_ENDING = 8;
/** A pile with more has names that are no endings. */
const MAX_ENDINGS = 1000;

export class PassedOverTally {
  readonly #counts = new Map<string, number>();

  /** @param path of a file, with `/` between its parts */
  add(path: string): void {
    const found = /[^/](\.[^./\s]+)$/.exec(path)?.[1].toLowerCase() ?? NO_ENDING;
    const isTold = found.length <= LONGEST_ENDING && (this.#counts.has(found) || this.#counts.size < MAX_ENDINGS);
    const ending = isTold ? found : NO_ENDING;
    this.#counts.set(ending, (this.#counts.get(ending) ?? 0) + 1);
  }

  /** The most frequent ones first. */
  counts(): PassedOver {
    const sorted = [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return Object.fromEntries(sorted);
  }
}
