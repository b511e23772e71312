/**
 * Rows of VGG Image Annotator's CSV (robots.ox.ac.uk/~vgg/software/via, version 2): shape and attributes of a region
 * stand as JSON in cells of their own. The class is the attribute called `class`, `label`, `name` … or the only one; other
 * attributes stay with the region.
 */
import type { ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import type { Attributes } from '../../core/region-details.ts';
import { arrayAt, badFile, type JsonObject, jsonOf, numberAt, objectAt, shown, stringAt } from '../check.ts';
import { extentOf } from '../contours.ts';
import { fileOfCell } from '../csv-table.ts';
import { sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { RowImage, RowReader } from './row.ts';

const COLUMNS = ['filename', 'region_shape_attributes', 'region_attributes', 'file_attributes'] as const;
/** Attributes that are the class, the first that is there. */
const CLASS_KEYS = ['class', 'label', 'name', 'category', 'type', 'object'];

/** Attributes that VIA gives every picture, none of which is a class. */
const REMARKS_ON_FILES: ReadonlySet<string> = new Set(['caption', 'public_domain', 'image_url']);

const plain = (cell: string) => cell.trim().toLowerCase().replace(/^#/, '');

export function isViaHeader(header: readonly string[]): boolean {
  const names = header.map(plain);
  return COLUMNS.slice(0, 3).every((column) => names.includes(column));
}

export function viaRows(header: readonly string[], reckoning: Reckoning): RowReader {
  const names = header.map(plain);
  return ({ cells, where }) => {
    const cell = (column: (typeof COLUMNS)[number]) => (cells[names.indexOf(column)] ?? '').trim();
    const json = (column: (typeof COLUMNS)[number]) =>
      cell(column) === '' ? {} : objectAt(jsonOf(cell(column), `${where} ${column}`), `${where} ${column}`);
    const file = fileOfCell(cell('filename'));
    if (file === '') throw badFile(where, 'the file name is empty');
    const region = regionOf(json('region_shape_attributes'), json('region_attributes'), where, reckoning);
    return {
      ...viaImage(file, json('file_attributes'), where),
      regions: region === null ? [] : [region],
      answer: false,
    };
  };
}

/** What is said of the picture. */
export function viaImage(file: string, said: JsonObject, where: string): Omit<RowImage, 'regions' | 'answer'> {
  const { classes, attributes } = sortedAttributes(said, REMARKS_ON_FILES);
  return {
    file,
    where,
    width: null,
    height: null,
    split: null,
    labels: classes.map(labelOf),
    rejected: [],
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

function labelOf(className: string): ImportedLabel {
  return { className, confidence: null, origin: null, task: null };
}

/** Null for a row of an image without regions. */
export function regionOf(
  shape: JsonObject,
  said: JsonObject,
  where: string,
  reckoning: Reckoning,
): ImportedRegion | null {
  if (shape.name === undefined) return null;
  const { classes, attributes } = sortedAttributes(said);
  if (classes.length === 0) throw badFile(`${where} region_attributes`, 'no attribute of it is a class');
  const at = `${where} region_shape_attributes`;
  const number = (key: string) => numberAt(shape[key], `${at}.${key}`);
  const region = (box: ImportedRegion['box'], polygon: readonly number[] | null): ImportedRegion => ({
    box,
    unit: 'pixels',
    score: null,
    labels: classes.map(labelOf),
    mask: null,
    polygons: polygon === null ? null : [polygon],
    keypoints: null,
    crowd: false,
    where,
    ...(Object.keys(attributes).length === 0 ? {} : { details: { attributes } }),
  });
  const kind = stringAt(shape.name, `${at}.name`);
  switch (kind) {
    case 'rect': {
      const [x, y] = [number('x'), number('y')];
      return region(sortedBox([x, y, x + number('width'), y + number('height')], where, reckoning), null);
    }
    case 'polygon':
    case 'polyline': {
      const xs = arrayAt(shape.all_points_x, `${at}.all_points_x`);
      const ys = arrayAt(shape.all_points_y, `${at}.all_points_y`);
      if (xs.length !== ys.length || xs.length === 0)
        throw badFile(at, `as many x as y were expected, not ${xs.length} and ${ys.length}`);
      const flat = xs.flatMap((x, i) => [
        numberAt(x, `${at}.all_points_x[${i}]`),
        numberAt(ys[i], `${at}.all_points_y[${i}]`),
      ]);
      if (kind === 'polyline') reckoning.note('shape-as-box', at, kind);
      return region(extentOf([flat]), kind === 'polygon' && flat.length >= 6 ? flat : null);
    }
    case 'circle':
    case 'ellipse': {
      reckoning.note('shape-as-box', at, kind);
      const [rx, ry] = kind === 'circle' ? [number('r'), number('r')] : [number('rx'), number('ry')];
      const angle = typeof shape.theta === 'number' ? shape.theta : 0;
      const dx = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
      const dy = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
      const [cx, cy] = [number('cx'), number('cy')];
      return region([cx - dx, cy - dy, cx + dx, cy + dy], null);
    }
    case 'point':
      return {
        ...region([number('cx'), number('cy'), number('cx'), number('cy')], null),
        keypoints: [[number('cx'), number('cy'), 2]],
      };
    default:
      throw badFile(`${at}.name`, `${shown(kind)} is no shape that can be read`);
  }
}

/** Classes, and the attributes that are none. A choice of several is an object of `true` and `false`. */
function sortedAttributes(
  said: JsonObject,
  remarks: ReadonlySet<string> = new Set(),
): { classes: string[]; attributes: Attributes } {
  const keys = Object.keys(said);
  const byName = CLASS_KEYS.map((name) => keys.find((key) => key.toLowerCase() === name)).find(
    (key) => key !== undefined,
  );
  const classKey = byName ?? (keys.length === 1 && !remarks.has(keys[0]) ? keys[0] : undefined);
  const classes: string[] = [];
  const attributes: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(said)) {
    const chosen =
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([choice, on]) => (on === true ? [choice] : []))
        : [String(value)];
    if (key === classKey) classes.push(...chosen.filter((choice) => choice.trim() !== ''));
    else if (chosen.length > 0 && chosen[0] !== '') attributes[key] = chosen.join(', ');
  }
  return { classes, attributes };
}
