/**
 * One shape of CVAT's XML as what it is here. Boxes, polygons, masks, points, skeletons come as such; ellipses, polylines
 * and cuboids as the box around them, turned boxes as one region that knows its angle.
 */
import type { ImportedLabel, Keypoints, MaskRle } from '../../core/dataset.ts';
import { ORIGINS } from '../../core/labels.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { badFile, classNameAt, numberIn, shown } from '../check.ts';
import { extentOf, maskBox, maskOfBitmap } from '../contours.ts';
import { attributeOfText, detailsOfAttributes } from '../details.ts';
import { confidenceFromText, MAX_MASK_PIXELS, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { extentOfRotated, type RotatedBox } from '../rotated-box.ts';
import type { Shape } from '../shapes.ts';

export const SHAPES = new Set(['box', 'polygon', 'polyline', 'points', 'ellipse', 'cuboid', 'mask', 'skeleton']);

export type Given = Readonly<Record<string, string>>;

export interface OpenShape {
  readonly tag: string;
  readonly given: Given;
  /** What its attributes say. */
  readonly said: ReadonlyMap<string, string>;
  readonly where: string;
  /** Points of a skeleton. */
  readonly points: readonly (readonly [number, number, 0 | 1 | 2])[];
  readonly trackId: string | null;
}

/** The frame that the shapes were drawn in; null where the file does not say it. */
export interface Frame {
  readonly width: number | null;
  readonly height: number | null;
}

/** Attributes that our own exports add; all others are the user's. */
export const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'region',
  'score',
  'origin',
  'task',
  'crowd',
  'visibility',
]);
/** The id of a region and the position of the class among its classes. */
const OWN_REGION = /^([0-9a-f]{32})-\d+$/;

/** The region of a workspace that one of our exports wrote here; null for anybody else's shape. */
export function writtenAs(said: ReadonlyMap<string, string>): string | null {
  return OWN_REGION.exec(said.get('region')?.trim() ?? '')?.[1] ?? null;
}

/** @throws `BAD_FILE` for a shape of which nothing can be made */
export function shapeOf(open: OpenShape, frame: Frame, reckoning: Reckoning): Shape {
  const { given, said, where } = open;
  const label = labelOf(given, said, where, reckoning);
  const rotatedBox = open.tag === 'box' ? rotatedOf(given, where, reckoning) : null;
  const details = detailsOf(open, rotatedBox);
  const region = writtenAs(said);
  return {
    group: said.get('region')?.trim() || null,
    labels: [label],
    score: label.confidence,
    crowd: said.get('crowd') === 'true',
    where,
    unit: 'pixels',
    form: formOf(open, rotatedBox, frame, reckoning),
    ...(region === null ? {} : { writtenAs: region }),
    ...(details === null ? {} : { details }),
  };
}

function formOf(open: OpenShape, rotatedBox: RotatedBox | null, frame: Frame, reckoning: Reckoning): Shape['form'] {
  const { tag, given, said, where, points } = open;
  switch (tag) {
    case 'box':
      return {
        kind: 'box',
        box: rotatedBox === null ? sortedBox(cornersOf(given, where), where, reckoning) : extentOfRotated(rotatedBox),
      };
    case 'polygon':
      return { kind: 'polygon', polygon: pointsOf(given, where) };
    case 'points':
      return { kind: 'keypoints', keypoints: keypointsOf(pointsOf(given, where), said.get('visibility'), where) };
    case 'skeleton':
      if (points.length === 0) throw badFile(where, 'the skeleton has no points');
      return { kind: 'keypoints', keypoints: points };
    case 'mask':
      return { kind: 'mask', mask: maskOf(given, frame, where, reckoning) };
    case 'polyline':
      reckoning.note('shape-as-box', where, tag);
      return { kind: 'box', box: extentOf([pointsOf(given, where)]) };
    case 'ellipse': {
      reckoning.note('shape-as-box', where, tag);
      const [x, y, rx, ry] = ['cx', 'cy', 'rx', 'ry'].map((key) => Math.abs(numberOf(given, key, where)));
      const angle = given.rotation === undefined ? 0 : (numberOf(given, 'rotation', where) * Math.PI) / 180;
      const dx = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
      const dy = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
      return { kind: 'box', box: [x - dx, y - dy, x + dx, y + dy] };
    }
    case 'cuboid': {
      reckoning.note('shape-as-box', where, tag);
      const xs = Object.keys(given).filter((key) => /^x[tb][lr][12]$/.test(key));
      if (xs.length === 0) throw badFile(where, 'the cuboid has no corners');
      const flat = xs.flatMap((key) => [numberOf(given, key, where), numberOf(given, `y${key.slice(1)}`, where)]);
      return { kind: 'box', box: extentOf([flat]) };
    }
    default:
      throw new Error(`a CVAT shape ${tag}`);
  }
}

function numberOf(given: Given, key: string, where: string): number {
  const text = given[key];
  if (text === undefined) throw badFile(where, `there is no ${key}`);
  return numberIn(text, `${where} ${key}`);
}

function cornersOf(given: Given, where: string): number[] {
  return ['xtl', 'ytl', 'xbr', 'ybr'].map((key) => numberOf(given, key, where));
}

/** A box turned clockwise around its centre; null where it stands straight. */
function rotatedOf(given: Given, where: string, reckoning: Reckoning): RotatedBox | null {
  const angleDegrees = given.rotation === undefined ? 0 : numberOf(given, 'rotation', where);
  if (angleDegrees === 0) return null;
  const [x1, y1, x2, y2] = sortedBox(cornersOf(given, where), where, reckoning);
  return { cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1, angleDegrees };
}

function detailsOf({ given, said, trackId }: OpenShape, rotatedBox: RotatedBox | null): RegionDetails | null {
  const attributes = [...said].filter(([name, value]) => !OWN_ATTRIBUTES.has(name) && value !== '');
  return detailsOfAttributes(
    {
      ...Object.fromEntries(attributes.map(([name, value]) => [name, attributeOfText(value)])),
      ...placeOf(given),
      ...(given.occluded === '1' && { occluded: true }),
      ...(trackId !== null && { track_id: trackId }),
    },
    rotatedBox,
  );
}

/** Attributes of the shape itself that are 0 of most: which one lies above, and which belong together. */
export const PLACES = ['z_order', 'group_id'] as const;

function placeOf(given: Given): Record<string, number> {
  const said = PLACES.map((name) => [name, Number(given[name] ?? 0)] as const);
  return Object.fromEntries(said.filter(([, value]) => Number.isSafeInteger(value) && value !== 0));
}

export function labelOf(
  given: Given,
  said: ReadonlyMap<string, string>,
  where: string,
  reckoning: Reckoning,
): ImportedLabel {
  const saidOrigin = said.get('origin')?.trim() ?? '';
  const origin = ORIGINS.find((known) => known === saidOrigin) ?? null;
  if (origin === null && saidOrigin !== '') reckoning.note('origin-dropped', `${where} origin`, shown(saidOrigin));
  return {
    className: classNameAt(given.label, `${where} label`),
    confidence: confidenceFromText(said.get('score') ?? '', `${where} score`, reckoning),
    origin,
    task: said.get('task')?.trim() || null,
  };
}

/** Flat `[x, y, …]` of `x,y;x,y`. */
function pointsOf(given: Given, where: string): number[] {
  const text = given.points?.trim() ?? '';
  if (text === '') throw badFile(where, 'there are no points');
  return text.split(';').flatMap((pair) => {
    const cells = pair.split(',');
    if (cells.length !== 2) throw badFile(`${where} points`, `x,y was expected, not ${shown(pair)}`);
    return cells.map((cell) => numberIn(cell, `${where} points`));
  });
}

export function jointOf(given: Given, where: string): [number, number, 0 | 1 | 2] {
  const [x, y, ...rest] = pointsOf(given, where) as [number, number, ...number[]];
  if (rest.length > 0) throw badFile(`${where} points`, 'a joint of a skeleton is one point');
  return [x, y, given.outside === '1' ? 0 : given.occluded === '1' ? 1 : 2];
}

function keypointsOf(flat: readonly number[], visibility: string | undefined, where: string): Keypoints {
  const marks = visibility === undefined || visibility.trim() === '' ? null : visibility.split(',');
  const count = flat.length / 2;
  if (marks !== null && marks.length !== count)
    throw badFile(`${where} visibility`, `${count} marks were expected, not ${marks.length}`);
  return Array.from({ length: count }, (_, i) => {
    const mark = marks === null ? 2 : numberIn(marks[i], `${where} visibility`);
    if (mark !== 0 && mark !== 1 && mark !== 2)
      throw badFile(`${where} visibility`, `0, 1 or 2 was expected, not ${mark}`);
    return [flat[2 * i], flat[2 * i + 1], mark] as const;
  });
}

/** A mask is a box of pixels that may reach over the edge of the image; what is outside is cut off. */
function maskOf(given: Given, frame: Frame, where: string, reckoning: Reckoning): MaskRle {
  if (frame.width === null || frame.height === null)
    throw badFile(where, 'a mask needs the width and height of its image');
  const [left, top, width, height] = ['left', 'top', 'width', 'height'].map((key) => {
    const value = numberOf(given, key, where);
    if (!Number.isSafeInteger(value)) throw badFile(`${where} ${key}`, `whole pixels were expected, not ${value}`);
    return value;
  }) as [number, number, number, number];
  const [x1, y1] = [Math.max(left, 0), Math.max(top, 0)];
  const [x2, y2] = [Math.min(left + width, frame.width), Math.min(top + height, frame.height)];
  if (!(width > 0 && height > 0 && x2 > x1 && y2 > y1))
    throw badFile(where, `nothing of the mask of ${width}×${height} pixels at ${left}, ${top} is inside the image`);
  if (width * height > MAX_MASK_PIXELS || frame.width * frame.height > MAX_MASK_PIXELS)
    throw badFile(where, `the mask of ${width}×${height} pixels is larger than any image`);
  const pixels = pixelsOf(given, width, height, where, reckoning);
  const inside = x2 - x1 === width && y2 - y1 === height ? pixels : new Uint8Array((x2 - x1) * (y2 - y1));
  if (inside !== pixels) {
    for (let y = y1; y < y2; y++) {
      const from = (y - top) * width + x1 - left;
      inside.set(pixels.subarray(from, from + x2 - x1), (y - y1) * (x2 - x1));
    }
    reckoning.note('mask-cropped', where, `${width}×${height} pixels at ${left}, ${top}`);
  }
  const part = { left: x1, top: y1, width: x2 - x1, height: y2 - y1, pixels: inside };
  const mask = maskOfBitmap(part, frame.width, frame.height);
  if (maskBox(mask) === null) throw badFile(`${where} rle`, 'the mask is empty');
  return mask;
}

/** Shape [height, width], 0 or 1. Runs that do not add up are filled up with zeros, or cut. */
function pixelsOf(given: Given, width: number, height: number, where: string, reckoning: Reckoning): Uint8Array {
  const pixels = new Uint8Array(width * height);
  let sum = 0;
  for (const [i, cell] of (given.rle ?? '').split(',').entries()) {
    if (cell.trim() === '') continue;
    const count = numberIn(cell, `${where} rle`);
    if (!(Number.isSafeInteger(count) && count >= 0)) throw badFile(`${where} rle`, `${count} is not a run length`);
    if (i % 2 === 1) pixels.fill(1, sum, sum + count);
    sum += count;
  }
  if (sum !== pixels.length)
    reckoning.note('mask-runs-mended', where, `the runs add up to ${sum} pixels, and the mask is ${width}×${height}`);
  return pixels;
}
