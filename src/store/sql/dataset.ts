/** Images with their current labels and regions, for exports and reports. */
import type { DatasetImage, LabelValue, RegionRecord, Rejection } from '../../core/dataset.ts';
import type { Label, Task } from '../../core/labels.ts';
import { currentLabels, NONE_OF_THESE, originRank } from '../../core/labels.ts';
import type { DatasetQuery, Store } from '../store.ts';
import { idOf, NO_BYTES, NO_SHAPE, shapeOf } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { annotatorOf, classNameOf, taskOf } from './dictionary.ts';
import { exportName, rootNames } from './export-name.ts';
import { attributesOfRow } from './image-facts.ts';
import { rootOf, rootsInUse } from './images.ts';
import type { LabelTable } from './schema.ts';
import { ORIGIN_CODES, originOf } from './schema.ts';
import type { Session } from './session.ts';

export function datasetStore(session: Session): Pick<Store, 'dataset'> {
  return {
    async *dataset(query) {
      const dictionary = await session.freshDictionary();
      const task = query.task === undefined ? undefined : taskOf(dictionary, query.task).name;
      // Fixed for the whole export, so that a root added meanwhile does not change the names half-way.
      const roots = rootNames(await rootsInUse(session));
      let left = query.limit ?? Number.POSITIVE_INFINITY;
      if (left <= 0) return;
      for await (const range of session.imageRanges()) {
        for (const image of await imagesOfRange(session, { ...query, task }, roots, range)) {
          yield image;
          left -= 1;
          if (left <= 0) return;
        }
      }
    },
  };
}

async function imagesOfRange(
  session: Session,
  query: DatasetQuery,
  roots: ReadonlyMap<string, string>,
  { after, last }: { after: Uint8Array; last: Uint8Array },
): Promise<DatasetImage[]> {
  const { db } = session;
  // Columns by name: making the values of a row, ids above all, is most of the cost of an export.
  let labelQuery = db
    .selectFrom('label')
    .select((eb) => [
      eb.case().when('region_id', '=', NO_BYTES).then(eb.ref('image_id')).else(eb.ref('region_id')).end().as('item'),
      'task_id',
      'class_id',
      'present',
      'origin',
      'confidence',
      'sequence',
      'annotator_id',
    ])
    .where('image_id', '>', after)
    .where('image_id', '<=', last);
  if (query.origins !== undefined) {
    const codes = query.origins.map((origin) => ORIGIN_CODES[origin]);
    labelQuery = labelQuery.where('origin', 'in', codes.length === 0 ? [-1] : codes);
  }
  const { rows, dictionary } = await session.read([
    db
      .selectFrom('image')
      .select(['id', 'width', 'height', 'group_id'])
      .where('id', '>', after)
      .where('id', '<=', last)
      .orderBy('id'),
    db
      .selectFrom('image_path')
      .select(['image_id', 'path', 'source_root_id'])
      .where('image_id', '>', after)
      .where('image_id', '<=', last)
      .orderBy('image_id')
      .orderBy('missing')
      .orderBy('path'),
    labelQuery,
    db
      .selectFrom('region')
      .select(['image_id', 'id', 'x1', 'y1', 'x2', 'y2', 'score', 'crowd', 'touched', 'deleted'])
      .where('image_id', '>', after)
      .where('image_id', '<=', last)
      .orderBy('image_id')
      .orderBy('id'),
    db.selectFrom('region_shape').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('gone_image').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('image_split').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
    db.selectFrom('image_attributes').selectAll().where('image_id', '>', after).where('image_id', '<=', last),
  ]);
  const [imageRows, pathRows, labelRows, regionRows, shapeRows, goneRows, splitRows, attributeRows] = rows;

  const files = new Map<string, string>();
  for (const row of pathRows) {
    const id = idOf(row.image_id);
    if (files.has(id)) continue;
    files.set(id, exportName(row.path, rootOf(dictionary, row.source_root_id), roots));
  }
  const labels = labelsByItem(labelRows, dictionary, query);
  const regions = Map.groupBy(regionRows, (region) => idOf(region.image_id));
  const shapes = new Map(shapeRows.map((row) => [idOf(row.region_id), row]));
  const gone = new Set(query.gone === true ? [] : goneRows.map((row) => idOf(row.image_id)));
  const splits = new Map(
    query.splits === 'none' ? [] : splitRows.map((row): [string, string] => [idOf(row.image_id), row.split]),
  );
  const attributes = new Map(attributeRows.map((row) => [idOf(row.image_id), attributesOfRow(row)]));
  const least = query.minConfidence ?? 0;

  const images: DatasetImage[] = [];
  for (const row of imageRows) {
    const id = idOf(row.id);
    if (gone.has(id)) continue;
    const ofImage = attributes.get(id);
    const kept: RegionRecord[] = [];
    const deleted: RegionRecord[] = [];
    for (const region of regions.get(id) ?? []) {
      if (region.score !== null && region.score < least) continue;
      const regionId = idOf(region.id);
      const said = labels.get(regionId) ?? NOTHING_SAID;
      if (said.labels.length === 0 && query.unlabelled !== true) continue;
      const shape = shapes.get(regionId);
      (region.deleted === 0 ? kept : deleted).push({
        id: regionId,
        box: [region.x1, region.y1, region.x2, region.y2],
        score: region.score,
        ...said,
        ...(shape === undefined ? NO_SHAPE : shapeOf(shape)),
        crowd: region.crowd !== 0,
        ...(region.touched === 0 ? {} : { touched: true }),
      });
    }
    const said = labels.get(id) ?? NOTHING_SAID;
    if (said.labels.length === 0 && kept.length === 0 && query.unlabelled !== true) continue;
    images.push({
      id,
      // An image all of whose paths went into other hands (changed files) has none; its id is unique too.
      file: files.get(id) ?? id,
      width: row.width,
      height: row.height,
      groupId: idOf(row.group_id),
      split: splits.get(id) ?? null,
      ...said,
      regions: kept,
      ...(deleted.length === 0 ? {} : { deleted }),
      ...(ofImage === undefined ? {} : { attributes: ofImage }),
    });
  }
  return images;
}

type LabelRow = Pick<
  LabelTable,
  'task_id' | 'class_id' | 'present' | 'origin' | 'confidence' | 'sequence' | 'annotator_id'
> & {
  /** The id of the region, or else of the image. */
  readonly item: Uint8Array;
};

/** What is said of an item: tasks in order of name, labels best first, rejections in order of class. */
interface Said {
  readonly labels: readonly LabelValue[];
  readonly rejected?: readonly Rejection[];
}

const NOTHING_SAID: Said = { labels: [] };

/** Current labels of each item, and what people said is not there. */
function labelsByItem(rows: readonly LabelRow[], dictionary: Dictionary, query: DatasetQuery): Map<string, Said> {
  const least = query.minConfidence ?? 0;
  const tasks = [...dictionary.taskById.entries()]
    .filter(([, task]) => query.task === undefined || task.name === query.task)
    .sort(([, a], [, b]) => (a.name < b.name ? -1 : 1));
  const byTask = Map.groupBy(rows, (row) => row.task_id);
  const result = new Map<string, Said>();
  for (const [taskId, task] of tasks) {
    const labels = (byTask.get(taskId) ?? []).map(
      (row): Label => ({
        itemId: idOf(row.item),
        task: task.name,
        className: classNameOf(dictionary, row.class_id),
        present: row.present !== 0,
        origin: originOf(row.origin),
        confidence: row.confidence,
        runId: null,
        sequence: row.sequence,
        ...annotatorOf(dictionary, row.annotator_id),
      }),
    );
    for (const [item, own] of Map.groupBy(labels, (label) => label.itemId)) {
      const values = standing(own, task)
        .filter((label) => label.confidence >= least)
        .map(({ className, confidence, origin, annotator }) => ({
          className,
          confidence,
          origin,
          task: task.name,
          ...(annotator == null ? {} : { annotator }),
        }));
      const rejected = rejectionsOf(own, task);
      if (values.length === 0 && rejected.length === 0) continue;
      const before = result.get(item) ?? NOTHING_SAID;
      const rejections = [...(before.rejected ?? []), ...rejected];
      result.set(item, {
        labels: [...before.labels, ...values],
        ...(rejections.length === 0 ? {} : { rejected: rejections }),
      });
    }
  }
  return result;
}

function rejectionsOf(labels: readonly Label[], { name: task }: Task): Rejection[] {
  return labels
    .filter((label) => label.origin === 'human' && (!label.present || label.className === NONE_OF_THESE))
    .map(({ className, annotator }) => ({ className, task, ...(annotator == null ? {} : { annotator }) }))
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
