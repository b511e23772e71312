/**
 * Mini-batch k-means for points that do not fit in memory (Sculley, "Web-scale k-means clustering", WWW 2010): every
 * centre is the mean of all points it was given so far, and the points of a batch move it by their share.
 *
 * Holds one batch and the centres. Cost 2·n·k·d flops a pass; the result depends on the order of the points.
 */
import { LabelsmithError } from '../../errors.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { type Matrix, newSharedMatrix, normalisedRows, shareMatrix, sumsByPart } from '../matrix.ts';
import { nearestCentres, ownDistances } from './blocks.ts';

export interface MiniBatchOptions {
  /** Starting centres, [k, columns]: `seedCentres` on a sample of the points. */
  readonly start: Matrix;
  /** Passes over the points (default 3). From the second on, a centre's history weighs as much as one pass. */
  readonly passes?: number;
  /** As in `kmeans` (default false). */
  readonly spherical?: boolean;
  readonly signal?: AbortSignal;
}

export interface MiniBatchResult {
  readonly centres: Matrix;
  /** Points each centre got in the last pass, [k]. */
  readonly counts: Int32Array;
  /** Sum over the last pass of the squared distances, each to the centres as they were when its batch came. */
  readonly inertia: number;
}

/** @param batches starts a pass over the same points in the same order; a batch has at least one row. */
export async function miniBatchKMeans(
  pool: InferencePool,
  batches: () => AsyncIterable<Matrix> | Iterable<Matrix>,
  options: MiniBatchOptions,
): Promise<MiniBatchResult> {
  const { start, passes = 3, spherical = false, signal } = options;
  const { rows: k, columns } = start;
  if (passes < 1) throw new LabelsmithError('USAGE', `passes must be at least 1, not ${passes}`);
  const exact = Float64Array.from(start.data);
  let centres = shareMatrix(spherical ? normalisedRows(start) : start);
  const history = new Float64Array(k);
  let counts = new Int32Array(k);
  let inertia = 0;
  for (let pass = 0; pass < passes; pass++) {
    for (let c = 0; c < k; c++) history[c] = counts[c];
    counts = new Int32Array(k);
    inertia = 0;
    const far: FarPoint[] = [];
    for await (const given of batches()) {
      signal?.throwIfAborted();
      if (given.columns !== columns) {
        throw new LabelsmithError('USAGE', `a batch has ${given.columns} columns, expected ${columns}`);
      }
      const batch = spherical ? normalisedRows(given) : shareMatrix(given);
      const labels = await nearestCentres(pool, batch, centres);
      const distances = await ownDistances(pool, batch, centres, labels);
      for (const distance of distances) inertia += distance;
      keepFarthest(far, batch, distances, k);
      take(exact, history, counts, batch, labels);
      centres = rounded(exact, k, columns, spherical);
    }
    if (pass < passes - 1) refill(exact, counts, far, columns);
    centres = rounded(exact, k, columns, spherical);
  }
  return { centres, counts, inertia };
}

/** Moves the centres by a batch: centre += (sum of its points − m · centre) / (points so far, these m among them). */
function take(
  centres: Float64Array,
  history: Float64Array,
  counts: Int32Array,
  batch: Matrix,
  labels: Int32Array,
): void {
  const { rows, columns } = batch;
  const k = counts.length;
  const sums = sumsByPart(batch, labels, k);
  const got = new Int32Array(k);
  for (let i = 0; i < rows; i++) got[labels[i]] = got[labels[i]] + 1;
  for (let c = 0; c < k; c++) {
    const m = got[c];
    if (m === 0) continue;
    counts[c] = counts[c] + m;
    const total = history[c] + counts[c];
    for (let at = c * columns, end = at + columns; at < end; at++) {
      centres[at] = centres[at] + (sums[at] - m * centres[at]) / total;
    }
  }
}

interface FarPoint {
  readonly distance: number;
  readonly vector: Float32Array;
}

/** Keeps the `most` points farthest from their centres, farthest first; of each batch at most a few. */
function keepFarthest(far: FarPoint[], { data, columns }: Matrix, distances: Float32Array, most: number): void {
  for (let taken = 0; taken < FAR_PER_BATCH; taken++) {
    let best = -1;
    for (let i = 0; i < distances.length; i++) {
      if (best < 0 || distances[i] > distances[best]) best = i;
    }
    const distance = distances[best];
    if (!(distance > 0)) return;
    distances[best] = 0;
    far.push({ distance, vector: data.slice(best * columns, (best + 1) * columns) });
  }
  far.sort((a, b) => b.distance - a.distance);
  far.length = Math.min(far.length, most);
}

/** Empty clusters are rare: enough for one in every batch to come from different places. */
const FAR_PER_BATCH = 4;

/** Centres that got no point in a pass go where points are worst served. */
function refill(centres: Float64Array, counts: Int32Array, far: readonly FarPoint[], columns: number): void {
  let next = 0;
  for (let c = 0; c < counts.length; c++) {
    const point = counts[c] === 0 ? far[next] : undefined;
    if (!point) continue;
    centres.set(point.vector, c * columns);
    next++;
  }
}

function rounded(exact: Float64Array, rows: number, columns: number, spherical: boolean): Matrix {
  const centres = newSharedMatrix(rows, columns);
  centres.data.set(exact);
  return spherical ? normalisedRows(centres) : centres;
}
