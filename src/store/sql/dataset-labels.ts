/** What is said of the items of an export: of each the labels that hold, best first, and what people said is not there. */
import type { LabelValue, Rejection } from '../../core/dataset.ts';
import type { Label, Task } from '../../core/labels.ts';
import { currentLabels, NONE_OF_THESE, originRank } from '../../core/labels.ts';
import type { DatasetQuery } from '../store.ts';
import { originOf } from './codes.ts';
import { hexOf } from './column.ts';
import type { Dictionary } from './dictionary.ts';
import { annotatorName, classNameOf } from './dictionary.ts';
import type { LabelRow } from './label-rows.ts';

/** A label as an export reads it: making the values of a row, ids above all, is most of its cost. */
export type DatasetLabelRow = Pick<
  LabelRow,
  'task_id' | 'class_id' | 'present' | 'origin' | 'confidence' | 'sequence' | 'annotator_id'
> & {
  /** The id of the region, or else of the image. */
  readonly item: Uint8Array;
};

/** Tasks in order of name, labels best first, rejections in order of class. */
export interface Said {
  readonly labels: readonly LabelValue[];
  readonly rejected?: readonly Rejection[];
}

export const NOTHING_SAID: Said = { labels: [] };

/** @param names explains the numbers of tasks and classes */
export function saidOfItems(
  rows: readonly DatasetLabelRow[],
  names: Dictionary,
  query: DatasetQuery,
): Map<string, Said> {
  const least = query.minConfidence ?? 0;
  const tasks = [...names.taskById.entries()]
    .filter(([, task]) => query.task === undefined || task.name === query.task)
    .sort(([, a], [, b]) => (a.name < b.name ? -1 : 1));
  const byTask = Map.groupBy(rows, (row) => row.task_id);
  const result = new Map<string, Said>();
  for (const [taskId, task] of tasks) {
    const labels = (byTask.get(taskId) ?? []).map(
      (row): Label => ({
        itemId: hexOf(row.item),
        task: task.name,
        className: classNameOf(names, row.class_id),
        present: row.present !== 0,
        origin: originOf(row.origin),
        confidence: row.confidence,
        runId: null,
        sequence: row.sequence,
        annotator: annotatorName(names, row.annotator_id),
      }),
    );
    for (const [item, own] of Map.groupBy(labels, (label) => label.itemId)) {
      const values = valuesOf(own, task, least);
      const rejected = rejectionsOf(own, task);
      if (values.length === 0 && rejected.length === 0) continue;
      const before = result.get(item);
      if (before === undefined) {
        result.set(item, rejected.length === 0 ? { labels: values } : { labels: values, rejected });
        continue;
      }
      const rejections = [...(before.rejected ?? []), ...rejected];
      const all = [...before.labels, ...values];
      result.set(item, rejections.length === 0 ? { labels: all } : { labels: all, rejected: rejections });
    }
  }
  return result;
}

/** The labels that hold, as an export has them. */
function valuesOf(own: readonly Label[], task: Task, least: number): LabelValue[] {
  const [only] = own;
  // Most regions were spoken of once, and then there is nothing to weigh.
  const isPlain = own.length === 1 && only.present && only.className !== NONE_OF_THESE;
  const values: LabelValue[] = [];
  for (const { className, confidence, origin, annotator } of isPlain ? own : standing(own, task)) {
    if (confidence < least) continue;
    const value = { className, confidence, origin, task: task.name };
    values.push(annotator === undefined ? value : { ...value, annotator });
  }
  return values;
}

function rejectionsOf(labels: readonly Label[], { name: task }: Task): Rejection[] {
  const rejections = labels.filter(
    (label) => label.origin === 'human' && (!label.present || label.className === NONE_OF_THESE),
  );
  if (rejections.length === 0) return [];
  return rejections
    .map(({ className, annotator }) => ({ className, task, ...(annotator === undefined ? {} : { annotator }) }))
    .sort((a, b) => (a.className < b.className ? -1 : 1));
}

/** Of classes that hold side by side the newest is no better than the others: the more confident comes first. */
function standing(labels: readonly Label[], task: Task): Label[] {
  const current = currentLabels(labels, task.rule);
  if (task.rule === 'single') return current;
  return current.sort(
    (a, b) =>
      originRank(a.origin) - originRank(b.origin) ||
      b.confidence - a.confidence ||
      (a.className < b.className ? -1 : 1),
  );
}
