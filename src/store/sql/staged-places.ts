/** How images are, with what is staged of them on top. */
import type { ImageId } from '../../core/ids.ts';
import type { StagedImport } from '../import-store.ts';
import { chunks } from './chunks.ts';
import { imageKey } from './column.ts';
import { labelKeyOf, labelOfRow } from './label-rows.ts';
import type { Places } from './places.ts';
import { regionOfRow, shapeOfRow } from './region-rows.ts';
import type { Session } from './session.ts';
import { decoder } from './table.ts';
import { stagedLabels, stagedRegions } from './tables.ts';

/** Stands before the places of staged labels: they are newer than any that is there. */
export const NEWER = 2 ** 52;

const labelOf = decoder(stagedLabels);
const regionOf = decoder(stagedRegions);

export async function placesNow(
  { db, driver }: Session,
  staged: StagedImport,
  imageIds: readonly ImageId[],
  again: boolean,
): Promise<Places> {
  const places: Places = { labels: new Map(), regions: new Map(), shapes: new Map() };
  for (const chunk of chunks(imageIds.map(imageKey))) {
    const [labelRows, regionRows, shapeRows, stagedLabelRows, stagedRegionRows] = await driver.read([
      db.selectFrom('label').selectAll().where('image_id', 'in', chunk),
      db.selectFrom('region').selectAll().where('image_id', 'in', chunk),
      db.selectFrom('region_shape').selectAll().where('image_id', 'in', chunk),
      db.selectFrom('staged_label').selectAll().where('import_id', '=', staged.id).where('image_id', 'in', chunk),
      db.selectFrom('staged_region').selectAll().where('import_id', '=', staged.id).where('image_id', 'in', chunk),
    ]);
    for (const label of labelRows.map(labelOfRow)) places.labels.set(labelKeyOf(label), label);
    for (const region of regionRows.map(regionOfRow)) places.regions.set(region.id, region);
    for (const shape of shapeRows.map(shapeOfRow)) places.shapes.set(shape.regionId, shape);
    if (again) continue;
    for (const { importId: _, gone, ...label } of stagedLabelRows.map(labelOf)) {
      if (gone) places.labels.delete(labelKeyOf(label));
      else places.labels.set(labelKeyOf(label), { ...label, sequence: NEWER + label.sequence });
    }
    for (const entry of stagedRegionRows.map(regionOf)) overlay(places, entry);
  }
  return places;
}

type StagedRegion = ReturnType<typeof regionOf>;

function overlay(places: Places, { importId: _, gone, whole, ...entry }: StagedRegion): void {
  const { keypoints, mask, polygons, keypointsModelId, maskModelId, details, ...region } = entry;
  if (gone) places.regions.delete(region.id);
  else places.regions.set(region.id, region);
  if (!whole) return;
  const shape = { keypoints, mask, polygons, keypointsModelId, maskModelId, details };
  const isBare = [keypoints, mask, polygons, details].every((one) => one === null);
  if (gone || isBare) places.shapes.delete(region.id);
  else places.shapes.set(region.id, { imageId: region.imageId, regionId: region.id, ...shape });
}
