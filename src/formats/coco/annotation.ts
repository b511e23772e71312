/** One annotation of COCO's JSON as a region, with what CVAT, Datumaro and FiftyOne write beside it. */
import type { Box } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { Attributes, RegionDetails } from '../../core/region-details.ts';
import {
  arrayAt,
  badFile,
  flatKeypointsAt,
  type JsonObject,
  numberAt,
  numberIn,
  objectAt,
  polygonsAt,
  shown,
  sizeAt,
} from '../check.ts';
import { extentOf, maskBox } from '../contours.ts';
import { detailsOfAttributes, type OpenAttributes, sayJsonAttribute } from '../details.ts';
import { confidenceFrom, maskFrom, polygonsFrom, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { countsAt } from '../rle.ts';
import { extentOfRotated, type RotatedBox, rotatedOfCorners } from '../rotated-box.ts';

/** Keys that are read, or say nothing of the object. */
const KNOWN = new Set([
  'id',
  'image_id',
  'category_id',
  'bbox',
  'area',
  'iscrowd',
  'segmentation',
  'keypoints',
  'num_keypoints',
  'score',
  'attributes',
  'track_id',
  // Of coco-annotator.
  'isbbox',
  'color',
  'metadata',
  'dataset_id',
  'width',
  'height',
  'creator',
  'milliseconds',
  'events',
  'deleted',
  'deleted_at',
  'category_name',
  'extra',
]);

/** @throws `BAD_FILE` for an annotation of which no region can be made */
export function regionOf(row: JsonObject, where: string, className: string, reckoning: Reckoning): ImportedRegion {
  const { polygons, mask } = segmentationOf(row.segmentation, `${where}.segmentation`, reckoning);
  const confidence = confidenceFrom(row.score, `${where}.score`, reckoning);
  const keypoints = keypointsOf(row.keypoints, `${where}.keypoints`, reckoning);
  const attributes = attributesOf(row, where, reckoning);
  const turned = turnedBboxOf(row.bbox, where, reckoning);
  const straight = turned === null ? bboxOf(row.bbox, where, reckoning) : extentOfRotated(turned);
  const rotatedBox = turned ?? rotatedOf(straight, polygons, attributes.rotation);
  const details = detailsOf(attributes, rotatedBox, row.track_id);
  const fromCorners = rotatedBox !== null && turned === null && polygons !== null;
  const box = rotatedBox !== null && !fromCorners ? extentOfRotated(rotatedBox) : straight;
  return {
    box: hasArea(box) ? box : boxOfShapes({ polygons, mask, keypoints, box }, where, reckoning),
    where,
    unit: 'pixels',
    score: confidence,
    labels: [{ className, confidence, origin: null, task: null }],
    mask,
    polygons: fromCorners ? null : polygons,
    keypoints,
    crowd: row.iscrowd === 1 || row.iscrowd === true,
    ...areaOf(row.area, `${where}.area`, reckoning),
    ...(details === null ? {} : { details }),
  };
}

function hasArea(box: Box | null): box is Box {
  return box !== null && box[2] > box[0] && box[3] > box[1];
}

/** Some tools write numbers as text. */
function looseNumberAt(value: unknown, where: string): number {
  return typeof value === 'string' ? numberIn(value, where) : numberAt(value, where);
}

/** Null where there is none, or an empty list as some tools write. */
function bboxOf(value: unknown, where: string, reckoning: Reckoning): Box | null {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return null;
  const numbers = arrayAt(value, `${where}.bbox`).map((part, i) => looseNumberAt(part, `${where}.bbox[${i}]`));
  if (numbers.length !== 4)
    throw badFile(`${where}.bbox`, `[x, y, width, height] was expected, not ${numbers.length} numbers`);
  const [x, y, width, height] = numbers as [number, number, number, number];
  return sortedBox([x, y, x + width, y + height], `${where}.bbox`, reckoning);
}

/**
 * Five numbers are Detectron2's `XYWHA_ABS` (detectron2/structures/boxes.py): centre, size, and an angle counter-clockwise
 * in degrees.
 */
function turnedBboxOf(value: unknown, where: string, reckoning: Reckoning): RotatedBox | null {
  if (!Array.isArray(value) || value.length !== 5) return null;
  const [cx, cy, width, height, angle] = value.map((part, i) => looseNumberAt(part, `${where}.bbox[${i}]`));
  reckoning.note('box-of-five', `${where}.bbox`, shown(value));
  return { cx, cy, width: Math.abs(width), height: Math.abs(height), angleDegrees: -angle };
}

/** Around the polygons, the mask or the keypoints, where the annotation has no box of its own, or an empty one. */
function boxOfShapes(
  { polygons, mask, keypoints, box }: Pick<ImportedRegion, 'polygons' | 'mask' | 'keypoints'> & { box: Box | null },
  where: string,
  reckoning: Reckoning,
): Box {
  const seen = (keypoints ?? []).filter((point) => point[2] > 0).map(([x, y]) => [x, y]);
  const around =
    polygons !== null ? extentOf(polygons) : mask !== null ? maskBox(mask) : seen.length > 0 ? extentOf(seen) : null;
  if (around === null) {
    if (box !== null) return box;
    throw badFile(`${where}.bbox`, 'there is no box, and no shape to take it from');
  }
  reckoning.note('box-from-shape', where);
  return around;
}

function segmentationOf(
  value: unknown,
  where: string,
  reckoning: Reckoning,
): Pick<ImportedRegion, 'polygons' | 'mask'> {
  const nothing = { polygons: null, mask: null };
  if (value === null || value === undefined) return nothing;
  if (Array.isArray(value)) {
    const polygons = reckoning.attempt('polygon-left-out', () => polygonsAt(nested(value), where));
    return { mask: null, polygons: polygons === null ? null : polygonsFrom(polygons, where, reckoning) };
  }
  const mask = reckoning.attempt('mask-left-out', () => {
    const row = objectAt(value, where);
    const size = arrayAt(row.size, `${where}.size`);
    if (size.length !== 2) throw badFile(`${where}.size`, `[height, width] was expected, not ${shown(size)}`);
    const [height, width] = [sizeAt(size[0], `${where}.size[0]`), sizeAt(size[1], `${where}.size[1]`)];
    return maskFrom(height, width, countsAt(row.counts, `${where}.counts`), `${where}.counts`, reckoning);
  });
  return { polygons: null, mask };
}

/** One polygon that is not in a list of them, and polygons whose points are pairs, become what they were meant as. */
function nested(polygons: readonly unknown[]): readonly unknown[] {
  const isPoint = (part: unknown) => Array.isArray(part) && part.length === 2 && typeof part[0] === 'number';
  if (polygons.length > 0 && polygons.every((part) => typeof part === 'number')) return [polygons];
  if (polygons.length > 2 && polygons.every(isPoint)) return [polygons.flat()];
  return polygons.map((polygon) =>
    Array.isArray(polygon) && polygon.length > 0 && polygon.every(isPoint) ? polygon.flat() : polygon,
  );
}

/** Results have the confidence of each keypoint in place of its visibility. */
function keypointsOf(value: unknown, where: string, reckoning: Reckoning): ImportedRegion['keypoints'] {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return null;
  return reckoning.attempt('keypoints-left-out', () =>
    flatKeypointsAt(visible(arrayAt(value, where), where, reckoning), where),
  );
}

/** From here on a keypoint of a prediction is seen; below, it is there and hidden. */
const SEEN_FROM = 0.5;

function visible(numbers: readonly unknown[], where: string, reckoning: Reckoning): readonly unknown[] {
  const marks = numbers.filter((_, i) => i % 3 === 2);
  const isShare = (mark: unknown) => typeof mark === 'number' && mark >= 0 && mark <= 1;
  if (!marks.every(isShare) || marks.every((mark) => mark === 0 || mark === 1)) return numbers;
  reckoning.note('visibility-from-confidence', where);
  const atZero = (i: number) => numbers[i - 2] === 0 && numbers[i - 1] === 0;
  return numbers.map((part, i) => (i % 3 !== 2 ? part : atZero(i) ? 0 : Number(part) >= SEEN_FROM ? 2 : 1));
}

function areaOf(value: unknown, where: string, reckoning: Reckoning): { area?: number } {
  if (value === null || value === undefined) return {};
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return { area: value };
  reckoning.note('size-dropped', where, shown(value));
  return {};
}

/** Of the key `attributes`, and of keys that only the writing tool knows. */
function attributesOf(row: JsonObject, where: string, reckoning: Reckoning): Record<string, Attributes[string]> {
  const given = typeof row.attributes === 'object' && row.attributes !== null ? Object.entries(row.attributes) : [];
  const others = Object.entries(row).filter(([key]) => !KNOWN.has(key));
  const attributes: OpenAttributes = {};
  for (const [key, value] of [...others, ...given])
    if (value !== null) sayJsonAttribute(attributes, [key, value], `${where}.${key}`, reckoning);
  return attributes;
}

/** CVAT turns the box by `rotation`, clockwise around its centre; our own exports give its corners too. */
function rotatedOf(
  straight: Box | null,
  polygons: ImportedRegion['polygons'],
  rotation: Attributes[string] | undefined,
): RotatedBox | null {
  if (typeof rotation !== 'number' || rotation % 360 === 0) return null;
  if (polygons !== null) return polygons.length === 1 ? rotatedOfCorners(polygons[0], 0.01) : null;
  if (straight === null) return null;
  const [x1, y1, x2, y2] = straight;
  return { cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1, angleDegrees: rotation };
}

function detailsOf(
  given: Readonly<Record<string, Attributes[string]>>,
  rotatedBox: RotatedBox | null,
  trackId: unknown,
): RegionDetails | null {
  const attributes = { ...given };
  // An angle of which no box could be made stays what it was.
  if (attributes.rotation === 0 || rotatedBox !== null) delete attributes.rotation;
  if (typeof trackId === 'string' || typeof trackId === 'number') attributes.track_id = trackId;
  return detailsOfAttributes(attributes, rotatedBox);
}
