/**
 * Whether two prints show the same picture, one of them perhaps a window of the other, mirrored or turned.
 *
 * A window that hashes proposed is moved until it fits best, and what it shows is compared with the other print as a whole
 * (`likeness.ts`). Memory of its own, used again from pair to pair. Cost: 20 to 50 µs a pair, less where it does not fit at all.
 */
import { PRINT_CELLS, PRINT_SIDE } from '../../core/image.ts';
import { DetailComparer } from './detail.ts';
import { correlationOf, type Likeness, likenessOf } from './likeness.ts';
import { quartersOf } from './print.ts';
import type { Turn, Window } from './windows.ts';

/** What two prints have in common at least, to be copies. `npm run bench -- copies` prints what other values find. */
export interface CopyLimits {
  readonly minCorrelation: number;
  /** Grey levels. */
  readonly maxExcess: number;
  /** See `detail.ts`, −1 to 1. */
  readonly minDetail: number;
}

export interface Agreement extends Likeness {
  readonly detail: number;
}

export const COPY_LIMITS: CopyLimits = { minCorrelation: 0.93, maxExcess: 16, minDetail: 0.83 };

/** Windows are searched for at this many cells a side, and compared at more. */
const [COARSE, FINE] = [12, 16] as const;
/**
 * Steps of the search, and the correlation below which a window is given up before each of them: what is not a copy seldom
 * gets past the second.
 */
const COARSE_STEPS = [0.85, 0.9, 0.93] as const;
const FINE_STEPS = [0, 0] as const;

export class PrintComparer {
  readonly #limits: CopyLimits;
  /** The print that a window is looked for in, laid as said. */
  readonly #searched = new Uint8Array(PRINT_CELLS);
  /** The other one. */
  readonly #whole = new Uint8Array(PRINT_CELLS);
  readonly #coarse = new Sampler(COARSE);
  readonly #fine = new Sampler(FINE);
  /** Both once more with what their slopes tell. */
  readonly #quarters = new Uint8Array(4 * PRINT_CELLS);
  readonly #searchedQuarters = new Uint8Array(4 * PRINT_CELLS);
  readonly #wholeQuarters = new Uint8Array(4 * PRINT_CELLS);
  readonly #finest = new Sampler(PRINT_SIDE, 2);
  readonly #details = new DetailComparer();

  /** @param limits of correlation and excess are those below which details are not compared */
  constructor(limits: CopyLimits = COPY_LIMITS) {
    this.#limits = limits;
  }

  /**
   * How much `b` is like what a window of `a` shows, each laid as said; undefined where it is plain that it is not. The window
   * is moved a little to where it fits best: it comes from a coarse list.
   */
  likeness(a: Uint8Array, window: Window, turnA: Turn, b: Uint8Array, turnB: Turn): Agreement | undefined {
    lay(a, PRINT_SIDE, turnA, this.#searched);
    lay(b, PRINT_SIDE, turnB, this.#whole);
    this.#coarse.compareWith(this.#searched, this.#whole);
    const near = this.#coarse.search(laidWindow(window, turnA), COARSE_STEPS);
    if (near === undefined) return undefined;
    this.#fine.compareWith(this.#searched, this.#whole);
    const better = this.#fine.search(near, FINE_STEPS);
    if (better === undefined) return undefined;
    const likeness = this.#fine.likeness(better);
    const { minCorrelation, maxExcess } = this.#limits;
    if (likeness.correlation < minCorrelation || likeness.excess > maxExcess) return undefined;
    // What tells pages apart is small, and so is what tells parts on white paper apart.
    quartersOf(a, this.#quarters);
    lay(this.#quarters, 2 * PRINT_SIDE, turnA, this.#searchedQuarters);
    quartersOf(b, this.#quarters);
    lay(this.#quarters, 2 * PRINT_SIDE, turnB, this.#wholeQuarters);
    this.#finest.compareWith(this.#searchedQuarters, this.#wholeQuarters);
    const best = this.#finest.search(better, FINE_STEPS) ?? better;
    return { ...likeness, detail: this.#finest.agreement(best, this.#details) };
  }

  /** How much two pictures agree in their details as they lie; see `detail.ts`. */
  detailAsTheyLie(a: Uint8Array, b: Uint8Array): number {
    return this.#details.agreement(
      Float64Array.from(a.subarray(0, PRINT_CELLS)),
      Float64Array.from(b.subarray(0, PRINT_CELLS)),
    );
  }
}

export function isWithin(
  { correlation, excess, detail }: Agreement,
  { minCorrelation, maxExcess, minDetail }: CopyLimits,
): boolean {
  return correlation >= minCorrelation && excess <= maxExcess && detail >= minDetail;
}

const WHOLE: Window = { left: 0, right: 1, top: 0, bottom: 1 };

/** Unknowns of a step: how far each edge moves, gain, offset. */
const UNKNOWNS = 6;
const COLUMNS = UNKNOWNS + 1;
/** Most that an edge moves in one step, in shares of the side: linear is the picture only near by. */
const MAX_MOVE = 0.05;

/** Windows of a print at `side` × `side` points between its cells, and the search for the one that is most like another print. */
class Sampler {
  readonly #side: number;
  /** Points of each side of a cell that are sampled, and cells of a side of what they are sampled from. */
  readonly #finer: number;
  readonly #from: number;
  #print: Uint8Array;
  readonly #sampled: Float64Array;
  readonly #wanted: Float64Array;
  /** For each column of points: the cell to its left, and how far it is from that cell to the next. */
  readonly #cells: Uint8Array;
  readonly #shares: Float64Array;
  /** By how much the brightness at each point grows to the right and downwards, in grey levels a cell. */
  readonly #slopesX: Float64Array;
  readonly #slopesY: Float64Array;
  /** Normal equations, shape [6, 7]: the last column is the right side. */
  readonly #equations = new Float64Array(UNKNOWNS * COLUMNS);

  /** @param finer says that prints have as many times more cells a side, and points are means of as many samples a side */
  constructor(side: number, finer = 1) {
    this.#side = side;
    this.#finer = finer;
    this.#from = finer * PRINT_SIDE;
    this.#print = new Uint8Array(this.#from ** 2);
    const points = side * side;
    this.#sampled = new Float64Array(points);
    this.#wanted = new Float64Array(points);
    this.#slopesX = new Float64Array(points);
    this.#slopesY = new Float64Array(points);
    this.#cells = new Uint8Array(finer * side);
    this.#shares = new Float64Array(finer * side);
  }

  /** Windows of `searched` are compared with all of `whole` from now on. */
  compareWith(searched: Uint8Array, whole: Uint8Array): void {
    this.#print = whole;
    this.#sample(WHOLE, this.#wanted);
    this.#print = searched;
  }

  likeness(window: Window): Likeness {
    return likenessOf(this.#sample(window, this.#sampled), this.#wanted, this.#side);
  }

  agreement(window: Window, details: DetailComparer): number {
    return details.agreement(this.#sample(window, this.#sampled), this.#wanted);
  }

  /**
   * The window that fits best after as many steps as there are limits, each with the correlation that it needs; undefined where
   * one has less. A step is that of B. D. Lucas and T. Kanade, "An Iterative Image Registration Technique" (IJCAI 1981): least
   * squares over the edges of the window, gain and offset, with the picture taken as linear around each point.
   */
  search(start: Window, limits: readonly number[]): Window | undefined {
    let [window, best, bestCorrelation] = [start, start, Number.NEGATIVE_INFINITY];
    for (const limit of limits) {
      const correlation = correlationOf(this.#sample(window, this.#sampled), this.#wanted);
      if (correlation < limit) return undefined;
      if (correlation > bestCorrelation) [best, bestCorrelation] = [window, correlation];
      window = this.#moved(window);
    }
    return correlationOf(this.#sample(window, this.#sampled), this.#wanted) > bestCorrelation ? window : best;
  }

  /** The window after one step from where it was sampled last. */
  #moved(window: Window): Window {
    this.#setEquations();
    const solution = solved(this.#equations);
    const gain = solution?.[4] ?? 0;
    if (solution === undefined || gain < 0.1) return window;
    const move = (edge: number) => Math.max(-MAX_MOVE, Math.min(MAX_MOVE, solution[edge] / gain / this.#from));
    return {
      left: Math.max(0, window.left + move(0)),
      right: Math.min(1, window.right + move(1)),
      top: Math.max(0, window.top + move(2)),
      bottom: Math.min(1, window.bottom + move(3)),
    };
  }

  #setEquations(): void {
    const [side, equations] = [this.#side, this.#equations];
    equations.fill(0);
    const terms = new Float64Array(COLUMNS);
    terms[5] = 1;
    for (let at = 0; at < side * side; at++) {
      const [acrossX, acrossY] = [((at % side) + 0.5) / side, (Math.floor(at / side) + 0.5) / side];
      terms[0] = this.#slopesX[at] * (1 - acrossX);
      terms[1] = this.#slopesX[at] * acrossX;
      terms[2] = this.#slopesY[at] * (1 - acrossY);
      terms[3] = this.#slopesY[at] * acrossY;
      terms[4] = this.#sampled[at];
      terms[6] = this.#wanted[at];
      for (let row = 0, start = 0; row < UNKNOWNS; row++, start += COLUMNS) {
        const term = terms[row];
        for (let column = row; column < COLUMNS; column++) equations[start + column] += term * terms[column];
      }
    }
    for (let row = 1; row < UNKNOWNS; row++) {
      for (let column = 0; column < row; column++) {
        equations[row * COLUMNS + column] = equations[column * COLUMNS + row];
      }
    }
  }

  #sample({ left, right, top, bottom }: Window, into: Float64Array): Float64Array {
    const [side, from, finer, print] = [this.#side, this.#from, this.#finer, this.#print];
    const [cells, shares, slopesX, slopesY] = [this.#cells, this.#shares, this.#slopesX, this.#slopesY];
    const points = finer * side;
    for (let i = 0; i < points; i++) {
      const x = cellAt(left + ((right - left) * (i + 0.5)) / points, from);
      cells[i] = x;
      shares[i] = x - cells[i];
    }
    if (finer > 1) for (const sums of [into, slopesX, slopesY]) sums.fill(0);
    const weight = 1 / (finer * finer);
    for (let j = 0; j < points; j++) {
      const y = cellAt(top + ((bottom - top) * (j + 0.5)) / points, from);
      const row = Math.floor(y);
      const [start, share] = [row * from, y - row];
      const toRow = Math.floor(j / finer) * side;
      for (let i = 0; i < points; i++) {
        const at = start + cells[i];
        const next = at + from;
        const [slopeAbove, slopeBelow] = [print[at + 1] - print[at], print[next + 1] - print[next]];
        const above = print[at] + shares[i] * slopeAbove;
        const below = print[next] + shares[i] * slopeBelow;
        const value = above + share * (below - above);
        const slope = slopeAbove + share * (slopeBelow - slopeAbove);
        if (finer === 1) {
          const to = toRow + i;
          into[to] = value;
          slopesX[to] = slope;
          slopesY[to] = below - above;
        } else {
          const to = toRow + Math.floor(i / finer);
          into[to] += weight * value;
          slopesX[to] += weight * slope;
          slopesY[to] += weight * (below - above);
        }
      }
    }
    return into;
  }
}

/** The solution of symmetric equations of shape [6, 7] by elimination, which changes them; undefined where there is none. */
function solved(equations: Float64Array): Float64Array | undefined {
  for (let pivot = 0; pivot < UNKNOWNS; pivot++) {
    // A little on the diagonal, so that a picture with no slope in one direction moves nowhere in it.
    const diagonal = equations[pivot * COLUMNS + pivot] + 1e-3;
    if (!(diagonal > 0)) return undefined;
    for (let row = pivot + 1; row < UNKNOWNS; row++) {
      const factor = equations[row * COLUMNS + pivot] / diagonal;
      for (let column = pivot; column < COLUMNS; column++) {
        equations[row * COLUMNS + column] -= factor * equations[pivot * COLUMNS + column];
      }
    }
  }
  const solution = new Float64Array(UNKNOWNS);
  for (let row = UNKNOWNS - 1; row >= 0; row--) {
    let sum = equations[row * COLUMNS + UNKNOWNS];
    for (let column = row + 1; column < UNKNOWNS; column++) sum -= equations[row * COLUMNS + column] * solution[column];
    solution[row] = sum / (equations[row * COLUMNS + row] + 1e-3);
  }
  return solution;
}

/** Where a share of a side lies, counted from the middle of the first cell; there is always a cell after it. */
function cellAt(share: number, cells: number): number {
  return Math.min(cells - 1.001, Math.max(0, share * cells - 0.5));
}

/** The cells of a print, or their quarters, laid in one of eight ways. */
function lay(cells: Uint8Array, side: number, turn: Turn, into: Uint8Array): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = turn & 4 ? [y, x] : [x, y];
      const column = turn & 1 ? side - 1 - u : u;
      into[y * side + x] = cells[(turn & 2 ? side - 1 - v : v) * side + column];
    }
  }
}

/** Where a window is once its print is laid so. */
function laidWindow({ left, right, top, bottom }: Window, turn: Turn): Window {
  const [x0, x1] = turn & 1 ? [1 - right, 1 - left] : [left, right];
  const [y0, y1] = turn & 2 ? [1 - bottom, 1 - top] : [top, bottom];
  return turn & 4 ? { left: y0, right: y1, top: x0, bottom: x1 } : { left: x0, right: x1, top: y0, bottom: y1 };
}

/** Whether a print has anything in it that could be found again. */
export function hasStructure(print: Uint8Array): boolean {
  let [sum, squares] = [0, 0];
  for (let cell = 0; cell < PRINT_CELLS; cell++) {
    sum += print[cell];
    squares += print[cell] * print[cell];
  }
  return squares / PRINT_CELLS - (sum / PRINT_CELLS) ** 2 >= MIN_VARIANCE;
}

/** Grey levels squared: blank walls and skies with less are all alike. */
const MIN_VARIANCE = 9;
