/**
 * Lloyd's algorithm with exact pruning.
 *
 * A point is compared with the centres only while bounds cannot rule out that another centre has come nearer (Hamerly,
 * "Making k-means even faster", SDM 2010; one lower bound a group of centres: Ding et al., "Yinyang k-means", ICML 2015).
 * What is left is one matrix product a block of rows. A full pass costs 2·n·k·d flops; over a run a third to a half of
 * that is done. Bounds carry the worst case of single-precision rounding, so that the result is Lloyd's own.
 *
 * Beside the points it holds 4·(groups + 5) bytes a point. Centres are sums in double precision, kept by difference:
 * only points that change their cluster are added up again.
 */

import type { InferencePool } from '../../onnx/pool.ts';
import type { Tensors } from '../../onnx/session.ts';
import { float32Data, int32, int32Data } from '../../onnx/tensor.ts';
import { columnMeans, overBlocks } from '../blocks.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf } from '../matrix.ts';
import { blockRows, loadAssign, ownDistances, scoringCentres } from './blocks.ts';

export interface LloydOptions {
  readonly maxIterations: number;
  /** Stops when the squared moves of all centres sum to at most tolerance · (mean variance of the columns). */
  readonly tolerance: number;
  /** Centres are scaled to length 1 after every step; points must have length 1. */
  readonly spherical: boolean;
  /** Stop between two iterations. */
  readonly signal?: AbortSignal;
}

export interface LloydResult {
  /** [k, d] */
  readonly centres: Matrix;
  /** [n] */
  readonly labels: Int32Array;
  /** Squared distance of every point to its centre, [n]. */
  readonly distances: Float32Array;
  /** Their sum. */
  readonly inertia: number;
  readonly iterations: number;
  /** Why it ended: no label changed, the centres (nearly) stood still, or `maxIterations`. */
  readonly stopped: 'labels' | 'tolerance' | 'limit';
  /** Comparisons made over those that Lloyd without pruning makes. */
  readonly work: number;
}

/** Half a unit in the last place of single precision, relative. */
const ROUNDING = 2 ** -24;

/** More groups prune more and cost memory and time to check; a tenth of k is what Yinyang k-means found best. */
function groupsFor(k: number): number {
  return Math.max(1, Math.min(16, Math.round(k / 10)));
}

/** @param points in shared memory. @param start [k, d], k ≤ the number of points. */
export async function lloyd(
  pool: InferencePool,
  points: Matrix,
  start: Matrix,
  options: LloydOptions,
): Promise<LloydResult> {
  const state = await LloydState.create(pool, points, start, options.spherical);
  const limit = options.tolerance * state.meanVariance;
  let iterations = 0;
  let stopped: LloydResult['stopped'] = 'limit';
  while (iterations < options.maxIterations) {
    options.signal?.throwIfAborted();
    const changed = await state.assign();
    const { shift, filled } = await state.moveCentres();
    iterations++;
    if (changed === 0 && filled === 0) stopped = 'labels';
    else if (shift <= limit) stopped = 'tolerance';
    if (stopped !== 'limit') break;
  }
  if (stopped !== 'labels') await state.assign(); // labels are those of the centres that are handed back
  const distances = await ownDistances(pool, points, state.centres, state.labels);
  let inertia = 0;
  for (let i = 0; i < distances.length; i++) inertia += distances[i];
  return {
    centres: state.centres,
    labels: state.labels,
    distances,
    inertia,
    iterations,
    stopped,
    work: state.compared / (points.rows * state.passes),
  };
}

class LloydState {
  centres: Matrix;
  readonly labels: Int32Array;
  /** Mean of the variances of the columns (population). */
  readonly meanVariance: number;
  /** Rows compared with the centres, and passes over the points. */
  compared = 0;
  passes = 0;
  readonly #pool: InferencePool;
  readonly #points: Matrix;
  readonly #spherical: boolean;
  readonly #origin: Float64Array;
  readonly #originNorm: number;
  /** Squared distance to the origin, [n]. */
  readonly #norms: Float32Array;
  readonly #groups: number;
  readonly #groupSize: number;
  /**
   * Bounds of distances (not squared) as of when they were taken: upper [n] less its centre's drift so far, lower
   * [n, groups] plus its group's drift so far. Drifts only grow, so a bound now is one addition away.
   */
  readonly #upper: Float64Array;
  readonly #lower: Float32Array;
  readonly #centreDrift: Float64Array;
  readonly #groupDrift: Float64Array;
  readonly #sums: Float64Array;
  readonly #counts: Int32Array;
  readonly #active: Int32Array;

  private constructor(
    pool: InferencePool,
    points: Matrix,
    start: Matrix,
    spherical: boolean,
    origin: Float64Array,
    norms: Float32Array,
  ) {
    const { rows: n, columns: d } = points;
    const k = start.rows;
    this.#pool = pool;
    this.#points = points;
    this.#spherical = spherical;
    this.#origin = origin;
    this.#originNorm = Math.sqrt(origin.reduce((sum, value) => sum + value * value, 0));
    this.#norms = norms;
    this.#groupSize = Math.ceil(k / groupsFor(k));
    this.#groups = Math.ceil(k / this.#groupSize);
    this.centres = start;
    this.labels = new Int32Array(n).fill(-1);
    this.#upper = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
    this.#lower = new Float32Array(n * this.#groups);
    this.#centreDrift = new Float64Array(k);
    this.#groupDrift = new Float64Array(this.#groups);
    this.#sums = new Float64Array(k * d);
    this.#counts = new Int32Array(k);
    this.#active = new Int32Array(n);
    let total = 0;
    for (const norm of norms) total += norm;
    this.meanVariance = total / (n * d);
  }

  static async create(pool: InferencePool, points: Matrix, start: Matrix, spherical: boolean): Promise<LloydState> {
    const origin = await columnMeans(pool, points);
    const mean = { data: Float32Array.from(origin), rows: 1, columns: points.columns };
    const norms = await ownDistances(pool, points, mean, new Int32Array(points.rows));
    return new LloydState(pool, points, start, spherical, Float64Array.from(mean.data), norms);
  }

  /** Gives every point its nearest centre; returns how many changed. */
  async assign(): Promise<number> {
    const { rows: n } = this.#points;
    const active = this.#findActive();
    this.passes++;
    this.compared += active;
    if (active === 0) return 0;
    const k = this.centres.rows;
    const whole = active === n;
    const model = await loadAssign(this.#pool, whole ? 'block' : 'gathered', this.#groups);
    const scoring = scoringCentres(this.centres, this.#origin, this.#groups * this.#groupSize);
    const { centres, bias } = scoring;
    const all = matrixTensor(this.#points);
    let changed = 0;
    await overBlocks(
      this.#pool,
      model,
      { rows: active, step: blockRows(k) },
      (start, end): Tensors => {
        if (whole) return { x: matrixTensor(rowsOf(this.#points, start, end)), centres, bias };
        return { x: all, indices: int32(this.#active.subarray(start, end)), centres, bias };
      },
      (result, start, end) => {
        const labels = int32Data(result.label, 'label');
        const best = float32Data(result.best, 'best');
        const others = float32Data(result.others, 'others');
        for (let i = start; i < end; i++) {
          const point = this.#active[i];
          const label = labels[i - start];
          this.#setBounds(point, label, best[i - start], others, (i - start) * this.#groups, scoring);
          if (label !== this.labels[point]) {
            this.#move(point, label);
            changed++;
          }
        }
      },
    );
    return changed;
  }

  /** Fills `#active` with the points whose bounds leave open which centre is nearest. */
  #findActive(): number {
    const groups = this.#groups;
    const [upper, lower, labels, active] = [this.#upper, this.#lower, this.labels, this.#active];
    const [centreDrift, groupDrift] = [this.#centreDrift, this.#groupDrift];
    let count = 0;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      const most = label < 0 ? Number.POSITIVE_INFINITY : upper[i] + centreDrift[label];
      for (let g = 0, at = i * groups; g < groups; g++, at++) {
        if (lower[at] - groupDrift[g] > most) continue;
        active[count++] = i;
        break;
      }
    }
    return count;
  }

  #setBounds(
    point: number,
    label: number,
    best: number,
    others: Float32Array,
    at: number,
    { maxNorm, maxBias }: { maxNorm: number; maxBias: number },
  ): void {
    const { columns } = this.#points;
    const norm = this.#norms[point];
    const length = Math.sqrt(norm) + this.#originNorm;
    // |computed x·c − x·c| ≤ d·u·‖x‖·‖c‖ whatever the order of the sum (Higham, Accuracy and Stability, 3.5).
    const error = ROUNDING * (2 * columns * length * maxNorm + (columns + 4) * norm + 4 * maxBias);
    this.#upper[point] = Math.sqrt(Math.max(0, best + norm + error)) - this.#centreDrift[label];
    for (let g = 0; g < this.#groups; g++) {
      const bound = Math.sqrt(Math.max(0, others[at + g] + norm - error)) + this.#groupDrift[g];
      this.#lower[point * this.#groups + g] = bound * (1 - 2 * ROUNDING);
    }
  }

  #move(point: number, label: number): void {
    const { data, columns } = this.#points;
    const sums = this.#sums;
    const from = this.labels[point];
    const x = point * columns;
    const to = label * columns;
    if (from < 0) {
      for (let j = 0; j < columns; j++) sums[to + j] = sums[to + j] + data[x + j];
    } else {
      const old = from * columns;
      for (let j = 0; j < columns; j++) {
        const value = data[x + j];
        sums[to + j] = sums[to + j] + value;
        sums[old + j] = sums[old + j] - value;
      }
      this.#counts[from] = this.#counts[from] - 1;
    }
    this.#counts[label] = this.#counts[label] + 1;
    this.labels[point] = label;
  }

  /** Puts every centre at the mean of its points; returns the sum of the squared moves, and the clusters refilled. */
  async moveCentres(): Promise<{ shift: number; filled: number }> {
    const filled = this.#counts.includes(0) ? await this.#fillEmpty() : 0;
    const { columns } = this.#points;
    const k = this.centres.rows;
    const next = newSharedMatrix(k, columns);
    const moves = new Float64Array(this.#groups);
    let shift = 0;
    for (let c = 0; c < k; c++) {
      let scale = 1 / this.#counts[c];
      if (this.#spherical) {
        let square = 0;
        for (let i = c * columns, end = i + columns; i < end; i++) square += this.#sums[i] ** 2;
        scale = square > 0 ? 1 / Math.sqrt(square) : 0;
      }
      let move = 0;
      for (let i = c * columns, end = i + columns; i < end; i++) {
        next.data[i] = this.#sums[i] * scale;
        move += (next.data[i] - this.centres.data[i]) ** 2;
      }
      shift += move;
      const drift = Math.sqrt(move);
      this.#centreDrift[c] = this.#centreDrift[c] + drift;
      const group = Math.floor(c / this.#groupSize);
      moves[group] = Math.max(moves[group], drift);
    }
    for (let g = 0; g < this.#groups; g++) {
      this.#groupDrift[g] = this.#groupDrift[g] + moves[g];
    }
    this.centres = next;
    return { shift, filled };
  }

  /**
   * An empty cluster takes the point farthest from its centre, as in scikit-learn, from a cluster with others left.
   * Returns the number of clusters that were empty.
   */
  async #fillEmpty(): Promise<number> {
    const distances = await ownDistances(this.#pool, this.#points, this.centres, this.labels);
    const order = Uint32Array.from(distances, (_, i) => i);
    order.sort((a, b) => distances[b] - distances[a] || a - b);
    let next = 0;
    let filled = 0;
    for (let c = 0; c < this.#counts.length; c++) {
      if (this.#counts[c] !== 0) continue;
      filled++;
      while (this.#counts[this.labels[order[next]]] < 2) next++;
      const point = order[next++];
      this.#move(point, c);
      // Nothing is known of its distances to the others any more.
      this.#upper[point] = Number.POSITIVE_INFINITY;
    }
    return filled;
  }
}
