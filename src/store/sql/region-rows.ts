/** Regions and their shapes between rows and records, and the statements that write them. */
import type { StoredRegion } from '../store.ts';
import { imageId, regionId } from './column.ts';
import type { Dictionary } from './dictionary.ts';
import { runIdOf } from './dictionary.ts';
import type { FieldsOf } from './statement.ts';
import { statement } from './statement.ts';
import { decoder, insert, type RowOf, remove } from './table.ts';
import { regionShapes, regions } from './tables.ts';

export type RegionRow = RowOf<typeof regions.columns>;
export type RegionFields = FieldsOf<typeof regions.columns>;
export type ShapeRow = RowOf<typeof regionShapes.columns>;
export type ShapeFields = FieldsOf<typeof regionShapes.columns>;

export const regionOfRow = decoder(regions);
export const shapeOfRow = decoder(regionShapes);

/** What `region_shape` holds of a region. */
export type RegionShape = Pick<StoredRegion, 'keypoints' | 'mask' | 'maskMaker' | 'polygons' | 'details'>;
export const NO_SHAPE: RegionShape = { keypoints: null, mask: null, polygons: null };

export function hasShape({ keypoints, mask, polygons, details }: RegionShape): boolean {
  return keypoints !== null || mask !== null || polygons !== null || details !== undefined;
}

const KEY = { imageId, id: regionId };

/** The columns of shapes for a region that has none. */
export const NO_SHAPE_FIELDS: Omit<ShapeFields, 'imageId' | 'regionId'> = {
  keypoints: null,
  mask: null,
  polygons: null,
  keypointsModelId: null,
  maskModelId: null,
  details: null,
};

export const REGION_STATEMENTS = {
  /** Inserts or replaces a region; a machine's or an import's never replaces one that a person touched. */
  put: insert(regions, {
    existing: 'replace',
    where: 'excluded.touched = 1 or (region.touched = 0 and region.deleted = 0)',
  }),
  drop: remove(regions, ['imageId', 'id']),
  /** A person's word about a region freezes it. */
  touch: statement('update region set touched = 1 where image_id = :imageId and id = :id', KEY),
  /** Whatever is there: for undoing. */
  restore: insert(regions, { existing: 'replace' }),
  tombstone: statement('update region set touched = 1, deleted = 1 where image_id = :imageId and id = :id', KEY),
  putShape: insert(regionShapes, { existing: 'replace' }),
  dropShape: remove(regionShapes, ['imageId', 'regionId']),
  /** Set one kind of shape, and leave the others as they are. */
  putKeypoints: insert(regionShapes, {
    fields: ['imageId', 'regionId', 'keypoints', 'keypointsModelId'],
    existing: 'replace',
  }),
  putMask: insert(regionShapes, { fields: ['imageId', 'regionId', 'mask', 'maskModelId'], existing: 'replace' }),
};

/** Keypoints that a person corrected count as that person's; a mask stays its maker's until somebody makes another. */
export function makersOf({ maskMaker }: RegionShape, { modelIds }: Dictionary): ShapeMakers {
  return { keypoints: null, mask: maskMaker === undefined ? null : (modelIds.get(maskMaker) ?? null) };
}

export function regionFields(
  region: Omit<StoredRegion, keyof RegionShape | 'modelKey' | 'runId'>,
  modelId: number | null,
  runKey: number | null,
): RegionFields {
  const { id, imageId, score, touched, deleted, crowd } = region;
  const [x1, y1, x2, y2] = region.box;
  // A tombstone is a person's word too.
  return { imageId, id, x1, y1, x2, y2, score, modelId, runKey, touched: touched || deleted, deleted, crowd };
}

/** The numbers of the models that made each shape; null where a person or an import brought it. */
export interface ShapeMakers {
  readonly keypoints: number | null;
  readonly mask: number | null;
}

export function shapeFields(
  imageId: string,
  regionId: string,
  { keypoints, mask, polygons, details }: RegionShape,
  { keypoints: keypointsModelId, mask: maskModelId }: ShapeMakers,
): ShapeFields {
  return {
    imageId,
    regionId,
    keypoints,
    mask,
    polygons,
    keypointsModelId: keypoints === null ? null : keypointsModelId,
    maskModelId: mask === null ? null : maskModelId,
    details: details ?? null,
  };
}

export function shapeOf(row: ShapeRow, { modelById }: Dictionary): RegionShape {
  const { keypoints, mask, polygons, details, maskModelId } = shapeOfRow(row);
  const maker = maskModelId === null ? undefined : modelById.get(maskModelId)?.key;
  return {
    keypoints,
    mask,
    polygons,
    ...(mask === null || maker === undefined ? {} : { maskMaker: maker }),
    ...(details === null ? {} : { details }),
  };
}

export function storedRegion(row: RegionRow, shape: RegionShape, dictionary: Dictionary): StoredRegion {
  const { x1, y1, x2, y2, modelId, runKey, ...region } = regionOfRow(row);
  return {
    ...region,
    box: [x1, y1, x2, y2],
    modelKey: modelId === null ? null : (dictionary.modelById.get(modelId)?.key ?? null),
    runId: runIdOf(dictionary, runKey),
    ...shape,
  };
}
