/** Runs the graphs of k-means over a matrix, a block of rows at a time. */

import type { InferencePool, PoolModel } from '../../onnx/pool.ts';
import { float32, float32Data, int32, int32Data, type Tensor } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { type Matrix, matrixTensor, rowsOf, sharedFloats } from '../matrix.ts';
import { assignGraph, NEVER, nearestGraph, ownDistanceGraph } from './graphs.ts';

/** Scores a thread holds at once: 16 MB. */
const SCORES = 1 << 22;

/** Rows a block; a fixed rule, so that results never depend on the threads. */
export function blockRows(k: number): number {
  return Math.max(256, Math.min(4096, Math.floor(SCORES / k)));
}

/** The squared distance of every point to the centre of its label (summed in single precision), shape [rows]. */
export async function ownDistances(
  pool: InferencePool,
  points: Matrix,
  centres: Matrix,
  labels: Int32Array,
): Promise<Float32Array> {
  const model = await pool.load(ownDistanceGraph(), { key: 'kmeans-own-distance' });
  const distances = new Float32Array(points.rows);
  const table = matrixTensor(centres);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: blockRows(points.columns) },
    (start, end) => ({
      x: matrixTensor(rowsOf(points, start, end)),
      centres: table,
      labels: int32(labels.subarray(start, end)),
    }),
    (result, start) => distances.set(float32Data(result.distance, 'distance'), start),
  );
  return distances;
}

/** Centres as the assignment graphs take them: moved by −origin, which keeps the rounding of scores small. */
export interface ScoringCentres {
  readonly centres: Tensor;
  readonly bias: Tensor;
  /** The greatest length of a moved centre, and the greatest absolute bias: what rounding errors scale with. */
  readonly maxNorm: number;
  readonly maxBias: number;
}

/**
 * ‖x − c‖² = ‖x − o‖² − 2 x·(c − o) + ‖c − o‖² + 2 o·(c − o), so the score of a centre is the last three terms.
 * Padding rows, up to `padded`, have a score that never wins.
 */
export function scoringCentres({ data, rows, columns }: Matrix, origin: Float64Array, padded = rows): ScoringCentres {
  const moved = sharedFloats(padded * columns);
  const bias = new Float32Array(padded).fill(NEVER);
  let maxSquare = 0;
  let maxBias = 0;
  for (let r = 0; r < rows; r++) {
    let square = 0;
    let dot = 0;
    for (let j = 0; j < columns; j++) {
      const at = r * columns + j;
      moved[at] = data[at] - origin[j];
      const value = moved[at];
      square += value * value;
      dot += origin[j] * value;
    }
    bias[r] = square + 2 * dot;
    maxSquare = Math.max(maxSquare, square);
    maxBias = Math.max(maxBias, Math.abs(square) + 2 * Math.abs(dot));
  }
  return {
    centres: float32(moved, [padded, columns]),
    bias: float32(bias),
    maxNorm: Math.sqrt(maxSquare),
    maxBias,
  };
}

export function loadAssign(pool: InferencePool, rows: 'block' | 'gathered', groups: number): Promise<PoolModel> {
  return pool.load(assignGraph(rows, groups), { key: `kmeans-assign:${rows}:${groups}` });
}

/** The nearest centre of every point, shape [rows]; on a tie the first. */
export async function nearestCentres(pool: InferencePool, points: Matrix, centres: Matrix): Promise<Int32Array> {
  const model = await pool.load(nearestGraph(), { key: 'kmeans-nearest' });
  const origin = new Float64Array(centres.columns);
  for (let i = 0; i < centres.data.length; i++) {
    origin[i % centres.columns] = origin[i % centres.columns] + centres.data[i] / centres.rows;
  }
  const scoring = scoringCentres(centres, origin);
  const labels = new Int32Array(points.rows);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: blockRows(centres.rows) },
    (start, end) => ({
      x: matrixTensor(rowsOf(points, start, end)),
      centres: scoring.centres,
      bias: scoring.bias,
    }),
    (result, start) => labels.set(int32Data(result.label, 'label'), start),
  );
  return labels;
}
