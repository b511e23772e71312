/**
 * The results of one annotation or prediction: classes of the image, shapes, and what is said of shapes. Results with one
 * id are of one region (`same-region.ts`).
 */
import type { ImportedLabel } from '../../core/dataset.ts';
import { ORIGINS, type Origin } from '../../core/labels.ts';
import { type Attributes, type RegionDetails, regionDetailsSchema } from '../../core/region-details.ts';
import { arrayAt, badFile, classNameAt, type JsonObject, numberAt, objectAt, shown, stringAt } from '../check.ts';
import { maskBox, maskOfBitmap } from '../contours.ts';
import { type OpenAttributes, sayAttribute } from '../details.ts';
import { confidenceFrom, MAX_MASK_PIXELS, sizeFrom, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { extentOfRotated, type RotatedBox } from '../rotated-box.ts';
import type { Shape } from '../shapes.ts';
import { decodeBrush } from './brush.ts';
import { withRegionIds } from './same-region.ts';

export interface Said {
  readonly labels: ImportedLabel[];
  readonly shapes: Shape[];
  /** Of the image. */
  readonly attributes: Record<string, Attributes[string]>;
  /** `width×height` of the picture that the results were drawn on. */
  readonly frames: Set<string>;
}

export interface ResultSource {
  /** What an entry says that names no origin of its own. */
  readonly origin: Origin | null;
  readonly annotator: string | null;
  /** Tells ids of one annotation from those of another. */
  readonly group: string;
  /** Of a prediction in a file that another tool wrote: what it says of itself, for results that say nothing. */
  readonly prediction?: { readonly score: unknown; readonly modelVersion: string | null };
}

/** Types that say something of the image, or of the region whose id they have. */
const REMARKS = new Set(['choices', 'taxonomy', 'textarea', 'rating', 'number', 'datetime']);
const OWN_ID = /^([0-9a-f]{32})-\d+$/;

interface Row {
  readonly row: JsonObject;
  readonly type: string;
  readonly at: string;
}

export function readResults(
  results: readonly unknown[],
  where: string,
  source: ResultSource,
  said: Said,
  reckoning: Reckoning,
): void {
  const rows = withRegionIds(results).flatMap((result, i): Row[] => {
    const at = `${where}[${i}]`;
    const found = reckoning.attempt('row-unreadable', () => {
      const row = objectAt(result, at);
      return { row, type: stringAt(row.type, `${at}.type`), at };
    });
    return found === null ? [] : [found];
  });
  const isRemark = ({ type }: Row) => REMARKS.has(type);
  const regionIds = new Set(rows.filter((one) => !isRemark(one)).map(({ row }) => row.id));
  const remarksOf = new Map<unknown, OpenAttributes>();
  for (const one of rows.filter(isRemark)) {
    const { row, at } = one;
    const ofRegion = row.id !== undefined && regionIds.has(row.id);
    const attributes = ofRegion ? (remarksOf.get(row.id) ?? {}) : said.attributes;
    if (ofRegion) remarksOf.set(row.id, attributes);
    reckoning.attempt(ofRegion ? 'attribute-passed-over' : 'label-unreadable', () => {
      if (!ofRegion && (one.type === 'choices' || one.type === 'taxonomy'))
        said.labels.push(...labelsOf(one, objectAt(row.value, `${at}.value`), source, reckoning));
      else addRemark(one, attributes, source, reckoning);
    });
  }
  const points = new Map<string, [number, number, 0 | 1 | 2][]>();
  const drawn = new Map<string, ImportedLabel[]>();
  for (const one of rows) {
    if (isRemark(one)) continue;
    if (one.type === 'relation' || one.type === 'pairwise' || one.type === 'ranker') {
      reckoning.note('attribute-passed-over', one.at, one.type);
      continue;
    }
    reckoning.attempt('object-unreadable', () => {
      for (const shape of shapesOf(one, { source, regionIds, points, drawn, frames: said.frames, reckoning })) {
        const version = source.prediction?.modelVersion ?? null;
        const remarks = remarksOf.get(one.row.id);
        const attributes = version === null ? remarks : { model_version: version, ...remarks };
        const written = { ...shape.details, ...ownDetails(one, reckoning) };
        const all =
          attributes === undefined ? written : { ...written, attributes: { ...written.attributes, ...attributes } };
        const details = Object.keys(all).length === 0 ? undefined : all;
        said.shapes.push(details === undefined ? shape : { ...shape, details });
      }
    });
  }
}

/** A choice, a text, a rating … under the name of its tag. A model's is passed over where a person said it otherwise. */
function addRemark(
  { row, type, at }: Row,
  attributes: OpenAttributes,
  { origin }: ResultSource,
  reckoning: Reckoning,
): void {
  const value = objectAt(row.value, `${at}.value`);
  const name = typeof row.from_name === 'string' ? row.from_name : type;
  const given = value[type === 'textarea' ? 'text' : type];
  const texts = (Array.isArray(given) ? given : [given]).map((part: unknown) =>
    Array.isArray(part) ? part.map(String).join(' / ') : part,
  );
  const [only] = texts;
  const isPlain = texts.length === 1 && (typeof only === 'number' || typeof only === 'boolean');
  if (!isPlain && !texts.some((text) => text !== undefined && text !== '')) return;
  const said = isPlain ? only : texts.map(String).join(', ');
  const known = attributes[name];
  if (origin !== null && known !== undefined) {
    if (known !== said)
      reckoning.note('attribute-passed-over', at, `${name} by a model: ${said}, and ${known} by a person`);
  } else sayAttribute(attributes, [name, said], at, reckoning);
}

/** What our own exports put into `meta`. */
function ownDetails(one: Row, reckoning: Reckoning): RegionDetails {
  const given = metaOf(one).details;
  if (given === undefined) return {};
  const found = regionDetailsSchema.safeParse(given);
  if (found.success) return found.data;
  reckoning.note('attribute-passed-over', `${one.at}.meta.details`, shown(given));
  return {};
}

function metaOf({ row, at }: Row): JsonObject {
  return row.meta == null ? {} : objectAt(row.meta, `${at}.meta`);
}

/** The classes under the key of the result's type (`rectanglelabels`, `choices`); none for a shape with no class. */
function labelsOf(one: Row, value: JsonObject, source: ResultSource, reckoning: Reckoning): ImportedLabel[] {
  const { row, type, at } = one;
  const meta = metaOf(one);
  const key = value[type] === undefined && value.labels !== undefined ? 'labels' : type;
  const given = value[key] == null ? [] : arrayAt(value[key], `${at}.value.${key}`);
  const known = ORIGINS.find((origin) => origin === meta.origin);
  if (known === undefined && meta.origin != null)
    reckoning.note('origin-dropped', `${at}.meta.origin`, shown(meta.origin));
  return given.map((name, i) => ({
    // A taxonomy's choice is the path to it.
    className: classNameAt(Array.isArray(name) ? name.at(-1) : name, `${at}.value.${key}[${i}]`),
    confidence: confidenceFrom(row.score ?? source.prediction?.score, `${at}.score`, reckoning),
    origin: known ?? source.origin,
    task: typeof meta.task === 'string' ? meta.task : null,
    ...(source.annotator === null ? {} : { annotator: source.annotator }),
    ...(source.prediction === undefined ? {} : { isPrediction: true as const }),
  }));
}

interface ShapeContext {
  readonly source: ResultSource;
  readonly regionIds: ReadonlySet<unknown>;
  /** Points of the skeleton of each region that has one. */
  readonly points: Map<string, [number, number, 0 | 1 | 2][]>;
  /** Classes of the shapes that are there, by id: a tag of shapes and a tag of labels write one shape twice. */
  readonly drawn: Map<string, ImportedLabel[]>;
  readonly frames: Set<string>;
  readonly reckoning: Reckoning;
}

function shapesOf(one: Row, { source, regionIds, points, drawn, frames, reckoning }: ShapeContext): Shape[] {
  const { row, at } = one;
  const value = objectAt(row.value, `${at}.value`);
  const parent = typeof row.parentID === 'string' && regionIds.has(row.parentID) ? row.parentID : null;
  const own = parent ?? (typeof row.id === 'string' ? row.id : null);
  const labels = parent === null ? labelsOf(one, value, source, reckoning) : [];
  const frame = frameOf(one, reckoning);
  if (frame !== null) frames.add(frame.join('×'));
  const written = OWN_ID.exec(own ?? '')?.[1];
  const shape = (form: Shape['form'], details?: Shape['details']): Shape => ({
    group: own === null ? null : `${source.group} ${own}`,
    labels,
    score: labels[0]?.confidence ?? null,
    crowd: metaOf(one).crowd === true,
    where: at,
    unit: frame === null ? 'fractions' : 'pixels',
    form,
    ...(details === undefined ? {} : { details }),
    ...(written === undefined ? {} : { writtenAs: written }),
  });
  const kind = kindOf(one, value);
  if (parent === null && own !== null) {
    const known = drawn.get(own);
    if (known !== undefined) {
      known.push(...labels.filter(({ className }) => known.every((other) => other.className !== className)));
      return [];
    }
    drawn.set(own, labels);
  }
  if (kind === 'keypoint') {
    const point = pointOf(one, value, frame ?? UNIT);
    // Points with a box above them are its skeleton; one alone is a region.
    const known = parent === null ? undefined : points.get(parent);
    if (known !== undefined) {
      known.push(point);
      return [];
    }
    const list = [point];
    if (parent !== null) points.set(parent, list);
    return [shape({ kind: 'keypoints', keypoints: list })];
  }
  if (kind === 'rectangle') {
    const rotatedBox = rotatedOf(one, value, frame ?? UNIT, reckoning);
    if (rotatedBox !== null) return [shape({ kind: 'box', box: extentOfRotated(rotatedBox) }, { rotatedBox })];
    return [shape({ kind: 'box', box: sortedBox(straightBox(one, value, frame ?? UNIT), at, reckoning) })];
  }
  const form = formOf(kind, one, value, frame, reckoning);
  return form === null ? [] : [shape(form)];
}

type Frame = readonly [width: number, height: number];
const UNIT: Frame = [1, 1];

/** The frame is that of the file. Whether places in a turned view are of the view has been different between versions: it is told. */
function frameOf({ row, at }: Row, reckoning: Reckoning): Frame | null {
  if (typeof row.image_rotation === 'number' && row.image_rotation % 360 !== 0)
    reckoning.note('turned-in-tool', `${at}.image_rotation`, `${row.image_rotation} degrees`);
  const width = sizeFrom(row.original_width, `${at}.original_width`, reckoning);
  const height = sizeFrom(row.original_height, `${at}.original_height`, reckoning);
  return width === null || height === null ? null : [width, height];
}

type Kind = 'rectangle' | 'ellipse' | 'polygon' | 'brush' | 'keypoint';

/** By the type, or, for shapes of a plain `labels` tag, by what the value holds. */
function kindOf({ type, at }: Row, value: JsonObject): Kind {
  for (const kind of ['rectangle', 'ellipse', 'polygon', 'brush', 'keypoint'] as const)
    if (type.startsWith(kind)) return kind;
  if (type === 'labels') {
    if (value.rle !== undefined) return 'brush';
    if (value.points !== undefined) return 'polygon';
    if (value.radiusX !== undefined) return 'ellipse';
    if (value.height !== undefined) return 'rectangle';
    if (value.x !== undefined) return 'keypoint';
  }
  throw badFile(
    `${at}.type`,
    `${shown(type)} is no shape that can be read`,
    'Boxes, polygons, brushes, keypoints, ellipses and choices can.',
  );
}

function percentAt(value: JsonObject, key: string, size: number, at: string): number {
  return (numberAt(value[key], `${at}.value.${key}`) / 100) * size;
}

function pointOf(one: Row, value: JsonObject, [width, height]: Frame): [number, number, 0 | 1 | 2] {
  const { at } = one;
  const visibility = metaOf(one).visibility ?? 2;
  if (visibility !== 0 && visibility !== 1 && visibility !== 2)
    throw badFile(`${at}.meta.visibility`, `0, 1 or 2 was expected, not ${shown(visibility)}`);
  return [percentAt(value, 'x', width, at), percentAt(value, 'y', height, at), visibility];
}

function rotationOf(value: JsonObject, at: string): number {
  return value.rotation == null ? 0 : numberAt(value.rotation, `${at}.value.rotation`);
}

function straightBox({ at }: Row, value: JsonObject, [width, height]: Frame): number[] {
  const [x, y] = [percentAt(value, 'x', width, at), percentAt(value, 'y', height, at)];
  return [x, y, x + percentAt(value, 'width', width, at), y + percentAt(value, 'height', height, at)];
}

/** Label Studio turns a rectangle clockwise around its top-left corner. Null where it stands straight. */
function rotatedOf(one: Row, value: JsonObject, frame: Frame, reckoning: Reckoning): RotatedBox | null {
  const angleDegrees = rotationOf(value, one.at);
  if (angleDegrees === 0) return null;
  const [x1, y1, x2, y2] = sortedBox(straightBox(one, value, frame), one.at, reckoning);
  const [width, height] = [x2 - x1, y2 - y1];
  const angle = (angleDegrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const centre = { cx: x1 + (width * cos - height * sin) / 2, cy: y1 + (width * sin + height * cos) / 2 };
  return { ...centre, width, height, angleDegrees };
}

/** Null for strokes that were erased again. */
function formOf(
  kind: Exclude<Kind, 'rectangle' | 'keypoint'>,
  { at }: Row,
  value: JsonObject,
  frame: Frame | null,
  reckoning: Reckoning,
): Shape['form'] | null {
  const [width, height] = frame ?? UNIT;
  switch (kind) {
    case 'ellipse': {
      reckoning.note('shape-as-box', at, kind);
      const [x, y] = [percentAt(value, 'x', width, at), percentAt(value, 'y', height, at)];
      const [rx, ry] = [percentAt(value, 'radiusX', width, at), percentAt(value, 'radiusY', height, at)];
      const angle = (rotationOf(value, at) * Math.PI) / 180;
      const dx = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
      const dy = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
      return { kind: 'box', box: [x - dx, y - dy, x + dx, y + dy] };
    }
    case 'polygon': {
      const polygon = arrayAt(value.points, `${at}.value.points`).flatMap((point, i) => {
        const where = `${at}.value.points[${i}]`;
        const pair = arrayAt(point, where);
        if (pair.length !== 2) throw badFile(where, `x and y were expected, not ${shown(point)}`);
        return [(numberAt(pair[0], where) / 100) * width, (numberAt(pair[1], where) / 100) * height];
      });
      if (polygon.length < 2) throw badFile(`${at}.value.points`, 'the polygon has no points');
      return { kind: 'polygon', polygon };
    }
    case 'brush': {
      if (frame === null) throw badFile(at, 'a brush needs original_width and original_height');
      if (width * height > MAX_MASK_PIXELS) throw badFile(at, `${width}×${height} pixels are more than any image has`);
      const bytes = arrayAt(value.rle, `${at}.value.rle`).map((byte, i) => numberAt(byte, `${at}.value.rle[${i}]`));
      const pixels = decodeBrush(bytes, width * height);
      if (pixels === null)
        throw badFile(`${at}.value.rle`, `the run lengths do not hold the ${width}×${height} pixels of the image`);
      const mask = maskOfBitmap({ left: 0, top: 0, width, height, pixels }, width, height);
      if (maskBox(mask) !== null) return { kind: 'mask', mask };
      reckoning.note('mask-left-out', at, 'nothing of it is set');
      return null;
    }
    default:
      kind satisfies never;
      throw new Error(`a shape ${String(kind)}`);
  }
}
