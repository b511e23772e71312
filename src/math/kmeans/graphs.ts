/** The ONNX graphs of k-means. All sizes are open, so one session a graph serves every matrix and every k. */

import { Graph } from '../../onnx/ops.ts';
import type { Value } from '../../onnx/value.ts';

/** A score nothing reaches: padding centres, and a point's own centre where the others are wanted. */
export const NEVER = 1e30;

export type Rows = 'block' | 'gathered';

/**
 * The nearest centre of each row, and the least score of each group of centres without that one.
 *
 * In: `x` [rows, d] (the block itself) or [all, d] with `indices` [rows] int32; `centres` [groups · g, d];
 * `bias` [groups · g]. The score of a centre is bias − 2 x·centre: the squared distance but for a term of x alone.
 * Out: `label` [rows] int32, `best` [rows], `others` [rows, groups].
 */
export function assignGraph(rows: Rows, groups: number): Uint8Array {
  const g = new Graph('kmeans-assign');
  const { score } = scores(g, rows);
  const label = g.argMin(score, 1, true);
  g.output(g.reshape(g.cast(label, 'int32'), [-1]), 'label');
  g.output(g.reduceMin(score, [1], { keepDims: false }), 'best');
  const never = g.expand(g.scalar(NEVER), g.shape(label));
  const others = g.op('ScatterElements', [score, label, never], { axis: 1 });
  g.output(g.reduceMin(g.reshape(others, [0, groups, -1]), [2], { keepDims: false }), 'others');
  return g.toModel();
}

/** As {@link assignGraph}, without `others`. */
export function nearestGraph(): Uint8Array {
  const g = new Graph('kmeans-nearest');
  const { score } = scores(g, 'block');
  g.output(g.cast(g.argMin(score, 1), 'int32'), 'label');
  g.output(g.reduceMin(score, [1], { keepDims: false }), 'best');
  return g.toModel();
}

function scores(g: Graph, rows: Rows) {
  const x = rowsInput(g, rows);
  const centres = g.input('centres', 'float32', ['k', 'd']);
  const bias = g.input('bias', 'float32', ['k']);
  return { x, score: g.gemm(x, centres, bias, { transB: 1, alpha: { float: -2 } }) };
}

function rowsInput(g: Graph, rows: Rows): Value {
  if (rows === 'block') return g.input('x', 'float32', ['rows', 'd']);
  return g.gather(g.input('x', 'float32', ['all', 'd']), g.input('indices', 'int32', ['rows']));
}

/** Squared distance of each row of `x` [rows, d] to its own centre: `centres` [k, d], `labels` [rows] → [rows]. */
export function ownDistanceGraph(): Uint8Array {
  const g = new Graph('kmeans-own-distance');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const own = g.gather(g.input('centres', 'float32', ['k', 'd']), g.input('labels', 'int32', ['rows']));
  g.output(g.reduceSumSquare(g.sub(x, own), [1], { keepDims: false }), 'distance');
  return g.toModel();
}

/**
 * What the squared distances to the nearest seed become with each of the candidates.
 *
 * In: `x` [rows, d], `norms` [rows] (squared), `candidates` [trials, d], `bias` [trials] (their squared norms),
 * `closest` [rows]. Out: `distances` [trials, rows].
 */
export function seedGraph(): Uint8Array {
  const g = new Graph('kmeans-seed');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const norms = g.input('norms', 'float32', ['rows']);
  const candidates = g.input('candidates', 'float32', ['trials', 'd']);
  const bias = g.input('bias', 'float32', ['trials', 1]);
  const closest = g.input('closest', 'float32', ['rows']);
  const products = g.gemm(candidates, x, bias, { transB: 1, alpha: { float: -2 } });
  g.output(g.min(g.clip(g.add(products, norms), 0, undefined), closest), 'distances');
  return g.toModel();
}
