/** Regions: what a person draws, moves, deletes or imports, and reading them. */
import type { ImageId, RegionId } from '../../core/ids.ts';
import { pushTo } from '../../core/lists.ts';
import type { RegionStore, StoredRegion } from '../store.ts';
import { chunks } from './chunks.ts';
import { imageKey, regionKey } from './column.ts';
import { lostImageLabels } from './derived.ts';
import type { Dictionary } from './dictionary.ts';
import { runKeyOf } from './dictionary.ts';
import { LABEL_STATEMENTS } from './label-rows.ts';
import { type LoggedRegion, logItems, refuseUnexpected } from './operation-log.ts';
import { deletedRegions, imagesOfRegions, type Places, readPlaces } from './places.ts';
import {
  hasShape,
  makersOf,
  NO_SHAPE,
  REGION_STATEMENTS,
  type RegionRow,
  regionFields,
  regionOfRow,
  type ShapeRow,
  shapeFields,
  shapeOf,
  shapeOfRow,
  storedRegion,
} from './region-rows.ts';
import type { Session } from './session.ts';
import type { Work } from './work.ts';

export function regionStore(session: Session): RegionStore {
  return {
    regionsOf: (ids) => regionsOf(session, ids),

    async putRegions(regions, options = {}) {
      if (regions.length === 0) return;
      await session.write('regions', async (work) => {
        await refuseUnexpected(work, options);
        await work.know({
          models: regions.flatMap(({ modelKey, maskMaker }) => [modelKey ?? [], maskMaker ?? []].flat()),
        });
        const before = await regionsNow(work, regions);
        // What a person touched stays whole: its shape is not replaced either.
        const open = regions.filter(({ id, touched }) => touched || before.get(id)?.region.touched !== true);
        for (const region of open) putRegion(work, region);
        await logItems(work, { name: 'draw', arguments: {}, actor: actorOf(session, options) }, options, {
          labelsBefore: [],
          labelsAfter: [],
          regionsBefore: open.flatMap(({ id }) => before.get(id) ?? []),
          regionsAfter: open.map((region) => ({ region: fieldsOf(work, region), shape: null })),
        });
        work.touch(open.map(({ imageId }) => imageId));
      });
    },

    async deleteRegionsAsHuman(ids, options = {}) {
      if (ids.length === 0) return;
      await session.write('regions', async (work) => {
        await refuseUnexpected(work, options);
        const imageIds = [...(await imagesOfRegions(work, ids)).values()];
        const now = await readPlaces(work, imageIds);
        await tombstoneRegions(work, now, ids, actorOf(session, options), options);
        work.touch(imageIds);
      });
    },
  };
}

/** Who acts, where a write does not say it. */
export function actorOf(session: Session, { actor }: { readonly actor?: string }): string {
  return actor ?? session.actor;
}

function fieldsOf(work: Work, region: StoredRegion) {
  const modelId = region.modelKey === null ? null : work.modelId(region.modelKey);
  return regionFields(region, modelId, region.runId === null ? null : runKeyOf(work.dictionary, region.runId));
}

function putRegion(work: Work, region: StoredRegion): void {
  const { imageId, id } = region;
  work.add(REGION_STATEMENTS.put, fieldsOf(work, region));
  if (hasShape(region))
    work.add(REGION_STATEMENTS.putShape, shapeFields(imageId, id, region, makersOf(region, work.dictionary)));
  else work.add(REGION_STATEMENTS.dropShape, { imageId, regionId: id });
}

/** These regions as they are, with their shapes. */
async function regionsNow(
  work: Work,
  regions: readonly StoredRegion[],
): Promise<Map<RegionId, Required<LoggedRegion>>> {
  const { db } = work;
  const now = new Map<RegionId, Required<LoggedRegion>>();
  for (const chunk of chunks([...new Set(regions.map(({ id }) => id))].map(regionKey))) {
    const [rows] = await work.read([db.selectFrom('region').selectAll().where('id', 'in', chunk)]);
    if (rows.length === 0) continue;
    const [shapes] = await work.read([
      db
        .selectFrom('region')
        .innerJoin('region_shape', (join) =>
          join.onRef('region_shape.image_id', '=', 'region.image_id').onRef('region_shape.region_id', '=', 'region.id'),
        )
        .selectAll('region_shape')
        .where('region.id', 'in', chunk),
    ]);
    for (const region of rows.map(regionOfRow)) now.set(region.id, { region, shape: null });
    for (const shape of shapes.map(shapeOfRow)) {
      const known = now.get(shape.regionId);
      if (known) now.set(shape.regionId, { ...known, shape });
    }
  }
  return now;
}

async function tombstoneRegions(
  work: Work,
  now: Places,
  ids: readonly RegionId[],
  actor: string,
  options: { readonly operation?: number },
): Promise<void> {
  const before = [...new Set(ids)].flatMap((id) => now.regions.get(id) ?? []);
  const deleted = new Set([...deletedRegions(now), ...ids]);
  const lost = lostImageLabels({ labels: now.labels.values(), deleted }, work.dictionary);
  for (const { imageId, id } of before) work.add(REGION_STATEMENTS.tombstone, { imageId, id });
  for (const label of lost) work.add(LABEL_STATEMENTS.drop, label);
  await logItems(work, { name: 'delete', arguments: {}, actor }, options, {
    labelsBefore: lost,
    labelsAfter: [],
    regionsBefore: before.map((region) => ({ region })),
    regionsAfter: before.map((region) => ({ region: { ...region, touched: true, deleted: true } })),
  });
}

async function regionsOf(session: Session, ids: readonly ImageId[]): Promise<Map<ImageId, StoredRegion[]>> {
  const { db } = session;
  const regions = new Map<ImageId, StoredRegion[]>();
  for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
    const { rows, dictionary } = await session.read([
      db.selectFrom('region').selectAll().where('image_id', 'in', chunk).orderBy('image_id').orderBy('id'),
      db.selectFrom('region_shape').selectAll().where('image_id', 'in', chunk),
    ]);
    for (const region of regionsOfRows(rows[0], rows[1], dictionary)) {
      pushTo(regions, region.imageId, region);
    }
  }
  return regions;
}

function regionsOfRows(
  rows: readonly RegionRow[],
  shapeRows: readonly ShapeRow[],
  dictionary: Dictionary,
): StoredRegion[] {
  const shapes = new Map(shapeRows.map((row) => [shapeOfRow(row).regionId, shapeOf(row, dictionary)]));
  return rows.map((row) => storedRegion(row, shapes.get(regionOfRow(row).id) ?? NO_SHAPE, dictionary));
}
