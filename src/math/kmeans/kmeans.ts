/**
 * k-means: seeding, restarts and Lloyd's algorithm, on the inference threads.
 *
 * The same points, options and seed give the same result, whatever the number of threads: blocks of rows have a fixed
 * size, a thread computes alone, and sums are taken in order of the rows.
 */
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { gatherRows, type Matrix, normalisedRows, shareMatrix } from '../matrix.ts';
import { type LloydResult, lloyd } from './lloyd.ts';
import { seedIndices } from './seeding.ts';

export interface KMeansOptions {
  /** Clusters: 1 up to the number of points. */
  readonly k: number;
  /** Default 0. */
  readonly seed?: number;
  /** Runs from different seeds, of which the one with the least inertia is kept (default 1); the time grows with it. */
  readonly restarts?: number;
  /** The number of the first of them (default 0), so that others can be made elsewhere. */
  readonly firstRun?: number;
  /** Default 300. */
  readonly maxIterations?: number;
  /**
   * Stops when the squared moves of all centres sum to at most this part of the columns' mean variance (default 1e-4, as
   * in scikit-learn); 0 goes on until no label changes.
   */
  readonly tolerance?: number;
  /** Clusters directions: points and centres are scaled to length 1 (default false). */
  readonly spherical?: boolean;
  /** Starting centres, [k, columns], instead of seeding; then one run is made. */
  readonly start?: Matrix;
  /** Points that seeding looks at, drawn at random (default the larger of 8,192 and 10 k); more reads more. */
  readonly seedingSample?: number;
  readonly signal?: AbortSignal;
}

export type KMeansResult = LloydResult;

export async function kmeans(pool: InferencePool, points: Matrix, options: KMeansOptions): Promise<KMeansResult> {
  const { k, seed = 0, maxIterations = 300, tolerance = 1e-4, spherical = false, start, signal } = options;
  checkK(k, points.rows);
  if (start && (start.rows !== k || start.columns !== points.columns)) {
    throw new LabelsmithError(
      'USAGE',
      `starting centres are ${start.rows} × ${start.columns}, expected ${k} × ${points.columns}`,
    );
  }
  const shared = spherical ? normalisedRows(points) : shareMatrix(points);
  const settings = { maxIterations, tolerance, spherical, signal };
  if (start) return lloyd(pool, shared, spherical ? normalisedRows(start) : shareMatrix(start), settings);
  let best: LloydResult | undefined;
  const { firstRun = 0, restarts = 1 } = options;
  for (let run = firstRun; run < firstRun + restarts; run++) {
    const centres = await seedCentres(pool, shared, k, { seed, run, sample: options.seedingSample });
    best = betterOf(best, await lloyd(pool, shared, centres, settings));
  }
  if (best) return best;
  throw new LabelsmithError('USAGE', `restarts must be at least 1, not ${options.restarts}`);
}

/** The run that is kept: that of least inertia, of equal ones the first. */
export function betterOf<Run extends Pick<KMeansResult, 'inertia'>>(best: Run | undefined, next: Run): Run {
  return best === undefined || next.inertia < best.inertia ? next : best;
}

export interface SeedCentresOptions {
  readonly seed: number;
  /** Which restart it is: each has its own draws. */
  readonly run?: number;
  readonly sample?: number;
}

/** k-means++ centres, drawn from a sample of the points. @param points in shared memory. */
export async function seedCentres(
  pool: InferencePool,
  points: Matrix,
  k: number,
  { seed, run = 0, sample = Math.max(8192, 10 * k) }: SeedCentresOptions,
): Promise<Matrix> {
  checkK(k, Math.min(points.rows, sample));
  const random = seededRandom(seed, `kmeans:${run}`);
  const seeded = points.rows <= sample ? points : gatherRows(points, sampleIndices(points.rows, sample, random));
  return gatherRows(seeded, await seedIndices(pool, seeded, k, random));
}

function checkK(k: number, points: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= points) return;
  throw new LabelsmithError('USAGE', `k must be a whole number from 1 to the number of points, ${points}, not ${k}`);
}
