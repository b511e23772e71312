/** All that is said of some images and drawn in them, as a transaction sees it. */
import type { ImageId, ItemId, RegionId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey, regionKey } from './column.ts';
import { type LabelFields, labelKeyOf, labelOfRow } from './label-rows.ts';
import { type RegionFields, regionOfRow, type ShapeFields, shapeOfRow } from './region-rows.ts';
import type { Work } from './work.ts';

export interface Places {
  /** By key (`labelKeyOf`). */
  readonly labels: Map<string, LabelFields>;
  readonly regions: Map<RegionId, RegionFields>;
  readonly shapes: Map<RegionId, ShapeFields>;
}

export async function readPlaces(work: Work, imageIds: Iterable<ImageId>): Promise<Places> {
  const { db } = work;
  const places: Places = { labels: new Map(), regions: new Map(), shapes: new Map() };
  for (const chunk of chunks([...new Set(imageIds)].map(imageKey))) {
    const [labelRows, regionRows, shapeRows] = await work.read([
      db.selectFrom('label').selectAll().where('image_id', 'in', chunk),
      db.selectFrom('region').selectAll().where('image_id', 'in', chunk),
      db.selectFrom('region_shape').selectAll().where('image_id', 'in', chunk),
    ]);
    for (const label of labelRows.map(labelOfRow)) places.labels.set(labelKeyOf(label), label);
    for (const region of regionRows.map(regionOfRow)) places.regions.set(region.id, region);
    for (const shape of shapeRows.map(shapeOfRow)) places.shapes.set(shape.regionId, shape);
  }
  return places;
}

export function deletedRegions({ regions }: Places): Set<RegionId> {
  return new Set([...regions.values()].filter(({ deleted }) => deleted).map(({ id }) => id));
}

type Place = Pick<LabelFields, 'imageId' | 'regionId'>;

/** The two ids under which labels of these items are kept. Fails when a region is not there. */
export async function placesOf(work: Work, items: readonly ItemId[]): Promise<(item: ItemId) => Place> {
  const images = await imagesOfRegions(work, items.filter(isRegionId));
  return (item) => {
    if (isRegionId(item)) return { imageId: images.get(item) ?? '', regionId: item };
    return { imageId: item, regionId: '' };
  };
}

/** The image of each region; fails when one is not there. */
export async function imagesOfRegions(work: Work, ids: readonly RegionId[]): Promise<Map<RegionId, ImageId>> {
  const images = new Map<RegionId, ImageId>();
  for (const chunk of chunks([...new Set(ids)].map(regionKey))) {
    const [rows] = await work.read([work.db.selectFrom('region').select(['id', 'image_id']).where('id', 'in', chunk)]);
    for (const row of rows) images.set(hexOf(row.id), hexOf(row.image_id));
  }
  const unknown = ids.find((id) => !images.has(id));
  if (unknown === undefined) return images;
  throw new LabelsmithError('NOT_FOUND', `There is no region ${unknown}`, {
    hint: 'It may have been replaced by a newer run of `detect`; read the regions of its image again.',
    details: { regionId: unknown },
  });
}
