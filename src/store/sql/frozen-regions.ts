/** Which regions of an image a detector's shard may replace, and which ones a person has taken out of its hands. */
import type { Box } from '../../core/boxes.ts';
import { iou } from '../../core/boxes.ts';
import type { ImageId, RegionId } from '../../core/ids.ts';
import { chunks } from './chunks.ts';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf, imageKey } from './column.ts';
import { standingClasses } from './derived.ts';
import { rootClassId } from './dictionary.ts';
import { type LabelFields, labelOfRow } from './label-rows.ts';
import { type RegionFields, regionOfRow } from './region-rows.ts';
import type { Work } from './work.ts';

/** A region that a person touched or deleted. */
export interface FrozenRegion {
  readonly box: Box;
  readonly deleted: boolean;
  /** Every class that anybody said of it in the task, present or not; empty when it has no label. */
  readonly classIds: ReadonlySet<number>;
  /** Those that hold. */
  readonly standingIds: ReadonlySet<number>;
}

export interface ReplaceableRegion {
  readonly id: RegionId;
  readonly box: Box;
  /** What other detectors called it in the task; not read for regions of the model that is asked for. */
  readonly classIds: ReadonlySet<number>;
}

export interface KnownRegions {
  readonly regionIds: ReadonlySet<RegionId>;
  /** Untouched regions of this model, and of others that speak in the task, by image: what a shard replaces. */
  readonly replaceable: ReadonlyMap<ImageId, readonly ReplaceableRegion[]>;
  readonly frozen: ReadonlyMap<ImageId, readonly FrozenRegion[]>;
  readonly frozenIds: ReadonlySet<RegionId>;
}

export async function knownRegions(
  work: Work,
  imageIds: readonly ImageId[],
  modelId: number,
  taskId: number,
): Promise<KnownRegions> {
  const regionIds = new Set<RegionId>();
  const replaceable = new Map<ImageId, ReplaceableRegion[]>();
  const frozen = new Map<ImageId, FrozenRegion[]>();
  const frozenIds = new Set<RegionId>();
  const rootsOf = (ids: Iterable<number>) => new Set([...ids].map((id) => rootClassId(work.dictionary, id)));
  for (const chunk of chunks(imageIds.map(imageKey))) {
    const [rows, others] = await work.read([
      work.db.selectFrom('region').selectAll().where('image_id', 'in', chunk),
      labelsOfOthers(work, chunk, modelId, taskId),
    ]);
    if (rows.length === 0) continue;
    const classesOf = Map.groupBy(others, (row) => hexOf(row.region_id));
    const regions = rows.map(regionOfRow);
    const labels = await labelsOfTouched(work, regions, taskId);
    for (const { id, imageId, x1, y1, x2, y2, touched, deleted, modelId: maker } of regions) {
      const box: Box = [x1, y1, x2, y2];
      regionIds.add(id);
      if (!touched && !deleted) {
        const said = classesOf.get(id);
        if (maker !== modelId && said === undefined) continue;
        push(replaceable, imageId, { id, box, classIds: rootsOf((said ?? []).map((row) => row.class_id)) });
        continue;
      }
      const own = labels.get(id) ?? [];
      frozenIds.add(id);
      push(frozen, imageId, {
        box,
        deleted,
        classIds: rootsOf(own.map(({ classId }) => classId)),
        standingIds: standingClasses(own, work.dictionary),
      });
    }
  }
  return { regionIds, replaceable, frozen, frozenIds };
}

/** Regions that another detector found and labelled in this task, with what it called them. */
function labelsOfOthers({ db }: Work, images: readonly Uint8Array[], modelId: number, taskId: number) {
  return db
    .selectFrom('label')
    .innerJoin('region', (join) =>
      join.onRef('region.image_id', '=', 'label.image_id').onRef('region.id', '=', 'label.region_id'),
    )
    .select(['label.region_id', 'label.class_id'])
    .where('label.image_id', 'in', images)
    .where('label.task_id', '=', taskId)
    .where('label.origin', '=', ORIGIN_CODES.detector)
    .where('region.model_id', 'is not', null)
    .where('region.model_id', '<>', modelId);
}

async function labelsOfTouched(
  work: Work,
  regions: readonly RegionFields[],
  taskId: number,
): Promise<Map<RegionId, LabelFields[]>> {
  const labels = new Map<RegionId, LabelFields[]>();
  const images = new Set(regions.filter(({ touched, deleted }) => touched || deleted).map(({ imageId }) => imageId));
  for (const chunk of chunks([...images].map(imageKey))) {
    const [rows] = await work.read([
      work.db.selectFrom('label').selectAll().where('image_id', 'in', chunk).where('task_id', '=', taskId),
    ]);
    for (const label of rows.map(labelOfRow)) push(labels, label.regionId, label);
  }
  return labels;
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Whether a box of a class is the same thing as a region that is not to be touched. */
export function isOver(frozen: readonly FrozenRegion[], classId: number, box: Box, frozenIou: number): boolean {
  return frozen.some((old) => (old.classIds.size === 0 || old.classIds.has(classId)) && iou(old.box, box) >= frozenIou);
}
