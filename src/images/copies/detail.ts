/**
 * Whether two prints that lie over each other agree in every part of the picture.
 *
 * Two pages of one layout, two coins or two sheets of steel are alike as a whole, and differ where it matters: in the words, the
 * year, the scratch. What is left of a cell without its surroundings is compared block by block, and what counts is a block that
 * agrees least. A copy that was compressed, scaled or shifted a little differs by noise, everywhere and by few levels; so each
 * cell has some noise in common, which makes a block where neither picture has anything agree. Cost: about 30 µs.
 */
import { PRINT_CELLS, PRINT_SIDE } from '../../core/image.ts';
import { matchedTo } from './likeness.ts';

/** Cells around each one, to each side, that its own value is compared with. */
const REACH = 2;
/** A block has 4 × 4 cells, and the next one begins after half of them: four quarters of 2 × 2. */
const QUARTER = 2;
const QUARTERS_A_SIDE = PRINT_SIDE / QUARTER;
/** Blocks that may agree less than the figure says, of 225: a fleck of dust, a corner that a shift moved out of the picture. */
const SPARED_BLOCKS = 4;
/** Grey levels squared by which a cell differs for no reason. */
const NOISE = 16;

/** Compares pairs, in memory of its own. */
export class DetailComparer {
  readonly #rows = new Float64Array(PRINT_CELLS);
  readonly #a = new Float64Array(PRINT_CELLS);
  readonly #b = new Float64Array(PRINT_CELLS);
  /** Sums of a quarter: squares of the one, of the other, and products; shape [16, 16, 3]. */
  readonly #sums = new Float64Array(3 * QUARTERS_A_SIDE ** 2);
  /** Those that agree least, the least first. */
  readonly #least = new Float64Array(SPARED_BLOCKS + 1);

  /**
   * The least correlation of details in a block, but for the few blocks that are spared, −1 to 1.
   *
   * @param a and b shape [32, 32], grey levels; `a` is brought to the tones of `b`
   */
  agreement(a: Float64Array, b: Float64Array): number {
    this.#setDetail(matchedTo(a, b).matched, this.#a);
    this.#setDetail(b, this.#b);
    this.#sumQuarters();
    const [sums, least] = [this.#sums, this.#least.fill(1)];
    const [right, down] = [3, 3 * QUARTERS_A_SIDE];
    const noise = NOISE * (2 * QUARTER) ** 2;
    for (let row = 0; row + 1 < QUARTERS_A_SIDE; row++) {
      for (let column = 0; column + 1 < QUARTERS_A_SIDE; column++) {
        const at = row * down + column * right;
        const sum = (which: number) =>
          noise +
          sums[at + which] +
          sums[at + right + which] +
          sums[at + down + which] +
          sums[at + down + right + which];
        const agreement = sum(2) / Math.sqrt(sum(0) * sum(1));
        let place = SPARED_BLOCKS;
        if (agreement >= least[place]) continue;
        for (; place > 0 && least[place - 1] > agreement; place--) least[place] = least[place - 1];
        least[place] = agreement;
      }
    }
    return least[SPARED_BLOCKS];
  }

  #sumQuarters(): void {
    const [a, b, sums] = [this.#a, this.#b, this.#sums.fill(0)];
    for (let cell = 0; cell < PRINT_CELLS; cell++) {
      const row = Math.floor(cell / (QUARTER * PRINT_SIDE));
      const at = 3 * (row * QUARTERS_A_SIDE + Math.floor((cell % PRINT_SIDE) / QUARTER));
      const [x, y] = [a[cell], b[cell]];
      sums[at] += x * x;
      sums[at + 1] += y * y;
      sums[at + 2] += x * y;
    }
  }

  /** Each cell less the mean of those around it, itself included, as many as there are; by sums along rows and then columns. */
  #setDetail(cells: Float64Array, into: Float64Array): void {
    const rows = this.#rows;
    for (let y = 0, start = 0; y < PRINT_SIDE; y++, start += PRINT_SIDE) {
      for (let x = 0; x < PRINT_SIDE; x++) {
        const [from, to] = [Math.max(0, x - REACH), Math.min(PRINT_SIDE - 1, x + REACH)];
        let sum = 0;
        for (let near = from; near <= to; near++) sum += cells[start + near];
        rows[start + x] = sum / (to - from + 1);
      }
    }
    for (let y = 0; y < PRINT_SIDE; y++) {
      const [from, to] = [Math.max(0, y - REACH), Math.min(PRINT_SIDE - 1, y + REACH)];
      for (let x = 0; x < PRINT_SIDE; x++) {
        let sum = 0;
        for (let near = from; near <= to; near++) sum += rows[near * PRINT_SIDE + x];
        into[y * PRINT_SIDE + x] = cells[y * PRINT_SIDE + x] - sum / (to - from + 1);
      }
    }
  }
}
