/** Which regions of an image a detector's shard may replace, and which ones a person has taken out of its hands. */
import type { Box } from '../../core/boxes.ts';
import { iou } from '../../core/boxes.ts';
import type { ImageId, RegionId } from '../../core/ids.ts';
import { pushTo } from '../../core/lists.ts';
import { chunks } from './chunks.ts';
import { imageKey } from './column.ts';
import { standingClasses } from './derived.ts';
import { type Dictionary, rootClassId } from './dictionary.ts';
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
  const regions: RegionFields[] = [];
  const labels: LabelFields[] = [];
  for (const chunk of chunks(imageIds.map(imageKey))) {
    const [rows, said] = await work.read([
      work.db.selectFrom('region').selectAll().where('image_id', 'in', chunk),
      work.db.selectFrom('label').selectAll().where('image_id', 'in', chunk).where('task_id', '=', taskId),
    ]);
    for (const row of rows) regions.push(regionOfRow(row));
    for (const row of said) labels.push(labelOfRow(row));
  }
  return knownAmong({ regions, labels }, { modelId, taskId, dictionary: work.dictionary });
}

/** The same of what was read. Pure. @param labels those of other tasks say nothing */
export function knownAmong(
  { regions, labels }: { readonly regions: Iterable<RegionFields>; readonly labels: Iterable<LabelFields> },
  {
    modelId,
    taskId,
    dictionary,
  }: { readonly modelId: number; readonly taskId: number; readonly dictionary: Dictionary },
): KnownRegions {
  const regionIds = new Set<RegionId>();
  const replaceable = new Map<ImageId, ReplaceableRegion[]>();
  const frozen = new Map<ImageId, FrozenRegion[]>();
  const frozenIds = new Set<RegionId>();
  const said = new Map<RegionId, LabelFields[]>();
  for (const label of labels) if (label.taskId === taskId && label.regionId !== '') pushTo(said, label.regionId, label);
  const rootsOf = (of: readonly LabelFields[]) => new Set(of.map(({ classId }) => rootClassId(dictionary, classId)));
  for (const { id, imageId, x1, y1, x2, y2, touched, deleted, modelId: maker } of regions) {
    const box: Box = [x1, y1, x2, y2];
    const own = said.get(id) ?? [];
    regionIds.add(id);
    if (touched || deleted) {
      frozenIds.add(id);
      pushTo(frozen, imageId, { box, deleted, classIds: rootsOf(own), standingIds: standingClasses(own, dictionary) });
      continue;
    }
    // Regions that another detector found and labelled in this task, with what it called them.
    const byOthers = maker === null || maker === modelId ? [] : own.filter(({ origin }) => origin === 'detector');
    if (maker !== modelId && byOthers.length === 0) continue;
    pushTo(replaceable, imageId, { id, box, classIds: rootsOf(byOthers) });
  }
  return { regionIds, replaceable, frozen, frozenIds };
}

/** Untouched regions that detectors left over regions that are frozen: same class, IoU ≥ `frozenIou`. */
export function coveredRegions(
  { frozen, replaceable }: KnownRegions,
  frozenIou: number,
): { readonly imageId: ImageId; readonly id: RegionId }[] {
  return [...frozen].flatMap(([imageId, there]) =>
    (replaceable.get(imageId) ?? [])
      .filter(({ box, classIds }) => [...classIds].some((id) => isOver(there, id, box, frozenIou)))
      .map(({ id }) => ({ imageId, id })),
  );
}

/** Whether a box of a class is the same thing as a region that is not to be touched. */
export function isOver(frozen: readonly FrozenRegion[], classId: number, box: Box, frozenIou: number): boolean {
  return frozen.some((old) => (old.classIds.size === 0 || old.classIds.has(classId)) && iou(old.box, box) >= frozenIou);
}
