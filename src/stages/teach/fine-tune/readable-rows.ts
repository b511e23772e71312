/**
 * Fine-tuning on the items that can be read: what is gone since it was embedded has a vector and no picture. It takes no part, and
 * what was thought of it with the embedder as it is stands.
 */
import { inLanes } from '../../../core/lanes.ts';
import { gatherRows, type Matrix, newSharedMatrix, rowsOf } from '../../../math/matrix.ts';
import { scoreHeldOut } from '../cross-validation.ts';
import type { RoundsResult } from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import type { OpenedItems } from './open-items.ts';

/** Images read at once. */
const LANES = 4;

/** Reads every row's image once, and decodes those that regions are cut from. Ascending. */
export async function unreadableRows(
  rows: number,
  open: OpenedItems['open'],
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const missing: number[] = [];
  await inLanes(Array.from({ length: rows }).keys(), LANES, async (row) => {
    signal?.throwIfAborted();
    if (!(await open(row))) missing.push(row);
  });
  return missing.sort((a, b) => a - b);
}

export interface ReadableRows {
  /** Of these rows alone. */
  readonly problem: Problem;
  /** Of the whole problem, ascending. */
  readonly rows: readonly number[];
  /** Of its labelled rows, the places of those that are among them, ascending. */
  readonly places: readonly number[];
}

export function withoutRows(problem: Problem, missing: readonly number[]): ReadableRows {
  const gone = new Set(missing);
  const rows = Array.from(problem.groups.keys()).filter((row) => !gone.has(row));
  const places = [...problem.labelled.keys()].filter((place) => !gone.has(problem.labelled[place] ?? -1));
  if (gone.size === 0) return { problem, rows, places };
  const placeOf = new Map(rows.map((row, place) => [row, place]));
  const { augmentations } = problem;
  const views = Array.from(augmentations?.of ?? []).flatMap((row, view) => (placeOf.has(row) ? [view] : []));
  const moved = (row: number | undefined) => placeOf.get(row ?? -1) ?? 0;
  return {
    rows,
    places,
    problem: {
      ...problem,
      features: gatherRows(problem.features, rows),
      groups: rows.map((row) => problem.groups[row] ?? ''),
      labelled: Int32Array.from(places, (place) => moved(problem.labelled[place])),
      labels: Int32Array.from(places, (place) => problem.labels[place] ?? 0),
      augmentations: augmentations && {
        features: gatherRows(augmentations.features, views),
        of: Int32Array.from(views, (view) => moved(augmentations.of[view])),
      },
    },
  };
}

/** Of all rows again: what was learned of some, and of the others what the frozen embedder's vectors came to. */
export function ofAllRows(
  learned: RoundsResult,
  frozen: RoundsResult,
  { rows, places }: Pick<ReadableRows, 'rows' | 'places'>,
  labels: Int32Array,
): RoundsResult {
  if (rows.length === frozen.probabilities.rows) return learned;
  const probabilities = replaced(frozen.probabilities, rows, learned.probabilities);
  // The same confidence at the other temperature.
  const factor = learned.restTemperature / frozen.restTemperature;
  const before = newSharedMatrix(labels.length, frozen.heldOut.logits.columns);
  for (const [i, logit] of frozen.heldOut.logits.data.entries()) before.data[i] = factor * logit;
  const logits = replaced(before, places, learned.heldOut.logits);
  const all = Array.from(labels.keys());
  const of = new Int32Array(labels.length);
  for (const [i, place] of places.entries()) of[place] = learned.folds.of[i] ?? 0;
  return {
    ...learned,
    probabilities,
    heldOut: { logits, places: all, ...scoreHeldOut(logits, labels, all) },
    folds: { count: learned.folds.count, of },
  };
}

/** A copy with other rows in some places. */
function replaced(matrix: Matrix, rows: readonly number[], by: Matrix): Matrix {
  const copy = newSharedMatrix(matrix.rows, matrix.columns);
  copy.data.set(matrix.data);
  for (const [i, row] of rows.entries()) copy.data.set(rowsOf(by, i, i + 1).data, row * matrix.columns);
  return copy;
}
