/**
 * Supervisely (docs.supervisely.com, "Supervisely JSON format"): `meta.json`, and for each data set `ann/a.jpg.json` beside
 * `img/a.jpg`. An object is a rectangle, a polygon with holes, a bitmap (a zlib-packed PNG in base64 with its origin), a point
 * or a line. Tags without a value are classes of the image, with one attributes; of an object all are attributes.
 */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import type { Attributes } from '../../core/region-details.ts';
import { arrayAt, badFile, classNameAt, type JsonObject, objectAt, shown, stringAt } from '../check.ts';
import { detailsOfAttributes, type OpenAttributes, sayAttribute } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { maskOfPicture } from '../mask-picture.ts';
import { hasRoom, MAX_MASK_PIXELS, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { imagesOfFiles, isJsonName } from './images.ts';
import {
  boxForm,
  imageOf,
  labelOf,
  numbersOf,
  outlineAsBox,
  pointForm,
  pointsAt,
  polygonForm,
  shapeOf,
  splitOfPath,
  withFolder,
} from './objects.ts';

const unpack = promisify(inflate);

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: (file: string) =>
      isJsonName(file) && !/(?:^|\/)(?:meta|obj_class_to_machine_color|key_id_map)\.json$/i.test(file),
    hint: 'Supervisely has a JSON file an image in ann.',
  };
  yield* imagesOfFiles(path, options, (row, name) => imageOfFile(row, name, reckoning));
}

interface Size {
  readonly width: number | null;
  readonly height: number | null;
}

async function imageOfFile(row: JsonObject, name: string, reckoning: Reckoning): Promise<ImportedImage> {
  const given = row.size == null ? {} : objectAt(row.size, `${name} size`);
  const size: Size = {
    width: sizeFrom(given.width, `${name} size.width`, reckoning),
    height: sizeFrom(given.height, `${name} size.height`, reckoning),
  };
  if (row.frames !== undefined || row.figures !== undefined)
    throw badFile(name, 'labels of a video or of points in space, and those of an image were expected');
  const shapes: Shape[] = [];
  for (const [i, one] of arrayAt(row.objects, `${name} objects`).entries()) {
    const where = `${name} objects[${i}]`;
    if (!hasRoom(shapes, where, reckoning)) continue;
    const shape = await reckoning.attemptFile('object-unreadable', () => shapeOfObject(one, where, size, reckoning));
    if (shape !== null) shapes.push(shape);
  }
  const stem = name.replace(/\.json$/i, '');
  const { labels, attributes } = tagsOfImage(row.tags, `${name} tags`, reckoning);
  return imageOf(
    {
      file: withFolder(stem, /^ann$/i, 'img'),
      otherNames: [withFolder(stem, /^ann$/i, 'images'), stem.slice(stem.lastIndexOf('/') + 1)],
      ...size,
      labels,
      attributes,
      shapes,
      where: name,
      split: splitOfPath(name),
    },
    reckoning,
  );
}

function tagsOfImage(
  value: unknown,
  where: string,
  reckoning: Reckoning,
): { labels: ImportedLabel[]; attributes: Attributes } {
  const labels: ImportedLabel[] = [];
  const attributes: OpenAttributes = {};
  for (const { name, value: said, annotator, at } of tagsIn(value, where))
    if (said === null) labels.push(labelOf(name, null, annotator));
    else sayAttribute(attributes, [name, said], at, reckoning);
  return { labels, attributes };
}

interface Tag {
  readonly name: string;
  readonly value: string | number | null;
  readonly annotator: string | null;
  readonly at: string;
}

function tagsIn(value: unknown, where: string): Tag[] {
  return (value == null ? [] : arrayAt(value, where)).map((given, i) => {
    const at = `${where}[${i}]`;
    const tag = objectAt(given, at);
    const said = typeof tag.value === 'string' || typeof tag.value === 'number' ? tag.value : null;
    return {
      name: classNameAt(tag.name, `${at}.name`),
      value: said === '' ? null : said,
      annotator: annotatorOf(tag),
      at,
    };
  });
}

function annotatorOf({ labelerLogin: login }: JsonObject): string | null {
  return typeof login === 'string' && login !== '' ? login : null;
}

async function shapeOfObject(given: unknown, where: string, size: Size, reckoning: Reckoning): Promise<Shape> {
  const row = objectAt(given, where);
  const tags: OpenAttributes = {};
  for (const { name, value, at } of tagsIn(row.tags, `${where}.tags`))
    sayAttribute(tags, [name, value ?? true], at, reckoning);
  return shapeOf(await formOf(row, where, size, reckoning), {
    className: classNameAt(row.classTitle, `${where}.classTitle`),
    where,
    annotator: annotatorOf(row),
    details: detailsOfAttributes(tags, null),
  });
}

async function formOf(row: JsonObject, where: string, size: Size, reckoning: Reckoning): Promise<Shape['form']> {
  // Older files say by what there is that they hold a bitmap.
  const kind = row.geometryType ?? (row.bitmap == null ? 'polygon' : 'bitmap');
  if (kind === 'bitmap') return { kind: 'mask', mask: await bitmapOf(row.bitmap, `${where}.bitmap`, size) };
  const points = objectAt(row.points, `${where}.points`);
  const exterior = pointsAt(points.exterior, `${where}.points.exterior`);
  switch (kind) {
    case 'rectangle':
      if (exterior.length !== 4)
        throw badFile(`${where}.points`, `two corners were expected, not ${exterior.length / 2}`);
      return boxForm(exterior, where, reckoning);
    case 'polygon':
      for (const [i] of arrayAt(points.interior ?? [], `${where}.points.interior`).entries())
        reckoning.note('hole-filled', `${where}.points.interior[${i}]`);
      return polygonForm(exterior, where);
    case 'point':
      return pointForm(exterior, where);
    case 'line':
      return outlineAsBox(exterior, 'line', where, reckoning);
    default:
      throw badFile(`${where}.geometryType`, `${shown(kind)} is no shape that can be read`);
  }
}

async function bitmapOf(value: unknown, where: string, { width, height }: Size) {
  const bitmap = objectAt(value, where);
  const [left, top] = numbersOf(bitmap.origin, 2, `${where}.origin`);
  if (width === null || height === null) throw badFile(where, 'a bitmap needs the size of the image');
  const packed = Buffer.from(stringAt(bitmap.data, `${where}.data`), 'base64');
  const bytes = await unpack(packed, { maxOutputLength: MAX_MASK_PIXELS }).catch((error: unknown) => {
    throw badFile(`${where}.data`, 'it cannot be unpacked', undefined, error);
  });
  return maskOfPicture(bytes, { left, top, width, height }, where);
}
