/**
 * Near-duplicates among many pictures without comparing each with each.
 *
 * Banded multi-index after M. Norouzi, A. Punjani, D. J. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing"
 * (CVPR 2012): a 64-bit hash is cut into 4 bands of 16 bits. Two hashes at distance ≤ 3 agree in one band at least, and at
 * distance ≤ 7 some band differs in at most one bit (pigeonhole), so it is enough to compare pictures whose band is equal
 * or one bit away. For n hashes spread evenly that is n²·4·17 / 2¹⁷ comparisons: 520 million for a million.
 *
 * Two things could still make it quadratic and do not: pictures with the very same hash are joined in order of their
 * shape and stand for one another, and in an overfull bucket each picture is compared with its neighbours in order of
 * hash only. The latter may overlook pairs; how many buckets were so is reported.
 *
 * Memory: 28 bytes a picture (of which 12 are the input), and 512 KB.
 */
import { popcount } from './hash.ts';

/** Structure of arrays, n pictures. */
export interface HashColumns {
  /** Shape [n]: the first and the last 32 bits of the perceptual hash. */
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Shape [n]: natural logarithm of width ÷ height. */
  readonly logAspect: Float32Array;
}

export interface DuplicateOptions {
  /**
   * Most bits that may differ, 0 to 7 (default {@link NEAR_DUPLICATE_DISTANCE}). Less misses copies that were compressed
   * hard or made much smaller; more would need other bands and joins different pictures.
   */
  readonly maxDistance?: number;
  /**
   * Pictures that each one of a bucket is compared with, before the bucket counts as overfull (default 2048, so that a
   * million pictures never need more than 8 thousand million comparisons, about half a minute).
   */
  readonly maxCandidates?: number;
}

/**
 * Measured on the four benchmark sets: 7 finds 99 % of pictures compressed at quality 50 and nine tenths of those halved
 * in size, and pairs none of different classes in two sets and 4 of 36 in the hardest (parts on white). The same
 * distance without the test of shapes pairs 46 of 187.
 */
export const NEAR_DUPLICATE_DISTANCE = 7;
/** Copies keep their shape but for rounding; different pictures with similar hashes mostly do not. */
export const MAX_LOG_ASPECT_DIFFERENCE = 0.05;

const BANDS = 4;
const BUCKETS = 1 << 16;
/** In an overfull bucket each picture is compared with this many that follow it in order of hash, */
const NEIGHBOURS = 32;
/** and with this many of each bucket one bit away: enough to join the buckets. */
const NEAR_NEIGHBOURS = 2;

type OnPair = (i: number, j: number, distance: number) => void;

/**
 * Calls `onPair` for pairs `i < j` of near-duplicates, each at most once, in an order that depends on the columns alone.
 * Pictures with equal hashes come as a chain, not each with each. Pictures of one colour (hash 0) have no near-duplicates.
 * Returns how many buckets were overfull.
 */
export function findNearDuplicates(columns: HashColumns, onPair: OnPair, options: DuplicateOptions = {}): number {
  const search = new NearDuplicateSearch(columns, options);
  search.equal(onPair);
  let overfull = 0;
  for (const part of nearDuplicateParts(1)) overfull += search.in(part, onPair);
  return overfull;
}

/** Buckets of one band, from key `from` to before `to`. */
export interface BandPart {
  readonly band: number;
  readonly from: number;
  readonly to: number;
}

/** All buckets in the order in which their pairs count, each band cut into so many parts. */
export function nearDuplicateParts(partsABand: number): BandPart[] {
  const edge = (part: number) => Math.round((part * BUCKETS) / partsABand);
  return Array.from({ length: BANDS }, (_, band) =>
    Array.from({ length: partsABand }, (_, part) => ({ band, from: edge(part), to: edge(part + 1) })),
  ).flat();
}

/** The search in parts: those of {@link nearDuplicateParts} one after the other are `findNearDuplicates`. */
export class NearDuplicateSearch {
  readonly #columns: HashColumns;
  readonly #maxDistance: number;
  readonly #maxCandidates: number;
  #distinct: Uint32Array | undefined;
  /** Of the band that was asked for last. */
  #table: { readonly band: number; readonly buckets: ReturnType<typeof buckets> } | undefined;

  constructor(
    columns: HashColumns,
    { maxDistance = NEAR_DUPLICATE_DISTANCE, maxCandidates = 2048 }: DuplicateOptions = {},
  ) {
    if (!Number.isInteger(maxDistance) || maxDistance < 0 || maxDistance > 7) {
      throw new RangeError(`maxDistance is ${maxDistance}, expected a whole number from 0 to 7`);
    }
    this.#columns = columns;
    this.#maxDistance = maxDistance;
    this.#maxCandidates = maxCandidates;
  }

  /** Pairs with equal hashes: they come before all others. */
  equal(onPair: OnPair): void {
    this.#distinct = joinEqualHashes(this.#columns, onPair);
  }

  /** @returns how many buckets of the part were overfull */
  in({ band, from: firstKey, to: endKey }: BandPart, onPair: OnPair): number {
    const { logAspect } = this.#columns;
    const maxDistance = this.#maxDistance;
    const { starts, items, itemHigh, itemLow } = this.#bucketsOf(band);
    // Bits by which a band may be off: 1 when the distance can be more than one a band less one.
    const bandSlack = maxDistance >= BANDS ? 1 : 0;
    const compare = (at: number, from: number, to: number) => {
      const a = items[at];
      const aHigh = itemHigh[at];
      const aLow = itemLow[at];
      for (let other = from; other < to; other++) {
        const x = aHigh ^ itemHigh[other];
        const y = aLow ^ itemLow[other];
        let distance = popcount(x);
        if (distance > maxDistance) continue;
        distance += popcount(y);
        if (distance > maxDistance) continue;
        const b = items[other];
        if (Math.abs(logAspect[a] - logAspect[b]) > MAX_LOG_ASPECT_DIFFERENCE) continue;
        // The first band that brings a pair together reports it; equal hashes were joined before.
        if (distance === 0 || broughtTogether(x, y, band, bandSlack)) continue;
        onPair(Math.min(a, b), Math.max(a, b), distance);
      }
    };
    let overfull = 0;
    for (let key = firstKey; key < endKey; key++) {
      const from = starts[key];
      const to = starts[key + 1];
      if (from === to) continue;
      let candidates = (to - from) / 2;
      for (let bit = bandSlack === 0 ? BUCKETS : 1; bit < BUCKETS; bit <<= 1) {
        if ((key ^ bit) > key) candidates += starts[(key ^ bit) + 1] - starts[key ^ bit];
      }
      const full = candidates > this.#maxCandidates;
      if (full) overfull++;
      for (let at = from; at < to; at++) compare(at, at + 1, full ? Math.min(to, at + 1 + NEIGHBOURS) : to);
      for (let bit = bandSlack === 0 ? BUCKETS : 1; bit < BUCKETS; bit <<= 1) {
        const near = key ^ bit;
        if (near < key) continue;
        const nearFrom = starts[near];
        const nearTo = starts[near + 1];
        const nearEnd = full ? Math.min(nearTo, nearFrom + NEAR_NEIGHBOURS) : nearTo;
        if (nearFrom < nearEnd) for (let at = from; at < to; at++) compare(at, nearFrom, nearEnd);
      }
    }
    return overfull;
  }

  #bucketsOf(band: number): ReturnType<typeof buckets> {
    this.#distinct ??= joinEqualHashes(this.#columns, () => {});
    if (this.#table?.band !== band) this.#table = { band, buckets: buckets(this.#columns, this.#distinct, band) };
    return this.#table.buckets;
  }
}

/** Whether a band before `band` is off by no more than the slack in the difference of two hashes. */
function broughtTogether(x: number, y: number, band: number, bandSlack: number): boolean {
  for (let earlier = 0; earlier < band; earlier++) {
    if (popcount(bandOf(x, y, earlier)) <= bandSlack) return true;
  }
  return false;
}

/** The 16 bits of one band of a hash, or of the difference of two. */
function bandOf(high: number, low: number, band: number): number {
  const half = band < 2 ? high : low;
  return (band & 1) === 0 ? half >>> 16 : half & 0xffff;
}

/**
 * Reports pictures with equal hashes as chains in order of shape, and gives one of each chain, in order of hash and
 * shape, to stand for it.
 */
function joinEqualHashes(
  { high, low, logAspect }: HashColumns,
  onPair: (i: number, j: number, distance: number) => void,
): Uint32Array {
  const order = new Uint32Array(high.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((a, b) => high[a] - high[b] || low[a] - low[b] || logAspect[a] - logAspect[b] || a - b);
  let count = 0;
  let previous = -1;
  for (const i of order) {
    if (high[i] === 0 && low[i] === 0) continue;
    const equal = previous >= 0 && high[previous] === high[i] && low[previous] === low[i];
    if (equal && logAspect[i] - logAspect[previous] <= MAX_LOG_ASPECT_DIFFERENCE) {
      onPair(Math.min(previous, i), Math.max(previous, i), 0);
    } else order[count++] = i;
    previous = i;
  }
  return order.subarray(0, count);
}

/** Counting sort by one band: the pictures of key k stand at `starts[k]` to `starts[k + 1]`, in order of hash. */
function buckets({ high, low }: HashColumns, distinct: Uint32Array, band: number) {
  const starts = new Uint32Array(BUCKETS + 1);
  for (const i of distinct) {
    const after = bandOf(high[i], low[i], band) + 1;
    starts[after] = starts[after] + 1;
  }
  for (let key = 0; key < BUCKETS; key++) starts[key + 1] = starts[key + 1] + starts[key];
  const next = starts.slice();
  const items = new Uint32Array(distinct.length);
  // Signed, since they are only ever xor-ed. Copied into the order of buckets, so that comparing reads memory in a row.
  const itemHigh = new Int32Array(distinct.length);
  const itemLow = new Int32Array(distinct.length);
  for (const i of distinct) {
    const key = bandOf(high[i], low[i], band);
    const at = next[key];
    items[at] = i;
    itemHigh[at] = high[i];
    itemLow[at] = low[i];
    next[key] = at + 1;
  }
  return { starts, items, itemHigh, itemLow };
}
