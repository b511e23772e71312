/**
 * Reads Label Studio's JSON, as exported (`JSON`) or as imported: annotations and predictions of every task, whatever
 * the control tags are called. Shapes with a `parentID` belong to that region. A turned rectangle comes as the box around
 * it and its corners as a polygon, an ellipse as the box around it.
 *
 * Tasks are the elements of one list; one is resident at a time.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import type { Origin } from '../../core/labels.ts';
import {
  arrayAt,
  badFile,
  classNameAt,
  confidenceOf,
  fileNameAt,
  type JsonObject,
  numberAt,
  objectAt,
  originOf,
  sha256At,
  shown,
  sizeAt,
  stringAt,
} from '../check.ts';
import { extentOf, maskBox, maskOfBitmap } from '../contours.ts';
import { jsonElements } from '../json-stream.ts';
import { regionsOfShapes, type Shape } from '../shapes.ts';
import { decodeBrush } from './brush.ts';

/** @param path the JSON file, or a folder with `tasks.json` */
export async function* readLabelStudio(path: string): AsyncGenerator<ImportedImage> {
  const file = (await stat(path)).isDirectory() ? join(path, 'tasks.json') : path;
  const name = basename(file);
  for await (const { index, value } of jsonElements(file, name)) yield taskOf(value, `${name} [${index}]`);
}

function taskOf(value: unknown, where: string): ImportedImage {
  const task = objectAt(value, where);
  const data = objectAt(task.data, `${where}.data`);
  const labels: ImportedLabel[] = [];
  const shapes: Shape[] = [];
  for (const [list, origin] of [
    ['annotations', null],
    ['predictions', 'model'],
  ] as const) {
    for (const [i, entry] of listAt(task[list], `${where}.${list}`).entries()) {
      const at = `${where}.${list}[${i}]`;
      const { result, was_cancelled: cancelled } = objectAt(entry, at);
      if (cancelled === true) continue;
      readResults(listAt(result, `${at}.result`), `${at}.result`, { origin, group: `${list}[${i}]` }, labels, shapes);
    }
  }
  return {
    file: fileOf(data, `${where}.data`),
    width: null,
    height: null,
    labels,
    regions: regionsOfShapes(shapes),
    where,
    split: data.split == null ? null : stringAt(data.split, `${where}.data.split`),
    ...(data.sha256 == null ? {} : { sha256: sha256At(data.sha256, `${where}.data.sha256`) }),
  };
}

function listAt(value: unknown, where: string): readonly unknown[] {
  return value == null ? [] : arrayAt(value, where);
}

/** The file's name: ours, else the path at the end of whatever the image's address is. */
function fileOf(data: JsonObject, where: string): string {
  if (data.file !== undefined) return fileNameAt(data.file, `${where}.file`);
  const key = ['image', 'img', 'url'].find((known) => typeof data[known] === 'string') ?? firstText(data);
  if (key === undefined) throw badFile(where, 'no key of it names an image');
  const address = fileNameAt(data[key], `${where}.${key}`);
  const path = address
    .replace(/^.*\/data\/local-files\/\?d=/, '')
    .replace(/^.*\/data\/upload\/(?:\d+\/)?(?:[0-9a-f]{8}-)?/, '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, '');
  try {
    return decodeURIComponent(path);
  } catch {
    // A per cent sign that stands for itself.
    return path;
  }
}

function firstText(data: JsonObject): string | undefined {
  return Object.keys(data).find((key) => typeof data[key] === 'string' && /[./]/.test(data[key]));
}

interface ResultSource {
  /** What an entry says that names no origin of its own. */
  readonly origin: Origin | null;
  /** Tells ids of one annotation from those of another. */
  readonly group: string;
}

function readResults(
  results: readonly unknown[],
  where: string,
  source: ResultSource,
  labels: ImportedLabel[],
  shapes: Shape[],
): void {
  const rows = results.map((result, i) => objectAt(result, `${where}[${i}]`));
  const ids = new Set(rows.map((row) => row.id));
  const points = new Map<string, { place: number; points: [number, number, 0 | 1 | 2][] }>();
  for (const [i, row] of rows.entries()) {
    const at = `${where}[${i}]`;
    const type = stringAt(row.type, `${at}.type`);
    if (type === 'relation' || type === 'textarea' || type === 'rating' || type === 'number') continue;
    const value = objectAt(row.value, `${at}.value`);
    if (type === 'choices' || type === 'taxonomy') {
      labels.push(...labelsOf(row, value, type, at, source));
      continue;
    }
    const parent = typeof row.parentID === 'string' && ids.has(row.parentID) ? row.parentID : null;
    const own = parent ?? (typeof row.id === 'string' ? row.id : null);
    const said = parent === null ? labelsOf(row, value, type, at, source) : [];
    const size = sizeOf(row, at);
    const shape = (form: Shape['form']): Shape => ({
      group: own === null ? null : `${source.group} ${own}`,
      labels: said,
      score: said[0]?.confidence ?? null,
      crowd: metaOf(row, at).crowd === true,
      where: at,
      unit: size === null ? 'fractions' : 'pixels',
      form,
    });
    const [width, height] = size ?? [1, 1];
    if (type.startsWith('keypoint')) {
      const point = pointOf(row, value, width, height, at);
      // Points with a box above them are its skeleton; one alone is a region.
      const known = parent === null ? undefined : points.get(parent);
      if (known !== undefined) known.points.push(point);
      else {
        const list = [point];
        if (parent !== null) points.set(parent, { place: shapes.length, points: list });
        shapes.push(shape({ kind: 'keypoints', keypoints: list }));
      }
    } else for (const form of formsOf(type, value, width, height, size, at)) shapes.push(shape(form));
  }
}

function metaOf(row: JsonObject, where: string): JsonObject {
  return row.meta == null ? {} : objectAt(row.meta, `${where}.meta`);
}

function sizeOf(row: JsonObject, where: string): [number, number] | null {
  if (row.original_width == null || row.original_height == null) return null;
  return [
    sizeAt(row.original_width, `${where}.original_width`),
    sizeAt(row.original_height, `${where}.original_height`),
  ];
}

/** The classes under the key of the result's type (`rectanglelabels`, `choices`); none for a shape with no class. */
function labelsOf(
  row: JsonObject,
  value: JsonObject,
  type: string,
  where: string,
  { origin }: ResultSource,
): ImportedLabel[] {
  const meta = metaOf(row, where);
  const key = value[type] === undefined && value.labels !== undefined ? 'labels' : type;
  return listAt(value[key], `${where}.value.${key}`).map((name, i) => ({
    // A taxonomy's choice is the path to it.
    className: classNameAt(Array.isArray(name) ? name.at(-1) : name, `${where}.value.${key}[${i}]`),
    confidence: row.score == null ? null : confidenceOf(numberAt(row.score, `${where}.score`), `${where}.score`),
    origin: typeof meta.origin === 'string' ? originOf(meta.origin, `${where}.meta.origin`) : origin,
    task: typeof meta.task === 'string' ? meta.task : null,
  }));
}

function percentAt(value: JsonObject, key: string, size: number, where: string): number {
  return (numberAt(value[key], `${where}.value.${key}`) / 100) * size;
}

function pointOf(
  row: JsonObject,
  value: JsonObject,
  width: number,
  height: number,
  where: string,
): [number, number, 0 | 1 | 2] {
  const visibility = metaOf(row, where).visibility ?? 2;
  if (visibility !== 0 && visibility !== 1 && visibility !== 2)
    throw badFile(`${where}.meta.visibility`, `0, 1 or 2 was expected, not ${shown(visibility)}`);
  return [percentAt(value, 'x', width, where), percentAt(value, 'y', height, where), visibility];
}

function formsOf(
  type: string,
  value: JsonObject,
  width: number,
  height: number,
  size: [number, number] | null,
  where: string,
): Shape['form'][] {
  if (type.startsWith('rectangle')) return rectangleOf(value, width, height, where);
  if (type.startsWith('ellipse')) {
    const [x, y] = [percentAt(value, 'x', width, where), percentAt(value, 'y', height, where)];
    const [rx, ry] = [percentAt(value, 'radiusX', width, where), percentAt(value, 'radiusY', height, where)];
    if (rx < 0 || ry < 0) throw badFile(where, 'the ellipse has a negative size');
    return [{ kind: 'box', box: turnedEllipse(x, y, rx, ry, value, where) }];
  }
  if (type.startsWith('polygon')) {
    const polygon = arrayAt(value.points, `${where}.value.points`).flatMap((point, i) => {
      const at = `${where}.value.points[${i}]`;
      const pair = arrayAt(point, at);
      if (pair.length !== 2) throw badFile(at, `x and y were expected, not ${shown(point)}`);
      return [(numberAt(pair[0], at) / 100) * width, (numberAt(pair[1], at) / 100) * height];
    });
    if (polygon.length < 2) throw badFile(`${where}.value.points`, 'the polygon has no points');
    return [{ kind: 'polygon', polygon }];
  }
  if (type.startsWith('brush')) {
    if (size === null) throw badFile(where, 'a brush needs original_width and original_height');
    const bytes = arrayAt(value.rle, `${where}.value.rle`).map((byte, i) => numberAt(byte, `${where}.value.rle[${i}]`));
    const pixels = decodeBrush(bytes, width * height);
    if (pixels === null)
      throw badFile(`${where}.value.rle`, `the run lengths do not hold the ${width}×${height} pixels of the image`);
    const mask = maskOfBitmap({ left: 0, top: 0, width, height, pixels }, width, height);
    // Strokes that were erased again leave nothing.
    return maskBox(mask) === null ? [] : [{ kind: 'mask', mask }];
  }
  throw badFile(
    `${where}.type`,
    `${shown(type)} is no shape that can be read`,
    'Boxes, polygons, brushes, keypoints, ellipses and choices can.',
  );
}

function rotationOf(value: JsonObject, where: string): number {
  return value.rotation == null ? 0 : (numberAt(value.rotation, `${where}.value.rotation`) * Math.PI) / 180;
}

/** Label Studio turns a rectangle clockwise around its top-left corner. */
function rectangleOf(value: JsonObject, width: number, height: number, where: string): Shape['form'][] {
  const [x, y] = [percentAt(value, 'x', width, where), percentAt(value, 'y', height, where)];
  const [w, h] = [percentAt(value, 'width', width, where), percentAt(value, 'height', height, where)];
  if (w < 0 || h < 0) throw badFile(where, 'the box has a negative size');
  const angle = rotationOf(value, where);
  if (angle === 0) return [{ kind: 'box', box: [x, y, x + w, y + h] }];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const corners = [
    [0, 0],
    [w, 0],
    [w, h],
    [0, h],
  ] as const;
  const polygon = corners.flatMap(([dx, dy]) => [x + dx * cos - dy * sin, y + dx * sin + dy * cos]);
  return [
    { kind: 'box', box: extentOf([polygon]) },
    { kind: 'polygon', polygon },
  ];
}

function turnedEllipse(x: number, y: number, rx: number, ry: number, value: JsonObject, where: string): Box {
  const angle = rotationOf(value, where);
  const dx = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
  const dy = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
  return [x - dx, y - dy, x + dx, y + dy];
}
