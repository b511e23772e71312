/** Labels between rows and records, and the statements that write them. */
import type { Label } from '../../core/labels.ts';
import type { Dictionary } from './dictionary.ts';
import { annotatorName, classNameOf, runIdOf } from './dictionary.ts';
import type { FieldsOf } from './statement.ts';
import { statement } from './statement.ts';
import { decoder, insert, type RowOf, remove } from './table.ts';
import { labels } from './tables.ts';

export type LabelRow = RowOf<typeof labels.columns>;
/** A label with its numbers; `regionId` is empty for a label of the image itself. */
export type LabelFields = FieldsOf<typeof labels.columns>;

export const labelOfRow = decoder(labels);

export const LABEL_STATEMENTS = {
  /** The newest word of one voice about one class of one item replaces the older. */
  put: insert(labels, { existing: 'replace' }),
  drop: remove(labels, labels.key),
  dropOfItem: remove(labels, ['imageId', 'regionId', 'taskId', 'origin']),
  dropOfTask: remove(labels, ['taskId', 'origin']),
  dropOfClass: remove(labels, ['imageId', 'regionId', 'taskId', 'classId', 'origin']),
  dropOfRegion: remove(labels, ['imageId', 'regionId']),
  /** What detectors said of an image and its regions in a task, but for regions that a person touched. */
  dropDetected: statement(
    `delete from label where image_id = :imageId and task_id = :taskId and origin = :origin and not exists (
      select 1 from region
      where region.image_id = label.image_id and region.id = label.region_id and region.touched = 1)`,
    { imageId: labels.columns.imageId, taskId: labels.columns.taskId, origin: labels.columns.origin },
  ),
};

export function storedLabel(row: LabelRow, dictionary: Dictionary): Label {
  const { imageId, regionId, taskId, classId, annotatorId, runKey, modelId: _, ...label } = labelOfRow(row);
  const annotator = annotatorName(dictionary, annotatorId);
  return {
    ...label,
    itemId: itemOf({ imageId, regionId }),
    task: dictionary.taskById.get(taskId)?.name ?? '',
    className: classNameOf(dictionary, classId),
    runId: runIdOf(dictionary, runKey),
    ...(annotator === undefined ? {} : { annotator }),
  };
}

/** The item that a label is about. */
export function itemOf({ imageId, regionId }: Pick<LabelFields, 'imageId' | 'regionId'>): string {
  return regionId === '' ? imageId : regionId;
}

/** An item. */
export const placeOf = ({ imageId, regionId }: Pick<LabelFields, 'imageId' | 'regionId'>) => `${imageId} ${regionId}`;
/** One origin, with its model or annotator, speaking of one item in one task. */
export const voiceOf = (label: Omit<LabelFields, 'classId' | 'present' | 'confidence' | 'runKey' | 'sequence'>) =>
  [placeOf(label), label.taskId, label.origin, label.modelId, label.annotatorId].join(' ');
/** What is kept once. */
export const labelKeyOf = (label: LabelFields) => `${voiceOf(label)} ${label.classId}`;
