/**
 * Cross-validation on the labelled items alone, folds by group. What is validated is a whole way of learning: whatever
 * it makes of unlabelled items, the held-out labels take no part in it.
 */
import { inLanes } from '../../core/lanes.ts';
import { argMaxRows, meanCrossEntropy } from '../../math/calibration.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import { groupFolds } from './folds.ts';
import { inFold, type Problem, withLabels } from './problem.ts';

/** Learns from a problem and gives logits of those rows, shape [rows, classes]. */
export type Learn = (problem: Problem, rows: Int32Array, fold: number) => Promise<Matrix>;

export interface Folds {
  readonly count: number;
  /** Fold of each labelled item, shape [labelled]. */
  readonly of: Int32Array;
}

export interface HeldOut {
  /** Logits of each labelled item by the model that had not seen its label; shape [labelled, classes]. */
  readonly logits: Matrix;
  /** Labelled items that were held out: those of the folds that ran. */
  readonly places: readonly number[];
  readonly accuracy: number;
  /** Mean cross-entropy in nats, no temperature. */
  readonly loss: number;
}

/** Folds for a problem: as many as asked for, but no more than the groups of labelled items. */
export function foldsOf(problem: Problem, wanted: number, seed: number): Folds {
  const groups = Array.from(problem.labelled, (row) => problem.groups[row]);
  const count = Math.max(2, Math.min(wanted, new Set(groups).size));
  return { count, of: groupFolds({ labels: problem.labels, groups }, count, seed) };
}

/** Above this many rows a fold keeps every thread busy by itself, and two would hold twice the memory. */
const MAX_ROWS_SIDE_BY_SIDE = 8192;

/**
 * Two folds run side by side, since each waits for its thread half of the time; calls of `learn` begin in the order of the
 * folds.
 *
 * @param only the folds to run (default all).
 */
export async function crossValidate(
  problem: Problem,
  folds: Folds,
  learn: Learn,
  only: readonly number[] = Array.from({ length: folds.count }, (_, fold) => fold),
): Promise<HeldOut> {
  const { classes, labelled, labels } = problem;
  const logits = newSharedMatrix(labelled.length, classes);
  const splits = only
    .map((fold) => {
      const held: number[] = [];
      const training: number[] = [];
      for (let i = 0; i < labelled.length; i++) (folds.of[i] === fold ? held : training).push(i);
      return { fold, held, training };
    })
    .filter(({ held, training }) => held.length > 0 && training.length > 0);
  const lanes = problem.features.rows > MAX_ROWS_SIDE_BY_SIDE ? 1 : 2;
  await inLanes(splits, lanes, async ({ fold, held, training }) => {
    const rows = Int32Array.from(held, (place) => labelled[place]);
    const result = await learn(withLabels(inFold(problem, fold), training), rows, fold);
    for (const [i, place] of held.entries()) {
      logits.data.set(result.data.subarray(i * classes, (i + 1) * classes), place * classes);
    }
  });
  const places = splits.flatMap(({ held }) => held);
  return { logits, places, ...scoreHeldOut(logits, labels, places) };
}

export function scoreHeldOut(
  logits: Matrix,
  labels: Int32Array,
  places: readonly number[],
): { readonly accuracy: number; readonly loss: number } {
  const { columns } = logits;
  const rows = newSharedMatrix(places.length, columns);
  for (const [i, place] of places.entries()) {
    rows.data.set(logits.data.subarray(place * columns, (place + 1) * columns), i * columns);
  }
  const truth = places.map((place) => labels[place]);
  const best = argMaxRows(rows);
  const right = truth.filter((label, i) => best[i] === label).length;
  return { accuracy: places.length === 0 ? 0 : right / places.length, loss: meanCrossEntropy(rows, truth) };
}
