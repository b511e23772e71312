/** Between rows and records: ids, flags, images, paths, regions and the packed candidates. */
import type { z } from 'zod';
import type { Detections } from '../../core/boxes.ts';
import type { Keypoints, MaskRle } from '../../core/dataset.ts';
import type { ImageFormat, ImagePath, ImageRecord, QualityFlag } from '../../core/image.ts';
import { QUALITY_FLAGS } from '../../core/image.ts';
import { regionDetailsSchema } from '../../core/region-details.ts';
import { validateJson } from '../../core/validate.ts';
import { LabelsmithError } from '../../errors.ts';
import type { StoredRegion } from '../store.ts';
import type { ImageTable, PathTable, RegionShapeTable, RegionTable } from './schema.ts';
import { FLAG_BITS } from './schema.ts';

/** The bytes of a hexadecimal id; `digits` is what it must have. */
export function bytesOfId(id: string, digits: number): Uint8Array {
  // Decoding stops at the first character that is no hexadecimal digit.
  const bytes = Buffer.from(id, 'hex');
  if (id.length !== digits || 2 * bytes.length !== digits) {
    throw new LabelsmithError('NOT_FOUND', `"${id}" is not an id: expected ${digits} hexadecimal digits`, {
      hint: 'Ids of images have 64 digits, ids of regions 32; copy them from an export or from `labelsmith status --json`.',
    });
  }
  return bytes;
}

export const imageKey = (id: string): Uint8Array => bytesOfId(id, 64);
export const regionKey = (id: string): Uint8Array => bytesOfId(id, 32);
/** What labels of the image itself hold in place of a region, and what precedes every id. */
export const NO_BYTES = new Uint8Array(0);

export function idOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function flagBits(flags: readonly QualityFlag[]): number {
  return flags.reduce((bits, flag) => bits | FLAG_BITS[flag], 0);
}

export function flagsOf(bits: number): QualityFlag[] {
  return QUALITY_FLAGS.filter((flag) => (bits & FLAG_BITS[flag]) !== 0);
}

export function imageRow(image: ImageRecord, runKey: number): ImageTable {
  return {
    id: imageKey(image.id),
    byte_size: image.byteSize,
    format: image.format,
    width: image.width,
    height: image.height,
    orientation: image.orientation,
    frames: image.frames,
    perceptual_hash: bytesOfId(image.perceptualHash, 16),
    brightness: image.quality.brightness,
    sharpness: image.quality.sharpness,
    entropy: image.quality.entropy,
    flags: flagBits(image.flags),
    captured_at_ms: image.capturedAtMs,
    camera: image.camera,
    group_id: imageKey(image.groupId),
    run_key: runKey,
    pixel_hash: image.pixelHash == null ? null : bytesOfId(image.pixelHash, 64),
  };
}

export function imageOf(row: ImageTable): ImageRecord {
  return {
    id: idOf(row.id),
    byteSize: row.byte_size,
    format: row.format as ImageFormat,
    width: row.width,
    height: row.height,
    orientation: row.orientation,
    frames: row.frames,
    perceptualHash: idOf(row.perceptual_hash),
    quality: { brightness: row.brightness, sharpness: row.sharpness, entropy: row.entropy },
    flags: flagsOf(row.flags),
    capturedAtMs: row.captured_at_ms,
    camera: row.camera,
    groupId: idOf(row.group_id),
    ...(row.pixel_hash === null ? {} : { pixelHash: idOf(row.pixel_hash) }),
  };
}

export function pathRow(path: ImagePath, sourceRootId: number): PathTable {
  return {
    path: path.path,
    path_bytes: path.pathBytes,
    image_id: imageKey(path.imageId),
    source_root_id: sourceRootId,
    byte_size: path.byteSize,
    modified_at_ms: path.modifiedAtMs,
    missing: Number(path.missing),
  };
}

export function pathOf(row: PathTable, sourceRoot: string): ImagePath {
  return {
    imageId: idOf(row.image_id),
    path: row.path,
    pathBytes: row.path_bytes,
    sourceRoot,
    byteSize: row.byte_size,
    modifiedAtMs: row.modified_at_ms,
    missing: row.missing !== 0,
  };
}

export function regionRow(
  region: Omit<StoredRegion, keyof RegionShape | 'modelKey' | 'runId'>,
  modelId: number | null,
  runKey: number | null,
): RegionTable {
  const [x1, y1, x2, y2] = region.box;
  return {
    image_id: imageKey(region.imageId),
    id: regionKey(region.id),
    x1,
    y1,
    x2,
    y2,
    score: region.score,
    model_id: modelId,
    run_key: runKey,
    // A tombstone is a person's word too.
    touched: Number(region.touched || region.deleted),
    deleted: Number(region.deleted),
    crowd: Number(region.crowd),
  };
}

/** What `region_shape` holds. */
export type RegionShape = Pick<StoredRegion, 'keypoints' | 'mask' | 'polygons' | 'details'>;
export const NO_SHAPE: RegionShape = { keypoints: null, mask: null, polygons: null };

export function hasShape(shape: RegionShape): boolean {
  return shape.keypoints !== null || shape.mask !== null || shape.polygons !== null || shape.details != null;
}

/** `modelId` made the shapes; null when a person or an import brought them. */
export function shapeRow(
  imageId: string,
  regionId: string,
  shape: RegionShape,
  modelId: number | null,
): RegionShapeTable {
  const json = (value: unknown) => (value == null ? null : JSON.stringify(value));
  return {
    image_id: imageKey(imageId),
    region_id: regionKey(regionId),
    keypoints: json(shape.keypoints),
    mask: json(shape.mask),
    polygons: json(shape.polygons),
    keypoints_model_id: shape.keypoints === null ? null : modelId,
    mask_model_id: shape.mask === null ? null : modelId,
    details: json(shape.details),
  };
}

export function shapeOf(row: Pick<RegionShapeTable, 'region_id' | keyof RegionShape>): RegionShape {
  return {
    keypoints: row.keypoints === null ? null : (JSON.parse(row.keypoints) as Keypoints),
    mask: row.mask === null ? null : (JSON.parse(row.mask) as MaskRle),
    polygons: row.polygons === null ? null : (JSON.parse(row.polygons) as number[][]),
    ...(row.details === null
      ? {}
      : { details: stored(regionDetailsSchema, row.details, `region ${idOf(row.region_id)}`) }),
  };
}

/** JSON of the database, which only we write: what does not fit its schema is a damaged file. */
export function stored<S extends z.ZodType>(schema: S, json: string, what: string): z.output<S> {
  const hint = 'Run labelsmith doctor, or put back a copy of the workspace.';
  return validateJson(schema, json, { what: `The record of ${what}`, code: 'WORKSPACE', hint });
}

/** Bytes of one candidate: box 4 × float32, score float32, class uint16. */
const CANDIDATE_BYTES = 22;
const MOST_CLASSES = 65_536;

/**
 * Candidates of one image as bytes, little-endian, structure of arrays: boxes [n, 4] float32, scores [n] float32,
 * classes [n] uint16. An image without candidates is 0 bytes.
 */
export function packDetections(detections: Detections): Uint8Array {
  const n = detections.count;
  const bytes = new Uint8Array(n * CANDIDATE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4 * n; i++) view.setFloat32(4 * i, detections.boxes[i], true);
  for (let i = 0; i < n; i++) {
    const classIndex = detections.classes[i];
    if (!(classIndex >= 0 && classIndex < MOST_CLASSES)) {
      throw new LabelsmithError(
        'BAD_MODEL',
        `Class index ${classIndex} of a detection is not in 0 to ${MOST_CLASSES - 1}`,
      );
    }
    view.setFloat32(16 * n + 4 * i, detections.scores[i], true);
    view.setUint16(20 * n + 2 * i, classIndex, true);
  }
  return bytes;
}

export function unpackDetections(bytes: Uint8Array): Detections {
  if (bytes.byteLength % CANDIDATE_BYTES !== 0) {
    throw new LabelsmithError('WORKSPACE', `Candidates of ${bytes.byteLength} bytes are damaged`, {
      hint: 'Run `labelsmith doctor`, then `labelsmith detect --force`.',
    });
  }
  const n = bytes.byteLength / CANDIDATE_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes = new Float32Array(4 * n);
  const scores = new Float32Array(n);
  const classes = new Int32Array(n);
  for (let i = 0; i < 4 * n; i++) boxes[i] = view.getFloat32(4 * i, true);
  for (let i = 0; i < n; i++) {
    scores[i] = view.getFloat32(16 * n + 4 * i, true);
    classes[i] = view.getUint16(20 * n + 2 * i, true);
  }
  return { count: n, boxes, scores, classes };
}
