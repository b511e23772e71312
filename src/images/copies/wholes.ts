/**
 * The hashes of all whole pictures, in tables by bands of 12 of their 60 bits: what a window asks for pictures about like it.
 *
 * Memory: 180 bytes a hash and 100 kB, shared by the threads that ask. A question meets at most 64 pictures of each band, so
 * that its cost has a bound; in the fullest bands of a large pile a copy may be overlooked.
 */
import { popcount } from '../hash.ts';
import { hasStructure } from './compare.ts';
import type { PrintColumns } from './prints.ts';
import { BLOCK_COUNT, type Turn, WINDOWS, type WindowHash, WindowHasher } from './windows.ts';

/** Most bits that may differ. Fewer finds fewer crops; with more, blocks of different pictures are compared in vain. */
const MAX_DISTANCE = 9;
/** A window of the list is off by some per cent of a side, and its shape with it. */
const MAX_LOG_ASPECT_DIFFERENCE = 0.11;
const [BANDS, BAND_BITS] = [5, 12] as const;
const BUCKETS = 1 << BAND_BITS;
/** Of the blocks, before prints are compared: copies have .95 and more. */
const MIN_BLOCK_CORRELATION = 0.92;
/** Pictures that one question meets at most; a bucket with more holds pictures that hashes say little about. */
const MAX_MET = 64;

/** By what the shape of a window differs from its picture's: natural logarithm of width ÷ height. */
const LOG_SHAPES = Float64Array.from(WINDOWS, ({ left, right, top, bottom }) =>
  Math.log((right - left) / (bottom - top)),
);

/** A picture that a window of another one is near. */
export interface Candidate {
  /** Bits of the hash that differ, and correlation of the blocks. */
  readonly distance: number;
  readonly correlation: number;
  /** Index into `WINDOWS`. */
  readonly window: number;
  readonly turn: Turn;
  readonly wholeTurn: Turn;
}

/** In shared memory. */
export interface WholeHashes {
  /** Shape [hashes] each: whose it is, how it lies, 30 bits, and 30 bits. */
  readonly pictures: Uint32Array;
  readonly turns: Uint8Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Shape [hashes, 36]. */
  readonly blocks: Float32Array;
  /** Counting sort by each band: the hashes of key k stand at `starts[k]` to `starts[k + 1]`. */
  readonly tables: readonly { readonly starts: Uint32Array; readonly items: Uint32Array }[];
}

export function hashWholes(columns: PrintColumns): WholeHashes {
  const hasher = new WindowHasher();
  const [pictures, turns, lows, highs]: [number[], number[], number[], number[]] = [[], [], [], []];
  let blocks = new Float32Array(1024 * BLOCK_COUNT);
  for (let i = 0; i < columns.count; i++) {
    const print = columns.print(i);
    if (print === undefined || !hasStructure(print)) continue;
    hasher.each(print, 'whole', ({ turn, low, high }) => {
      if ((pictures.length + 1) * BLOCK_COUNT > blocks.length) {
        const larger = new Float32Array(2 * blocks.length);
        larger.set(blocks);
        blocks = larger;
      }
      hasher.turnedBlocks(blocks, pictures.length * BLOCK_COUNT);
      pictures.push(i);
      turns.push(turn);
      lows.push(low);
      highs.push(high);
    });
  }
  const count = pictures.length;
  const [low, high] = [new Int32Array(shared(4 * count)), new Int32Array(shared(4 * count))];
  low.set(lows);
  high.set(highs);
  const hashes = {
    pictures: new Uint32Array(shared(4 * count)),
    turns: new Uint8Array(shared(count)),
    blocks: new Float32Array(shared(4 * count * BLOCK_COUNT)),
  };
  hashes.pictures.set(pictures);
  hashes.turns.set(turns);
  hashes.blocks.set(blocks.subarray(0, count * BLOCK_COUNT));
  return { ...hashes, low, high, tables: Array.from({ length: BANDS }, (_, band) => tableOf(low, high, band)) };
}

const shared = (bytes: number) => new SharedArrayBuffer(bytes);

function tableOf(low: Int32Array, high: Int32Array, band: number) {
  const starts = new Uint32Array(shared(4 * (BUCKETS + 1)));
  for (let i = 0; i < low.length; i++) starts[bandOf(low[i], high[i], band) + 1]++;
  for (let key = 0; key < BUCKETS; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const items = new Uint32Array(shared(4 * low.length));
  for (let i = 0; i < low.length; i++) items[next[bandOf(low[i], high[i], band)]++] = i;
  return { starts, items };
}

/** Asks for the pictures that look about like a window. */
export class WholeSearch {
  readonly #wholes: WholeHashes;
  readonly #logAspect: Float32Array;
  readonly #asked = new Float32Array(BLOCK_COUNT);

  /** @param logAspect of the pictures, shape [n] */
  constructor(wholes: WholeHashes, logAspect: Float32Array) {
    this.#wholes = wholes;
    this.#logAspect = logAspect;
  }

  /** Adds to `nearest` the pictures that look about like the window of picture `i` that `hasher` has just hashed. */
  near(hasher: WindowHasher, hash: Readonly<WindowHash>, i: number, nearest: Map<number, Candidate>): void {
    const { window, turn, low, high } = hash;
    const { pictures, turns, low: lows, high: highs, blocks, tables } = this.#wholes;
    const shape = this.#logAspect[i] + LOG_SHAPES[window];
    let hasBlocks = false;
    for (let band = 0; band < BANDS; band++) {
      const { starts, items } = tables[band];
      const key = bandOf(low, high, band);
      const end = Math.min(starts[key + 1], starts[key] + MAX_MET);
      for (let at = starts[key]; at < end; at++) {
        const item = items[at];
        const distance = popcount(low ^ lows[item]) + popcount(high ^ highs[item]);
        if (distance > MAX_DISTANCE) continue;
        const j = pictures[item];
        const wholeTurn = turns[item];
        // Laid on its side, a picture has the inverse shape.
        const wanted = ((turn ^ wholeTurn) & 4) === 0 ? shape : -shape;
        if (j === i || Math.abs(wanted - this.#logAspect[j]) > MAX_LOG_ASPECT_DIFFERENCE) continue;
        const before = nearest.get(j);
        if (before !== undefined && before.distance <= distance) continue;
        if (!hasBlocks) hasher.turnedBlocks(this.#asked);
        hasBlocks = true;
        const correlation = correlationAt(this.#asked, blocks, item * BLOCK_COUNT);
        if (correlation >= MIN_BLOCK_CORRELATION) nearest.set(j, { distance, correlation, window, turn, wholeTurn });
      }
    }
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
