/**
 * How well the items of a neighbour graph are connected with a few marked ones: the chance that a walk meets one of them.
 *
 * The walk goes from an item to a neighbour in proportion to the edge's weight, and ends with chance 1 − `survival` at each
 * step. At a marked item the chance is 1, elsewhere it is `survival` times the mean of the neighbours': the harmonic
 * function of X. Zhu, Z. Ghahramani and J. Lafferty (Semi-supervised learning using Gaussian fields and harmonic functions,
 * ICML 2003) on a graph in which every walk dies in the end. An item of a part of the graph without marked ones is far from
 * all of them however alike its vector is.
 */
import { multiply, type SparseMatrix } from './sparse.ts';

/** Chance that the walk goes on at each step. */
export const SURVIVAL = 0.9;
/** 0.9 to the 60th is .002. */
const STEPS = 60;

/**
 * Several sets of marked items at once. Cost 2 · edges · sets · 60 flops; holds three blocks of size · sets numbers.
 *
 * @param graph symmetric weights, no diagonal
 * @returns shape [size, sets], row after row: chances in [0, 1]; 0 where no path leads to a marked item
 */
export function reachOf(graph: SparseMatrix, sets: readonly ArrayLike<number>[]): Float64Array {
  const { size } = graph;
  const width = sets.length;
  const walk = walkOf(graph);
  const mark = (chances: Float64Array) => {
    for (const [set, marked] of sets.entries()) {
      for (let i = 0; i < marked.length; i++) chances[marked[i] * width + set] = 1;
    }
  };
  let now = new Float64Array(size * width);
  let next = new Float64Array(size * width);
  mark(now);
  for (let step = 0; step < STEPS; step++) {
    multiply(walk, now, width, next);
    mark(next);
    [now, next] = [next, now];
  }
  return now;
}

/** The chances of one step, rows summing to {@link SURVIVAL}; rows of no edge stay empty. */
function walkOf({ size, starts, columns, values }: SparseMatrix): SparseMatrix {
  const scaled = new Float64Array(values.length);
  for (let row = 0; row < size; row++) {
    let degree = 0;
    for (let e = starts[row]; e < starts[row + 1]; e++) degree += values[e];
    for (let e = starts[row]; e < starts[row + 1]; e++) scaled[e] = (SURVIVAL * values[e]) / degree;
  }
  return { size, starts, columns, values: scaled };
}
