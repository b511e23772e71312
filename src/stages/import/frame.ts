/**
 * From the frame of a label to the pixels of the image. A file that says another size than the image has was labelled on
 * another version of it: smaller or larger, so that labels are scaled, or before it was turned by its EXIF orientation,
 * so that they are turned. Of any other size nobody knows where the labels belong; they are left out.
 *
 * What reaches over the edge of the image is clipped, what cannot be is left out; the reckoning is told of all of it.
 */
import { clipBox } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion, Keypoints, MaskRle } from '../../core/dataset.ts';
import type { ImageRecord } from '../../core/image.ts';
import { clipPolygon } from '../../formats/contours.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import { type RotatedBox, turnedBoxOf } from '../../formats/rotated-box.ts';
import { resizedMask, turnedMask } from './mask-frame.ts';
import { type Turn, turnOf } from './orientation.ts';

export type Target = Pick<ImageRecord, 'width' | 'height' | 'orientation'>;

/** Where a point of the file's frame lies in the image. */
interface Mapping {
  /** Null: only scaled. */
  readonly turn: Turn | null;
  readonly scaleX: number;
  readonly scaleY: number;
  /** Size of the frame before the turn, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** Regions of an entry in pixels of the image it was matched with, wherever they lie. */
export function regionsInImage(entry: ImportedImage, image: Target, reckoning: Reckoning): ImportedRegion[] {
  return mapped(entry.regions, entry, image, reckoning);
}

/** The same, cut to the image: what is stored. */
export function regionsInside(entry: ImportedImage, image: Target, reckoning: Reckoning): ImportedRegion[] {
  return mapped(entry.regions, entry, image, reckoning).flatMap((region) => {
    const inside = clipped(region, entry, image, reckoning);
    return inside === null ? [] : [inside];
  });
}

/** Regions that a person deleted, in the same way; they are no objects and count as none. */
export function deletedInside(entry: ImportedImage, image: Target, reckoning: Reckoning): ImportedRegion[] {
  return regionsInside({ ...entry, regions: entry.deleted ?? [] }, image, reckoning);
}

function mapped(
  regions: readonly ImportedRegion[],
  entry: ImportedImage,
  image: Target,
  reckoning: Reckoning,
): ImportedRegion[] {
  if (regions.length === 0) return [];
  const mapping = mappingOf(entry, image);
  const size = `${entry.width}×${entry.height} in the file, ${image.width}×${image.height} here`;
  const place = `${entry.where}: ${entry.file}`;
  const inPixels = (region: ImportedRegion, to: Mapping) =>
    turnedBoxOf(moved(region, to, image), () => reckoning.note('corners-as-box', region.where ?? entry.where));
  if (mapping === 'unknown') {
    const pixels = regions.filter(({ unit }) => unit === 'pixels').length;
    reckoning.note('frame-unknown', place, size, pixels);
    return regions.filter(({ unit }) => unit === 'fractions').map((region) => inPixels(region, wholeOf(image)));
  }
  if (mapping !== null) reckoning.note(mapping.turn === null ? 'frame-scaled' : 'frame-turned', place, size);
  return regions.map((region) =>
    inPixels(region, region.unit === 'fractions' ? wholeOf(image) : (mapping ?? plain(image))),
  );
}

const plain = ({ width, height }: Target): Mapping => ({ turn: null, scaleX: 1, scaleY: 1, width, height });
const wholeOf = ({ width, height }: Target): Mapping => ({
  turn: null,
  scaleX: width,
  scaleY: height,
  width: 1,
  height: 1,
});

/** Null where the frame is the image, or nobody says it. */
function mappingOf({ width, height }: ImportedImage, image: Target): Mapping | 'unknown' | null {
  if (width === null || height === null) return null;
  if (width === image.width && height === image.height) return null;
  if (isScaled(width, height, image.width, image.height))
    return { turn: null, scaleX: image.width / width, scaleY: image.height / height, width, height };
  const turn = turnOf(image.orientation);
  if (turn !== null && isScaled(height, width, image.width, image.height))
    return { turn, scaleX: image.width / height, scaleY: image.height / width, width, height };
  return 'unknown';
}

/** The same picture but for its size, whose sides were rounded. */
function isScaled(width: number, height: number, toWidth: number, toHeight: number): boolean {
  return (
    Math.abs((height * toWidth) / width - toHeight) <= 1.01 || Math.abs((width * toHeight) / height - toWidth) <= 1.01
  );
}

function moved(region: ImportedRegion, mapping: Mapping, image: Target): ImportedRegion {
  const { turn, scaleX, scaleY, width, height } = mapping;
  const point = (x: number, y: number): readonly [number, number] => {
    const [tx, ty] = turn === null ? [x, y] : turn.point(x, y, width, height);
    return [tx * scaleX, ty * scaleY];
  };
  if (turn === null && scaleX === 1 && scaleY === 1) return region;
  const [x1, y1] = point(region.box[0], region.box[1]);
  const [x2, y2] = point(region.box[2], region.box[3]);
  const flat = (polygon: readonly number[]) =>
    polygon.flatMap((value, i) => (i % 2 === 0 ? point(value, polygon[i + 1]) : []));
  return {
    ...region,
    unit: 'pixels',
    box: [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)],
    polygons: region.polygons?.map(flat) ?? null,
    keypoints: region.keypoints?.map(([x, y, v]) => [...point(x, y), v] as const) ?? null,
    mask: region.mask === null ? null : maskIn(region.mask, mapping, image),
    ...(region.area === undefined ? {} : { area: region.area * scaleX * scaleY }),
    ...(region.details?.rotatedBox === undefined
      ? {}
      : { details: { ...region.details, rotatedBox: rotatedIn(region.details.rotatedBox, mapping, point) } }),
  };
}

/** A mask of the file's frame; one of another size stays, to be told of later. */
function maskIn(mask: MaskRle, { turn, width, height }: Mapping, image: Target): MaskRle {
  if (mask.size[0] !== height || mask.size[1] !== width) return mask;
  return resizedMask(turn === null ? mask : turnedMask(mask, turn), image.width, image.height);
}

function rotatedIn(
  rotated: RotatedBox,
  { turn, scaleX, scaleY }: Mapping,
  point: (x: number, y: number) => readonly [number, number],
): RotatedBox {
  const [cx, cy] = point(rotated.cx, rotated.cy);
  // Both scales are one but for the rounding of sides, or the angle is that of the image and not of the fractions.
  const [alongX, alongY] = turn === null || !turn.swaps ? [scaleX, scaleY] : [scaleY, scaleX];
  const angleDegrees = turn === null ? rotated.angleDegrees : turn.angle(rotated.angleDegrees);
  return { cx, cy, width: rotated.width * alongX, height: rotated.height * alongY, angleDegrees };
}

/** Pixels that rounding may put outside, which nobody is told of. */
const ROUNDING = 0.05;

/** Null, with a note, for what is not in the image. */
function clipped(
  region: ImportedRegion,
  entry: ImportedImage,
  image: Target,
  reckoning: Reckoning,
): ImportedRegion | null {
  const { width, height } = image;
  const where = region.where ?? entry.where;
  const [x1, y1, x2, y2] = region.box;
  const at = `box ${[x1, y1, x2, y2].map((edge) => Number(edge.toPrecision(6))).join(', ')} in ${width}×${height} pixels`;
  const beyond = Math.max(-x1 / width, -y1 / height, x2 / width - 1, y2 / height - 1);
  if (!(beyond <= 1)) {
    reckoning.note('box-far-outside', where, at);
    return null;
  }
  const box = clipBox(region.box, width, height);
  const isPoint = region.keypoints !== null;
  if (!isPoint && (x2 <= x1 || y2 <= y1)) {
    reckoning.note('box-empty', where, at);
    return null;
  }
  if (box[2] < box[0] || box[3] < box[1] || (!isPoint && (box[2] <= box[0] || box[3] <= box[1]))) {
    reckoning.note('box-outside', where, at);
    return null;
  }
  const outside = Math.max(-x1, -y1, x2 - width, y2 - height);
  // Corners of a turned box may well lie outside.
  if (outside > ROUNDING && region.details?.rotatedBox === undefined) reckoning.note('box-clipped', where, at);
  return {
    ...region,
    box,
    polygons: polygonsInside(region.polygons, image),
    keypoints: keypointsInside(region.keypoints, where, image, reckoning),
    mask: maskInside(region.mask, where, image, reckoning),
  };
}

function polygonsInside(polygons: ImportedRegion['polygons'], { width, height }: Target): ImportedRegion['polygons'] {
  if (polygons === null) return null;
  const isInside = (polygon: readonly number[]) =>
    polygon.every((value, i) => value >= 0 && value <= (i % 2 === 0 ? width : height));
  if (polygons.every(isInside)) return polygons;
  const inside = polygons
    .map((polygon) => (isInside(polygon) ? polygon : clipPolygon(polygon, width, height)))
    .filter((polygon) => polygon.length >= 6);
  return inside.length === 0 ? null : inside;
}

function keypointsInside(
  keypoints: Keypoints | null,
  where: string,
  { width, height }: Target,
  reckoning: Reckoning,
): Keypoints | null {
  if (keypoints === null) return null;
  const outside = ([x, y, v]: Keypoints[number]) => v > 0 && (x < 0 || y < 0 || x > width || y > height);
  const count = keypoints.filter(outside).length;
  if (count === 0) return keypoints;
  reckoning.note('keypoints-clipped', where, undefined, count);
  const edge = (value: number, size: number) => Math.min(Math.max(value, 0), size);
  return keypoints.map((point) => (outside(point) ? [edge(point[0], width), edge(point[1], height), point[2]] : point));
}

function maskInside(
  mask: MaskRle | null,
  where: string,
  { width, height }: Target,
  reckoning: Reckoning,
): MaskRle | null {
  if (mask === null || (mask.size[0] === height && mask.size[1] === width)) return mask;
  reckoning.note('mask-other-size', where, `${mask.size[1]}×${mask.size[0]} pixels in an image of ${width}×${height}`);
  return null;
}
