/**
 * Hashes of a picture and of windows of it, by which a crop is known: what is cut out of a picture looks like the window that
 * it was cut out of.
 *
 * A window's hash has 60 bits, one for each two neighbours of 6 × 6 blocks: which is brighter (after D. Krawetz, "Kind of
 * Like That", 2013, on blocks instead of pixels). Before that it is turned and mirrored so that its bright side is to the
 * right, then below, and the steeper slope lies across: all eight turns of a picture have one hash. Where that is nearly a
 * tie, the window has a hash for each side of it.
 *
 * Cost: about 35 µs for the 55 windows of a picture, by sums over rectangles.
 */
import { PRINT_CELLS, PRINT_SIDE } from '../../core/image.ts';
import { PRINT_BYTES } from './print.ts';

const BLOCKS = 6;
/** Numbers of a window that {@link WindowHasher.turnedBlocks} gives. */
export const BLOCK_COUNT = BLOCKS * BLOCKS;
const [PAIRS, HALF] = [2 * BLOCKS * (BLOCKS - 1), 30] as const;

/** A part of a picture, in shares of its width and height. */
export interface Window {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** One of the eight ways to lay a square: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 then swaps x and y. */
export type Turn = number;

export interface WindowHash {
  /** Index into {@link WINDOWS}. */
  window: number;
  turn: Turn;
  /** 30 bits each. */
  low: number;
  high: number;
}

type Span = readonly [start: number, end: number];

const WHOLE: Span = [0, 1];
/** What is left of a side after this share is cut off: at its end, at both, at its start. */
const spans = (cut: number): readonly Span[] => [
  [0, 1 - cut],
  [cut / 2, 1 - cut / 2],
  [cut, 1],
];
/** Cut along one side or along both, which leaves 69 % of the area. */
const EITHER: readonly Span[] = [WHOLE, ...spans(0.09), ...spans(0.17)];
/** Cut along one side alone. */
const ALONE: readonly Span[] = spans(0.25);

/** The first is the whole picture. A crop whose edges lie a twentieth of a side from those of a window is mostly still known. */
export const WINDOWS: readonly Window[] = [
  ...EITHER.flatMap((y) => EITHER.map((x) => [x, y] as const)),
  ...ALONE.flatMap((span) => [[span, WHOLE] as const, [WHOLE, span] as const]),
].map(([[left, right], [top, bottom]]) => ({ left, right, top, bottom }));

/** Where the block at each place of a turned square comes from, shape [8, 36]. */
const TURNED = Uint8Array.from({ length: 8 * BLOCKS * BLOCKS }, (_, at) => {
  const [turn, place] = [Math.floor(at / (BLOCKS * BLOCKS)), at % (BLOCKS * BLOCKS)];
  let [x, y] = [place % BLOCKS, Math.floor(place / BLOCKS)];
  if (turn & 4) [x, y] = [y, x];
  if (turn & 1) x = BLOCKS - 1 - x;
  if (turn & 2) y = BLOCKS - 1 - y;
  return y * BLOCKS + x;
});

/** The two blocks that each bit compares, mixed so that each band of bits sees the whole square. */
const [FIRST, SECOND] = comparisons();

function comparisons(): readonly [Uint8Array, Uint8Array] {
  const pairs: [number, number][] = [];
  for (let y = 0; y < BLOCKS; y++) {
    for (let x = 0; x + 1 < BLOCKS; x++) {
      pairs.push([y * BLOCKS + x, y * BLOCKS + x + 1]);
      pairs.push([x * BLOCKS + y, (x + 1) * BLOCKS + y]);
    }
  }
  // 23 and 60 have no common factor: every pair comes once.
  const mixed = pairs.map((_, i) => pairs[(23 * i) % PAIRS]);
  return [Uint8Array.from(mixed, ([a]) => a), Uint8Array.from(mixed, ([, b]) => b)];
}

/** The blocks that each bit of each turn compares, as they lie in the picture: shape [8, 60]. */
const [FIRST_TURNED, SECOND_TURNED] = [FIRST, SECOND].map((blocks) =>
  Uint8Array.from(
    { length: 8 * PAIRS },
    (_, at) => TURNED[Math.floor(at / PAIRS) * BLOCKS * BLOCKS + blocks[at % PAIRS]],
  ),
);

/** Slopes nearer to each other than these shares are a tie. */
const [NEAR_DIAGONAL, NEAR_STRAIGHT] = [0.8, 0.2] as const;
/** Grey levels from one side to the other, below which there is no slope at all. */
const MIN_SLOPE = 0.15;

/** Makes the hashes of one picture after the other, in memory of its own. */
export class WindowHasher {
  /** Sums over the rectangle from the top left corner, shape [33, 33]. */
  readonly #sums = new Float64Array((PRINT_SIDE + 1) ** 2);
  readonly #rows = new Float64Array((BLOCKS + 1) * (PRINT_SIDE + 1));
  readonly #corners = new Float64Array((BLOCKS + 1) ** 2);
  readonly #blocks = new Float64Array(BLOCKS * BLOCKS);
  readonly #hash: WindowHash = { window: 0, turn: 0, low: 0, high: 0 };

  /**
   * Calls `onHash` for each window of a print, or for the whole picture alone, as many times as it has hashes; the object
   * is used again.
   */
  each(print: Uint8Array, which: 'whole' | 'all', onHash: (hash: Readonly<WindowHash>) => void): void {
    if (print.length !== PRINT_BYTES) throw new RangeError(`a print of ${print.length} bytes, expected ${PRINT_BYTES}`);
    this.#sum(print);
    const count = which === 'whole' ? 1 : WINDOWS.length;
    let rowsOf: Window | undefined;
    for (let w = 0; w < count; w++) {
      const window = WINDOWS[w];
      if (rowsOf?.top !== window.top || rowsOf.bottom !== window.bottom) this.#sumRows(window);
      rowsOf = window;
      this.#sumBlocks(window);
      this.#hash.window = w;
      this.#hashTurns(onHash);
    }
  }

  /** The blocks of the hash that was given last, as it turned them: means of luminance, shape [6, 6]. */
  turnedBlocks(into: Float32Array, start = 0): void {
    const turned = this.#hash.turn * BLOCKS * BLOCKS;
    for (let i = 0; i < BLOCKS * BLOCKS; i++) into[start + i] = this.#blocks[TURNED[turned + i]];
  }

  #sum(print: Uint8Array): void {
    const width = PRINT_SIDE + 1;
    for (let y = 0; y < PRINT_SIDE; y++) {
      let row = 0;
      for (let x = 0; x < PRINT_SIDE; x++) {
        row += print[y * PRINT_SIDE + x];
        this.#sums[(y + 1) * width + x + 1] = this.#sums[y * width + x + 1] + row;
      }
    }
  }

  /** Sums above each edge of the blocks, which lies between two rows. */
  #sumRows({ top, bottom }: Window): void {
    const width = PRINT_SIDE + 1;
    for (let j = 0; j <= BLOCKS; j++) {
      const edge = (top + ((bottom - top) * j) / BLOCKS) * PRINT_SIDE;
      const at = Math.min(PRINT_SIDE - 1, Math.floor(edge));
      const share = edge - at;
      for (let x = 0; x < width; x++) {
        const above = this.#sums[at * width + x];
        this.#rows[j * width + x] = above + share * (this.#sums[(at + 1) * width + x] - above);
      }
    }
  }

  #sumBlocks({ left, right, top, bottom }: Window): void {
    const width = PRINT_SIDE + 1;
    const corners = this.#corners;
    for (let i = 0; i <= BLOCKS; i++) {
      const edge = (left + ((right - left) * i) / BLOCKS) * PRINT_SIDE;
      const at = Math.min(PRINT_SIDE - 1, Math.floor(edge));
      const share = edge - at;
      for (let j = 0; j <= BLOCKS; j++) {
        const before = this.#rows[j * width + at];
        corners[j * (BLOCKS + 1) + i] = before + share * (this.#rows[j * width + at + 1] - before);
      }
    }
    const scale = (BLOCKS * BLOCKS) / (PRINT_CELLS * (right - left) * (bottom - top));
    for (let j = 0; j < BLOCKS; j++) {
      for (let i = 0; i < BLOCKS; i++) {
        const at = j * (BLOCKS + 1) + i;
        const sum = corners[at + BLOCKS + 2] - corners[at + BLOCKS + 1] - corners[at + 1] + corners[at];
        this.#blocks[j * BLOCKS + i] = sum * scale;
      }
    }
  }

  /** The turn that lays the picture by its slopes, and those on the other side of a tie. */
  #hashTurns(onHash: (hash: Readonly<WindowHash>) => void): void {
    const blocks = this.#blocks;
    let [slopeX, slopeY] = [0, 0];
    for (let j = 0; j < BLOCKS; j++) {
      for (let i = 0; i < BLOCKS; i++) {
        const value = blocks[j * BLOCKS + i];
        slopeX += (i - (BLOCKS - 1) / 2) * value;
        slopeY += (j - (BLOCKS - 1) / 2) * value;
      }
    }
    const [steepX, steepY] = [Math.abs(slopeX), Math.abs(slopeY)];
    const isSwapped = steepY > steepX;
    const turn = (slopeX < 0 ? 1 : 0) | (slopeY < 0 ? 2 : 0) | (isSwapped ? 4 : 0);
    const [steep, gentle] = isSwapped ? [steepY, steepX] : [steepX, steepY];
    if (steep < MIN_SLOPE * BLOCKS * BLOCKS) {
      for (let any = 0; any < 8; any++) this.#give(any, onHash);
      return;
    }
    this.#give(turn, onHash);
    if (gentle > NEAR_DIAGONAL * steep) this.#give(turn ^ 4, onHash);
    if (gentle < NEAR_STRAIGHT * steep) this.#give(turn ^ (isSwapped ? 1 : 2), onHash);
  }

  #give(turn: Turn, onHash: (hash: Readonly<WindowHash>) => void): void {
    const blocks = this.#blocks;
    let [low, high] = [0, 0];
    for (let bit = 0, at = turn * PAIRS; bit < HALF; bit++, at++) {
      if (blocks[SECOND_TURNED[at]] > blocks[FIRST_TURNED[at]]) low |= 1 << bit;
      if (blocks[SECOND_TURNED[at + HALF]] > blocks[FIRST_TURNED[at + HALF]]) high |= 1 << bit;
    }
    this.#hash.turn = turn;
    this.#hash.low = low;
    this.#hash.high = high;
    onHash(this.#hash);
  }
}
