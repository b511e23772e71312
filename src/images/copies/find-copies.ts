/**
 * Mirrored, turned and cropped copies among many pictures, without comparing each with each.
 *
 * The hash of each whole picture is put into tables by bands of 12 of its 60 bits. Every window of every picture then asks
 * which whole pictures have a band like its own; those within a few bits, of a shape that the window would have and with
 * blocks that correlate are compared by their prints (`compare.ts`), the most alike first and a few of them only.
 *
 * Cost: about 60 µs a picture for its windows and their questions, and 50 µs for each pair that is compared: 0.1 pairs a picture
 * in photographs, 4 where everything looks alike. A question meets at most 64 pictures of each band, so the cost a picture has a
 * bound; in the fullest bands of a large pile a copy may be overlooked. Memory: 180 bytes a picture, and 100 kB, beside the
 * prints.
 */
import { popcount } from '../hash.ts';
import { COPY_LIMITS, hasStructure, isWithin, PrintComparer } from './compare.ts';
import type { Likeness } from './likeness.ts';
import { BLOCK_COUNT, type Turn, WINDOWS, type WindowHash, WindowHasher } from './windows.ts';

/** Structure of arrays, n pictures. */
export interface PrintColumns {
  readonly count: number;
  /** Undefined for pictures of before there were prints. */
  print(i: number): Uint8Array | undefined;
  /** Shape [n]: natural logarithm of width ÷ height. */
  readonly logAspect: Float32Array;
}

/** Most bits that may differ. Fewer finds fewer crops; with more, blocks of different pictures are compared in vain. */
const MAX_DISTANCE = 9;
/** A window of the list is off by some per cent of a side, and its shape with it. */
const MAX_LOG_ASPECT_DIFFERENCE = 0.11;
const [BANDS, BAND_BITS] = [5, 12] as const;
const BUCKETS = 1 << BAND_BITS;
/** Of the blocks, before prints are compared: copies have .95 and more. */
const MIN_BLOCK_CORRELATION = 0.92;
/**
 * Pictures that one is compared with at most, those whose blocks correlate most, of those that are not in its group yet: what
 * bounds the cost where everything looks alike.
 */
const MAX_COMPARED = 4;
/** Pictures that one question meets at most; a bucket with more holds pictures that hashes say little about. */
const MAX_MET = 64;

/** By what the shape of a window differs from its picture's: natural logarithm of width ÷ height. */
const LOG_SHAPES = Float64Array.from(WINDOWS, ({ left, right, top, bottom }) =>
  Math.log((right - left) / (bottom - top)),
);

/**
 * Calls `onCopy` for pairs that belong together, in an order that depends on the columns alone. Pairs that `isJoined` says
 * are together already are not compared.
 */
export function findCopies(
  columns: PrintColumns,
  onCopy: (i: number, j: number) => void,
  isJoined: (i: number, j: number) => boolean,
): void {
  const onLikeness = (i: number, j: number, likeness: Likeness) => {
    if (isWithin(likeness, COPY_LIMITS)) onCopy(i, j);
  };
  compareCandidates(columns, onLikeness, isJoined);
}

/** Calls `onLikeness` for each pair that was compared: where a window of `i` looks about like all of `j`. */
export function compareCandidates(
  columns: PrintColumns,
  onLikeness: (i: number, j: number, likeness: Likeness) => void,
  isJoined: (i: number, j: number) => boolean,
): void {
  const hasher = new WindowHasher();
  const comparer = new PrintComparer();
  const wholes = new Wholes(columns, hasher);
  /** For each picture that a window of this one is near: the nearest window. */
  const nearest = new Map<number, Candidate>();
  for (let i = 0; i < columns.count; i++) {
    const print = columns.print(i);
    if (print === undefined || !hasStructure(print)) continue;
    nearest.clear();
    hasher.each(print, 'all', (hash) => wholes.near(hash, i, nearest));
    const candidates = [...nearest].filter(([j]) => !isJoined(i, j));
    candidates.sort(([j, a], [k, b]) => b.correlation - a.correlation || j - k);
    for (const [j, { window, turn, wholeTurn }] of candidates.slice(0, MAX_COMPARED)) {
      const other = columns.print(j);
      // One before it may have joined them.
      if (other === undefined || isJoined(i, j)) continue;
      const likeness = comparer.likeness(print, WINDOWS[window], turn, other, wholeTurn);
      if (likeness !== undefined) onLikeness(i, j, likeness);
    }
  }
}

interface Candidate {
  /** Bits of the hash that differ, and correlation of the blocks. */
  readonly distance: number;
  readonly correlation: number;
  /** Index into `WINDOWS`. */
  readonly window: number;
  readonly turn: Turn;
  readonly wholeTurn: Turn;
}

/** The hashes of all whole pictures, in tables by their bands. */
class Wholes {
  readonly #columns: PrintColumns;
  readonly #hasher: WindowHasher;
  /** Shape [hashes] each. */
  readonly #pictures: Uint32Array;
  readonly #turns: Uint8Array;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  /** Shape [hashes, 36]. */
  #blocks = new Float32Array(1024 * BLOCK_COUNT);
  readonly #tables: readonly { readonly starts: Uint32Array; readonly items: Uint32Array }[];
  readonly #asked = new Float32Array(BLOCK_COUNT);

  constructor(columns: PrintColumns, hasher: WindowHasher) {
    this.#columns = columns;
    this.#hasher = hasher;
    const [pictures, turns, lows, highs]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let i = 0; i < columns.count; i++) {
      const print = columns.print(i);
      if (print === undefined || !hasStructure(print)) continue;
      hasher.each(print, 'whole', ({ turn, low, high }) => {
        this.#keepBlocks(pictures.length);
        pictures.push(i);
        turns.push(turn);
        lows.push(low);
        highs.push(high);
      });
    }
    this.#pictures = Uint32Array.from(pictures);
    this.#turns = Uint8Array.from(turns);
    this.#low = Int32Array.from(lows);
    this.#high = Int32Array.from(highs);
    this.#tables = Array.from({ length: BANDS }, (_, band) => this.#table(band));
  }

  /** Adds to `nearest` the pictures that look about like the window of picture `i` that was hashed last. */
  near({ window, turn, low, high }: Readonly<WindowHash>, i: number, nearest: Map<number, Candidate>): void {
    const shape = this.#columns.logAspect[i] + LOG_SHAPES[window];
    let hasBlocks = false;
    for (let band = 0; band < BANDS; band++) {
      const { starts, items } = this.#tables[band];
      const key = bandOf(low, high, band);
      const end = Math.min(starts[key + 1], starts[key] + MAX_MET);
      for (let at = starts[key]; at < end; at++) {
        const item = items[at];
        const distance = popcount(low ^ this.#low[item]) + popcount(high ^ this.#high[item]);
        if (distance > MAX_DISTANCE) continue;
        const j = this.#pictures[item];
        const wholeTurn = this.#turns[item];
        // Laid on its side, a picture has the inverse shape.
        const wanted = ((turn ^ wholeTurn) & 4) === 0 ? shape : -shape;
        if (j === i || Math.abs(wanted - this.#columns.logAspect[j]) > MAX_LOG_ASPECT_DIFFERENCE) continue;
        const before = nearest.get(j);
        if (before !== undefined && before.distance <= distance) continue;
        if (!hasBlocks) this.#hasher.turnedBlocks(this.#asked);
        hasBlocks = true;
        const correlation = correlationAt(this.#asked, this.#blocks, item * BLOCK_COUNT);
        if (correlation >= MIN_BLOCK_CORRELATION) nearest.set(j, { distance, correlation, window, turn, wholeTurn });
      }
    }
  }

  /** Those of the hash that was made last. */
  #keepBlocks(at: number): void {
    if ((at + 1) * BLOCK_COUNT > this.#blocks.length) {
      const larger = new Float32Array(2 * this.#blocks.length);
      larger.set(this.#blocks);
      this.#blocks = larger;
    }
    this.#hasher.turnedBlocks(this.#blocks, at * BLOCK_COUNT);
  }

  /** Counting sort by one band: the hashes of key k stand at `starts[k]` to `starts[k + 1]`. */
  #table(band: number): { readonly starts: Uint32Array; readonly items: Uint32Array } {
    const [low, high] = [this.#low, this.#high];
    const starts = new Uint32Array(BUCKETS + 1);
    for (let i = 0; i < low.length; i++) starts[bandOf(low[i], high[i], band) + 1]++;
    for (let key = 0; key < BUCKETS; key++) starts[key + 1] += starts[key];
    const next = starts.slice();
    const items = new Uint32Array(low.length);
    for (let i = 0; i < low.length; i++) items[next[bandOf(low[i], high[i], band)]++] = i;
    return { starts, items };
  }
}

/** Correlation of 36 blocks with those that stand at `start`. */
function correlationAt(a: Float32Array, all: Float32Array, start: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let i = 0; i < BLOCK_COUNT; i++) {
    const [x, y] = [a[i], all[start + i]];
    sumA += x;
    sumB += y;
    squaresA += x * x;
    squaresB += y * y;
    products += x * y;
  }
  const spread = (squaresA - (sumA * sumA) / BLOCK_COUNT) * (squaresB - (sumB * sumB) / BLOCK_COUNT);
  return spread > 1e-6 ? (products - (sumA * sumB) / BLOCK_COUNT) / Math.sqrt(spread) : 0;
}

/** 12 of the 60 bits; the third band takes half of its bits from each word. */
function bandOf(low: number, high: number, band: number): number {
  if (band === 2) return ((low >>> 24) | ((high >>> 18) & 0xfc0)) & (BUCKETS - 1);
  return band < 2 ? (low >>> (band * BAND_BITS)) & (BUCKETS - 1) : (high >>> ((band - 3) * BAND_BITS)) & (BUCKETS - 1);
}
