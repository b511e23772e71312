/** Strata of confidence, and simple random samples within them. Pure. */

/** Confidences are told apart to a thousandth where strata are cut. */
export const BINS = 1000;
/** The bin of a confidence, 0 to 1. */
export function binOf(confidence: number): number {
  return Math.min(BINS - 1, Math.floor(confidence * BINS));
}

/** Cuts the bins where each stratum has about the same number of items; none is empty. */
export function cutsOf(bins: Uint32Array, population: number, wanted: number): { from: number; to: number }[] {
  const cuts: { from: number; to: number }[] = [];
  let [from, inside, before] = [0, 0, 0];
  for (let bin = 0; bin < bins.length; bin++) {
    inside += bins[bin];
    before += bins[bin];
    if (inside > 0 && before < population && before >= (population * (cuts.length + 1)) / wanted) {
      cuts.push({ from, to: bin + 1 });
      [from, inside] = [bin + 1, 0];
    }
  }
  cuts.push({ from, to: bins.length });
  return cuts;
}

/** Shares in proportion, by largest remainder, at least one each where there are enough. */
export function allocate(counts: readonly number[], size: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (size * count) / total);
  const shares = exact.map((share, i) => Math.min(counts[i], Math.max(1, Math.floor(share))));
  const order = exact
    .map((share, i) => ({ i, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let left = size - shares.reduce((sum, share) => sum + share, 0);
  while (left > 0) {
    for (const { i } of order) {
      if (left === 0 || shares[i] >= counts[i]) continue;
      shares[i]++;
      left--;
    }
  }
  return shares;
}

/**
 * Keeps those of lowest rank. As ranks are random, that is a simple random sample without replacement, whatever the
 * order of the stream. An offer costs O(places) at worst and O(1) mostly.
 */
export class LowestRanks<T> {
  readonly #places: number;
  #kept: { readonly rank: number; readonly item: T }[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  offer(rank: number, item: T): void {
    if (this.#kept.length === this.#places && rank >= (this.#kept.at(-1)?.rank ?? -1)) return;
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.rank ?? 0) <= rank) low = middle + 1;
      else high = middle;
    }
    this.#kept.splice(low, 0, { rank, item });
    if (this.#kept.length > this.#places) this.#kept.pop();
  }

  list(): T[] {
    return this.#kept.map(({ item }) => item);
  }
}
