/** Objects and images as readers of this folder put them together. */
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { arrayAt, badFile, type JsonObject, numberAt, objectAt } from '../check.ts';
import { hasRoom, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { regionsOfShapes, type Shape } from '../shapes.ts';
import { splitOfName } from '../split-names.ts';

export function labelOf(className: string, confidence: number | null = null, annotator?: string | null): ImportedLabel {
  return { className, confidence, origin: null, task: null, ...(annotator == null ? {} : { annotator }) };
}

export interface Said {
  readonly className: string;
  readonly where: string;
  readonly confidence?: number | null;
  readonly annotator?: string | null;
  readonly details?: RegionDetails | null;
  readonly crowd?: boolean;
  /** Default: pixels. */
  readonly unit?: Shape['unit'];
  /** See `Shape.group`. */
  readonly group?: string | null;
}

export function shapeOf(form: Shape['form'], said: Said): Shape {
  const {
    className,
    where,
    confidence = null,
    annotator,
    details,
    crowd = false,
    unit = 'pixels',
    group = null,
  } = said;
  return {
    group,
    labels: [labelOf(className, confidence, annotator)],
    score: confidence,
    crowd,
    where,
    unit,
    form,
    ...(details == null ? {} : { details }),
  };
}

export function boxForm(corners: readonly number[], where: string, reckoning: Reckoning): Shape['form'] {
  return { kind: 'box', box: sortedBox(corners, where, reckoning) };
}

/** Numbers of an object by their keys. */
export function numbersAt(value: unknown, keys: readonly string[], where: string): number[] {
  const row = objectAt(value, where);
  return keys.map((key) => numberAt(row[key], `${where}.${key}`));
}

/** So many numbers of a list. */
export function numbersOf(value: unknown, count: number, where: string): number[] {
  const list = arrayAt(value, where);
  if (list.length !== count) throw badFile(where, `${count} numbers were expected, not ${list.length}`);
  return list.map((part) => numberAt(part, where));
}

/** The corners of what has a corner and a size under these four keys. */
export function cornersAt(value: unknown, keys: readonly [string, string, string, string], where: string): Box {
  const [x, y, width, height] = numbersAt(value, keys, where) as [number, number, number, number];
  return [x, y, x + width, y + height];
}

/** `[x, y, …]` of points that are pairs or have `x` and `y`. */
export function pointsAt(value: unknown, where: string): number[] {
  return arrayAt(value, where).flatMap((point, i) => {
    const at = `${where}[${i}]`;
    if (!Array.isArray(point)) return numbersAt(point, ['x', 'y'], at);
    return numbersOf(point, 2, at);
  });
}

export function polygonForm(polygon: readonly number[], where: string): Shape['form'] {
  if (polygon.length < 6) throw badFile(where, `a polygon of ${polygon.length / 2} points`);
  return { kind: 'polygon', polygon };
}

/** One point, which is a keypoint without a box. */
export function pointForm(points: readonly number[], where: string): Shape['form'] {
  if (points.length !== 2) throw badFile(where, `one point was expected, not ${points.length / 2}`);
  return { kind: 'keypoints', keypoints: [[points[0], points[1], 2]] };
}

/** What has no area and is no single point, as the box around it, which is told. */
export function outlineAsBox(
  points: readonly number[],
  kind: string,
  where: string,
  reckoning: Reckoning,
): Shape['form'] {
  const [xs, ys] = [0, 1].map((axis) => points.filter((_, i) => i % 2 === axis));
  if (xs.length === 0) throw badFile(where, 'there are no points');
  reckoning.note('shape-as-box', where, kind);
  const least = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.min(a, b));
  const most = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b));
  return { kind: 'box', box: [least(xs), least(ys), most(xs), most(ys)] };
}

/**
 * Shapes of a list. One that cannot be read is left out and told.
 * @param read none, one or several shapes of an element
 */
export function shapesIn(
  value: unknown,
  where: string,
  reckoning: Reckoning,
  read: (row: JsonObject, where: string, index: number) => readonly Shape[] | Shape | null,
): Shape[] {
  const shapes: Shape[] = [];
  for (const [i, given] of (value == null ? [] : arrayAt(value, where)).entries()) {
    const at = `${where}[${i}]`;
    if (!hasRoom(shapes, at, reckoning)) continue;
    const found = reckoning.attempt('object-unreadable', () => read(objectAt(given, at), at, i));
    if (found !== null) shapes.push(...[found].flat());
  }
  return shapes;
}

export interface ImageParts {
  readonly file: string;
  readonly otherNames?: readonly string[];
  readonly width?: number | null;
  readonly height?: number | null;
  readonly labels?: readonly ImportedLabel[];
  readonly shapes?: readonly Shape[];
  readonly where: string;
  readonly split?: string | null;
  readonly attributes?: ImportedImage['attributes'];
}

export function imageOf(parts: ImageParts, reckoning: Reckoning): ImportedImage {
  const {
    file,
    otherNames = [],
    width = null,
    height = null,
    labels = [],
    shapes = [],
    where,
    split,
    attributes,
  } = parts;
  const others = [...new Set(otherNames)].filter((name) => name !== '' && name !== file);
  return {
    file,
    ...(others.length === 0 ? {} : { otherNames: others }),
    width,
    height,
    labels,
    regions: regionsOfShapes(shapes, reckoning),
    where,
    split: split ?? null,
    ...(attributes === undefined || Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

/** The split that a folder on the way to a file is called after. */
export function splitOfPath(file: string): string | null {
  return splitAmong(file.split('/').slice(0, -1));
}

/** The first split that one of these is called after. */
export function splitAmong(words: readonly string[]): string | null {
  return words.map(splitOfName).find((split) => split !== null) ?? null;
}

/** A path with a folder of labels in it, and the same with the folder of pictures in its place. */
export function withFolder(file: string, labels: RegExp, pictures: string): string {
  const parts = file.split('/');
  const at = parts.slice(0, -1).findLastIndex((part) => labels.test(part));
  return at < 0 ? file : parts.with(at, parts[at].replace(labels, pictures)).join('/');
}
