/**
 * Reads CVAT for images 1.1, streaming: one image is resident. Boxes, polygons, masks, points, skeletons and tags come as
 * what they are; ellipses, polylines and cuboids as the box around them, turned boxes as that and a polygon.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SaxesTagPlain } from 'saxes';
import type { ImportedImage, ImportedLabel, Keypoints } from '../../core/dataset.ts';
import { badFile, boxOf, classNameAt, confidenceOf, fileNameAt, numberIn, originOf, shown, sizeAt } from '../check.ts';
import { extentOf, maskOfBitmap } from '../contours.ts';
import { textPieces } from '../lines.ts';
import { regionsOfShapes, type Shape } from '../shapes.ts';
import { xmlParser } from '../xml.ts';

const SHAPES = new Set(['box', 'polygon', 'polyline', 'points', 'ellipse', 'cuboid', 'mask', 'skeleton']);

interface OpenShape {
  readonly tag: string;
  readonly given: Readonly<Record<string, string>>;
  readonly said: Map<string, string>;
  readonly where: string;
  /** Points of a skeleton. */
  readonly points: [number, number, 0 | 1 | 2][];
}

interface OpenImage {
  readonly image: ImportedImage & { readonly labels: ImportedLabel[] };
  readonly width: number;
  readonly height: number;
  readonly shapes: Shape[];
}

/** @param path the XML file, or a folder with `annotations.xml` */
export async function* readCvat(path: string): AsyncGenerator<ImportedImage> {
  const file = (await stat(path)).isDirectory() ? join(path, 'annotations.xml') : path;
  const name = basename(file);
  const reader = new CvatReader(name);
  for await (const piece of textPieces(file, name)) yield* reader.take(piece);
  yield* reader.end();
}

class CvatReader {
  readonly #name: string;
  readonly #parser: ReturnType<typeof xmlParser>;
  readonly #depth: string[] = [];
  #image: OpenImage | null = null;
  #shape: OpenShape | null = null;
  #attribute: string | null = null;
  #text = '';
  #done: ImportedImage[] = [];

  constructor(name: string) {
    this.#name = name;
    this.#parser = xmlParser(name);
    this.#parser.on('opentag', (tag) => this.#open(tag));
    this.#parser.on('closetag', (tag) => this.#close(tag.name));
    this.#parser.on('text', (text) => {
      if (this.#attribute !== null) this.#text += text;
    });
    this.#parser.on('cdata', (text) => {
      if (this.#attribute !== null) this.#text += text;
    });
  }

  /** Images that a piece of the file completes. */
  take(piece: string): ImportedImage[] {
    this.#parser.write(piece);
    const done = this.#done;
    this.#done = [];
    return done;
  }

  end(): ImportedImage[] {
    this.#parser.close();
    return this.#done;
  }

  get #where(): string {
    return `${this.#name}:${this.#parser.line}`;
  }

  #open({ name: tag, attributes }: SaxesTagPlain): void {
    if (this.#depth.length === 0 && tag !== 'annotations')
      throw badFile(this.#where, `<annotations> was expected, not <${tag}>`);
    this.#depth.push(tag);
    if (this.#shape !== null) {
      if (tag === 'attribute') {
        this.#attribute = attributes.name ?? '';
        this.#text = '';
      } else if (tag === 'points' && this.#shape.tag === 'skeleton')
        this.#shape.points.push(jointOf(attributes, this.#where));
    } else if (this.#image !== null) {
      if (SHAPES.has(tag) || tag === 'tag')
        this.#shape = { tag, given: attributes, said: new Map(), where: this.#where, points: [] };
    } else if (this.#depth.length === 2) {
      if (tag === 'image') this.#image = imageOf(attributes, this.#where);
      else if (tag === 'track')
        throw badFile(this.#where, 'this is "CVAT for video"', 'Export it as "CVAT for images 1.1".');
    }
  }

  #close(tag: string): void {
    this.#depth.pop();
    if (this.#attribute !== null && tag === 'attribute') {
      // Attributes of a skeleton's joints stand inside it too; the first word of a name is the skeleton's own.
      if (!this.#shape?.said.has(this.#attribute)) this.#shape?.said.set(this.#attribute, this.#text);
      this.#attribute = null;
    } else if (this.#shape !== null && this.#depth.length === 2) {
      take(this.#shape, this.#image as OpenImage);
      this.#shape = null;
    } else if (this.#image !== null && this.#depth.length === 1) {
      const { image, shapes } = this.#image;
      this.#done.push({ ...image, regions: regionsOfShapes(shapes) });
      this.#image = null;
    }
  }
}

type Given = Readonly<Record<string, string>>;

function imageOf(given: Given, where: string): OpenImage {
  const size = (key: string) => sizeAt(numberOf(given, key, where), `${where} ${key}`);
  const [width, height] = [size('width'), size('height')];
  const file = fileNameAt(given.name, `${where} name`);
  const split = given.subset || null;
  return { width, height, shapes: [], image: { file, width, height, labels: [], regions: [], where, split } };
}

function numberOf(given: Given, key: string, where: string): number {
  const text = given[key];
  if (text === undefined) throw badFile(where, `there is no ${key}`);
  return numberIn(text, `${where} ${key}`);
}

function take({ tag, given, said, where, points }: OpenShape, { image, width, height, shapes }: OpenImage): void {
  const label = labelOf(given, said, where);
  if (tag === 'tag') {
    image.labels.push(label);
    return;
  }
  const shape = (form: Shape['form']) =>
    shapes.push({
      group: said.get('region') || null,
      labels: [label],
      score: label.confidence,
      crowd: said.get('crowd') === 'true',
      where,
      unit: 'pixels',
      form,
    });
  switch (tag) {
    case 'box': {
      const corners = ['xtl', 'ytl', 'xbr', 'ybr'].map((key) => numberOf(given, key, where));
      const box = boxOf(...(corners as [number, number, number, number]), where);
      const polygon = turned(box, given.rotation === undefined ? 0 : numberOf(given, 'rotation', where));
      shape({ kind: 'box', box: polygon === null ? box : extentOf([polygon]) });
      if (polygon !== null) shape({ kind: 'polygon', polygon });
      break;
    }
    case 'polygon':
      shape({ kind: 'polygon', polygon: pointsOf(given, where) });
      break;
    case 'points':
      shape({ kind: 'keypoints', keypoints: keypointsOf(pointsOf(given, where), said.get('visibility'), where) });
      break;
    case 'skeleton':
      if (points.length === 0) throw badFile(where, 'the skeleton has no points');
      shape({ kind: 'keypoints', keypoints: points });
      break;
    case 'mask':
      shape({ kind: 'mask', mask: maskOf(given, width, height, where) });
      break;
    case 'polyline':
      shape({ kind: 'box', box: extentOf([pointsOf(given, where)]) });
      break;
    case 'ellipse': {
      const [x, y, rx, ry] = ['cx', 'cy', 'rx', 'ry'].map((key) => numberOf(given, key, where)) as [
        number,
        number,
        number,
        number,
      ];
      if (rx < 0 || ry < 0) throw badFile(where, 'the ellipse has a negative size');
      const angle = given.rotation === undefined ? 0 : (numberOf(given, 'rotation', where) * Math.PI) / 180;
      const dx = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
      const dy = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
      shape({ kind: 'box', box: [x - dx, y - dy, x + dx, y + dy] });
      break;
    }
    case 'cuboid': {
      const corners = Object.keys(given).filter((key) => /^[xy][tb][lr][12]$/.test(key));
      const xs = corners.filter((key) => key.startsWith('x'));
      if (xs.length === 0) throw badFile(where, 'the cuboid has no corners');
      const flat = xs.flatMap((key) => [numberOf(given, key, where), numberOf(given, `y${key.slice(1)}`, where)]);
      shape({ kind: 'box', box: extentOf([flat]) });
      break;
    }
    default:
      throw new Error(`a CVAT shape ${tag}`);
  }
}

function labelOf(given: Given, said: ReadonlyMap<string, string>, where: string): ImportedLabel {
  const confidence = said.get('score')?.trim() ?? '';
  const origin = said.get('origin')?.trim() ?? '';
  return {
    className: classNameAt(given.label, `${where} label`),
    confidence: confidence === '' ? null : confidenceOf(numberIn(confidence, `${where} score`), `${where} score`),
    origin: origin === '' ? null : originOf(origin, `${where} origin`),
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

function jointOf(given: Given, where: string): [number, number, 0 | 1 | 2] {
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

/** Corners of a box turned clockwise around its centre; null where it stands straight. */
function turned([x1, y1, x2, y2]: readonly number[], degrees: number): number[] | null {
  if (degrees === 0) return null;
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [cx, cy] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const corners = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ] as [number, number][];
  return corners.flatMap(([x, y]) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]);
}

function maskOf(given: Given, imageWidth: number, imageHeight: number, where: string) {
  const [left, top, width, height] = ['left', 'top', 'width', 'height'].map((key) => {
    const value = numberOf(given, key, where);
    if (!(Number.isInteger(value) && value >= 0))
      throw badFile(`${where} ${key}`, `whole pixels were expected, not ${value}`);
    return value;
  }) as [number, number, number, number];
  if (width === 0 || height === 0 || left + width > imageWidth || top + height > imageHeight)
    throw badFile(where, `the mask of ${width}×${height} pixels at ${left}, ${top} is not inside the image`);
  const pixels = new Uint8Array(width * height);
  let at = 0;
  for (const [i, cell] of (given.rle ?? '').split(',').entries()) {
    const count = numberIn(cell, `${where} rle`);
    if (!(Number.isInteger(count) && count >= 0 && at + count <= pixels.length))
      throw badFile(`${where} rle`, `the runs do not fit the mask's ${width}×${height} pixels`);
    if (i % 2 === 1) pixels.fill(1, at, at + count);
    at += count;
  }
  if (at !== pixels.length)
    throw badFile(`${where} rle`, `the runs add up to ${at} pixels, and the mask is ${width}×${height}`);
  if (!pixels.includes(1)) throw badFile(`${where} rle`, 'the mask is empty');
  return maskOfBitmap({ left, top, width, height, pixels }, imageWidth, imageHeight);
}
