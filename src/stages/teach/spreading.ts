/**
 * Labels spread over the neighbour graph of all items (Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with local and
 * global consistency", NIPS 2003). Cost: the exact neighbours, and 2 · edges · classes flops a round.
 */
import { fuzzyGraph, normalisedGraph } from '../../math/graph-cluster/fuzzy-graph.ts';
import { multiply } from '../../math/graph-cluster/sparse.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { neighbourGraph } from '../../math/knn/graph.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { type Problem, putLabelsIn } from './problem.ts';

const NEIGHBOURS = 15;
/** Of what an item takes from its neighbours, and rounds enough for it to settle: 0.9 to the 50th is below 1 %. */
const SHARE = 0.9;
const ROUNDS = 50;

/** Probabilities, shape [n, classes]: F ← a · A F + (1 − a) · Y on the normalised graph, rows to sum 1. */
export async function spreadLabels(pool: InferencePool, problem: Problem, signal?: AbortSignal): Promise<Matrix> {
  const { features, classes } = problem;
  const neighbours = Math.max(1, Math.min(NEIGHBOURS, features.rows - 1));
  const found = await neighbourGraph(exactIndex(pool, features), features, neighbours, signal);
  const graph = normalisedGraph(fuzzyGraph(found));
  const given = newSharedMatrix(features.rows, classes);
  putLabelsIn(problem, given);
  let now = Float64Array.from(given.data);
  let next = new Float64Array(now.length);
  for (let round = 0; round < ROUNDS; round++) {
    multiply(graph, now, classes, next);
    for (let i = 0; i < next.length; i++) {
      next[i] = SHARE * next[i] + (1 - SHARE) * given.data[i];
    }
    [now, next] = [next, now];
  }
  const result = newSharedMatrix(features.rows, classes);
  for (let row = 0; row < features.rows; row++) {
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += now[row * classes + c];
    // Nothing reaches a part of the graph without labels: every class is as likely.
    for (let c = 0; c < classes; c++) {
      result.data[row * classes + c] = sum > 0 ? now[row * classes + c] / sum : 1 / classes;
    }
  }
  return result;
}
