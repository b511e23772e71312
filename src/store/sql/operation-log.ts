/**
 * The log of what people did to items: labels and regions as they were (side 0) and as they were left (side 1), and the
 * way from one side to the other and back.
 *
 * Going from a side to the other changes only what still stands as the operation left it; what was said or drawn since is
 * newer and stays.
 */

import { sql } from 'kysely';
import type { RegionId } from '../../core/ids.ts';
import { isMachine } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { NewOperation, WriteOptions } from '../operation-store.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey, integer, NO_BYTES } from './column.ts';
import { ALL_IDS, inRange } from './image-parts.ts';
import { revisedImages } from './image-revision.ts';
import { LABEL_STATEMENTS, type LabelFields, labelKeyOf, voiceOf } from './label-rows.ts';
import { type Places, readPlaces } from './places.ts';
import { rawQuery } from './raw-query.ts';
import { NO_SHAPE_FIELDS, REGION_STATEMENTS, type RegionFields, type ShapeFields } from './region-rows.ts';
import { type FieldsOf, statement } from './statement.ts';
import { decoder, insert } from './table.ts';
import { operationLabels, operationRegions } from './tables.ts';
import type { Work } from './work.ts';

/** What an operation did to items. */
export interface ItemChanges {
  readonly labelsBefore: Iterable<LabelFields>;
  readonly labelsAfter: Iterable<LabelFields>;
  readonly regionsBefore: Iterable<LoggedRegion>;
  readonly regionsAfter: Iterable<LoggedRegion>;
}

/** Without `shape` only the region's own row is meant, and its shapes stay as they are. */
export interface LoggedRegion {
  readonly region: RegionFields;
  readonly shape?: ShapeFields | null;
}

type Side = 0 | 1;
type RegionEntry = FieldsOf<typeof operationRegions.columns>;

const SHAPE_FIELDS = ['keypoints', 'mask', 'polygons', 'keypointsModelId', 'maskModelId', 'details'] as const;

const KEEP = {
  /** Of several writes of one operation, what was there before the first (which may be nothing)… */
  labelBefore: insert(operationLabels, {
    existing: 'ignore',
    unless: `select 1 from operation_label as later where later.operation_id = :operationId
      and later.image_id = :imageId and later.region_id = :regionId and later.task_id = :taskId
      and later.class_id = :classId and later.origin = :origin and later.model_id = :modelId
      and later.annotator_id = :annotatorId and later.side = 1`,
  }),
  /** A write that says more, since it is about shapes too, adds what shapes there were. */
  regionBefore: insert(operationRegions, {
    existing: [...SHAPE_FIELDS, 'whole'],
    where: 'operation_region.whole = 0 and excluded.whole = 1',
    unless: `select 1 from operation_region as later where later.operation_id = :operationId
      and later.image_id = :imageId and later.id = :id and later.side = 1
      and not exists (
        select 1 from operation_region as before where before.operation_id = :operationId
          and before.image_id = :imageId and before.id = :id and before.side = 0)`,
  }),
  /** …and what was left by the last. */
  labelAfter: insert(operationLabels, { existing: 'replace' }),
  regionAfter: insert(operationRegions, { existing: 'replace' }),
  touchAfter: insert(operationRegions, { existing: ['touched', 'deleted'] }),
  count: statement('update operation set labels = labels + :labels, regions = regions + :regions where id = :id', {
    id: integer,
    labels: integer,
    regions: integer,
  }),
};
const labelEntryOf = decoder(operationLabels);
const regionEntryOf = decoder(operationRegions);

export async function addOperation(
  work: Work,
  { name, arguments: given, actor }: NewOperation & { readonly actor: string },
): Promise<number> {
  await work.know({ annotators: [actor] });
  const row = sql<{ id: number }>`
    insert into operation (at_ms, actor_id, kind, name, arguments, labels, regions, undone)
    values (${Date.now()}, ${work.annotatorId(actor)}, 'items', ${name}, ${JSON.stringify(given)}, 0, 0, 0)
    returning id`;
  const [[{ id }]] = await work.insert(rawQuery(work.db, row));
  return id;
}

/** Writes down what was done, under the operation that the write belongs to or under one of its own. */
export async function logItems(
  work: Work,
  operation: NewOperation & { readonly actor: string },
  { operation: known }: WriteOptions,
  changes: ItemChanges,
): Promise<void> {
  keepItems(work, known ?? (await addOperation(work, operation)), changes);
}

/** @returns how many labels are other than before: one that goes from one class to another counts once */
export function keepItems(work: Work, operationId: number, changes: ItemChanges): { labels: number } {
  const labels = new Set<string>();
  const regions = new Set<RegionId>();
  for (const label of changes.labelsBefore) {
    labels.add(voiceOf(label));
    work.add(KEEP.labelBefore, { ...label, operationId, side: 0 });
  }
  for (const label of changes.labelsAfter) {
    labels.add(voiceOf(label));
    work.add(KEEP.labelAfter, { ...label, operationId, side: 1 });
  }
  for (const logged of changes.regionsBefore) {
    regions.add(logged.region.id);
    work.add(KEEP.regionBefore, entryOf(operationId, 0, logged));
  }
  for (const logged of changes.regionsAfter) {
    regions.add(logged.region.id);
    work.add(logged.shape === undefined ? KEEP.touchAfter : KEEP.regionAfter, entryOf(operationId, 1, logged));
  }
  work.add(KEEP.count, { id: operationId, labels: labels.size, regions: regions.size });
  return { labels: labels.size };
}

function entryOf(operationId: number, side: Side, { region, shape }: LoggedRegion): RegionEntry {
  const { imageId: _, regionId: __, ...shapes } = { imageId: '', regionId: '', ...(shape ?? NO_SHAPE_FIELDS) };
  return { ...region, ...shapes, operationId, side, whole: shape !== undefined };
}

/** Images that are looked at together. */
const IMAGES_A_STEP = 512;

/** Takes the items of an operation from one side to the other. What is there already stays as it is. */
export async function moveItems(work: Work, operationId: number, from: Side, range = ALL_IDS): Promise<void> {
  const { db } = work;
  const within = inRange(sql.ref('image_id'), range);
  const touched = db
    .selectFrom('operation_label')
    .select('image_id')
    .where('operation_id', '=', operationId)
    .where(sql<boolean>`${within}`)
    .union(
      db
        .selectFrom('operation_region')
        .select('image_id')
        .where('operation_id', '=', operationId)
        .where(sql<boolean>`${within}`),
    );
  let after: Uint8Array = NO_BYTES;
  for (;;) {
    const [page] = await work.read([
      db
        .selectFrom(touched.as('touched'))
        .select('image_id')
        .where('image_id', '>', after)
        .orderBy('image_id')
        .limit(IMAGES_A_STEP),
    ]);
    await moveItemsOf(
      work,
      operationId,
      from,
      page.map(({ image_id }) => hexOf(image_id)),
    );
    if (page.length < IMAGES_A_STEP) return;
    after = page[page.length - 1].image_id;
  }
}

async function moveItemsOf(work: Work, operationId: number, from: Side, imageIds: readonly string[]): Promise<void> {
  const { db } = work;
  const labels: FieldsOf<typeof operationLabels.columns>[] = [];
  const regions: RegionEntry[] = [];
  for (const chunk of chunks(imageIds.map(imageKey))) {
    const [labelRows, regionRows] = await work.read([
      db
        .selectFrom('operation_label')
        .selectAll()
        .where('operation_id', '=', operationId)
        .where('image_id', 'in', chunk),
      db
        .selectFrom('operation_region')
        .selectAll()
        .where('operation_id', '=', operationId)
        .where('image_id', 'in', chunk),
    ]);
    labels.push(...labelRows.map(labelEntryOf));
    regions.push(...regionRows.map(regionEntryOf));
  }
  const now = await readPlaces(work, imageIds);
  const spoiled = takeLabels(
    work,
    now,
    labels.filter(({ side }) => side === from),
  );
  moveRegions(work, now, operationId, from, regions);
  putLabels(
    work,
    now,
    labels.filter(({ side }) => side !== from),
    spoiled,
  );
  work.touch(imageIds);
}

/** Takes away labels that stand as they were written; gives the voices that have said something else since. */
function takeLabels(work: Work, now: Places, labels: readonly LabelFields[]): Set<string> {
  const isIntact = (label: LabelFields) => {
    const there = now.labels.get(labelKeyOf(label));
    return there?.sequence === label.sequence && there.present === label.present;
  };
  const spoiled = new Set(labels.filter((label) => !isIntact(label)).map(voiceOf));
  for (const label of labels.filter(isIntact)) {
    work.add(LABEL_STATEMENTS.drop, label);
    now.labels.delete(labelKeyOf(label));
  }
  return spoiled;
}

function putLabels(work: Work, now: Places, labels: readonly LabelFields[], spoiled: ReadonlySet<string>): void {
  for (const label of labels) {
    const stands = label.regionId === '' || now.regions.has(label.regionId);
    if (!stands || spoiled.has(voiceOf(label)) || now.labels.has(labelKeyOf(label))) continue;
    work.add(LABEL_STATEMENTS.put, label);
    now.labels.set(labelKeyOf(label), label);
  }
}

function moveRegions(work: Work, now: Places, operationId: number, from: Side, entries: readonly RegionEntry[]): void {
  const labelled = new Set<RegionId>();
  const spokenOf = new Set<RegionId>();
  for (const { regionId, origin } of now.labels.values()) {
    labelled.add(regionId);
    if (!isMachine(origin)) spokenOf.add(regionId);
  }
  for (const [id, sides] of Map.groupBy(entries, (entry) => entry.id)) {
    const was = sides.find(({ side }) => side === from);
    const becomes = sides.find(({ side }) => side !== from);
    const there = now.regions.get(id);
    const isIntact = was === undefined ? there === undefined : there !== undefined && isSame(there, was);
    if (!isIntact) continue;
    // What is taken away is kept whole, shapes that came later included, for the way back.
    if (there !== undefined && was?.whole) {
      const shape = now.shapes.get(id) ?? null;
      work.add(KEEP.regionAfter, entryOf(operationId, from, { region: there, shape }));
    }
    if (becomes !== undefined) {
      restoreRegion(work, becomes, spokenOf.has(id));
      now.regions.set(id, becomes);
    } else if (!labelled.has(id)) {
      work.add(REGION_STATEMENTS.dropShape, { imageId: sides[0].imageId, regionId: id });
      work.add(REGION_STATEMENTS.drop, { imageId: sides[0].imageId, id });
      now.regions.delete(id);
    }
  }
}

function restoreRegion(work: Work, entry: RegionEntry, isSpokenOf: boolean): void {
  const { imageId, id: regionId, touched, whole, keypoints, mask, polygons, details } = entry;
  work.add(REGION_STATEMENTS.restore, { ...entry, touched: touched || isSpokenOf });
  if (!whole) return;
  const isBare = keypoints === null && mask === null && polygons === null && details === null;
  if (isBare) work.add(REGION_STATEMENTS.dropShape, { imageId, regionId });
  else work.add(REGION_STATEMENTS.putShape, { ...entry, regionId });
}

function isSame(a: RegionFields, b: RegionFields): boolean {
  return a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2 && a.deleted === b.deleted;
}

/** Fails where one of the images was changed after the writer saw it. */
export async function refuseUnexpected(work: Work, { expected }: WriteOptions): Promise<void> {
  if (expected === undefined || expected.size === 0) return;
  const changed: string[] = [];
  for (const chunk of chunks([...expected.keys()].map(imageKey))) {
    const [rows] = await work.read([revisedImages(work.db).where('image.id', 'in', chunk)]);
    for (const { id, revision } of rows) {
      const image = hexOf(id);
      if (revision !== expected.get(image)) changed.push(image);
    }
  }
  if (changed.length === 0) return;
  const images = [...new Set(changed)];
  throw new LabelsmithError(
    'REFUSED',
    `${images.length === 1 ? 'The image was' : `${images.length} images were`} changed by somebody else meanwhile`,
    {
      hint: 'Read it again, and repeat what you wanted to change.',
      details: { images },
    },
  );
}
