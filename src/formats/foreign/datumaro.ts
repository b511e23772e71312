/**
 * Datumaro's own JSON (openvinotoolkit.github.io/datumaro, "Datumaro format"): `annotations/SUBSET.json` beside
 * `images/SUBSET/`, with the classes under `categories.label.labels` and an item an image. Boxes are a corner and a size,
 * polygons and points flat lists, masks run-length encoded as in COCO; shapes of one `group` and class are one region.
 */
import type { ImportedImage, ImportedLabel, Keypoints } from '../../core/dataset.ts';
import {
  arrayAt,
  badFile,
  classNameAt,
  fileNameAt,
  type JsonObject,
  numberAt,
  objectAt,
  shown,
  sizeAt,
} from '../check.ts';
import { detailsOfAttributes, plainAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { eachJsonStream } from '../json-files.ts';
import { jsonPieces } from '../json-stream.ts';
import { confidenceFrom, maskFrom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { countsAt } from '../rle.ts';
import type { Shape } from '../shapes.ts';
import { splitOfName } from '../split-names.ts';
import { imagesOfRows, isJsonName, type Row } from './images.ts';
import { boxForm, imageOf, labelOf, numbersOf, outlineAsBox, polygonForm, shapeOf, shapesIn } from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isJsonName,
    hint: 'Datumaro has annotations/SUBSET.json.',
  };
  yield* eachJsonStream(path, options, (file, name) => {
    const subset = name.slice(name.lastIndexOf('/') + 1, -'.json'.length);
    const split = subset === 'default' ? null : (splitOfName(subset) ?? subset);
    const known: string[] = [];
    const rows = itemsOf(file, name, { known, reckoning });
    return imagesOfRows(rows, { reckoning, unreadable: 'image-unreadable' }, (row, where) => ({
      ...imageOfItem(row, where, { known, subset, reckoning }),
      split,
    }));
  });
}

interface Classes {
  /** Filled with the classes, which stand before the items. */
  readonly known: string[];
  readonly reckoning: Reckoning;
}

async function* itemsOf(path: string, name: string, { known, reckoning }: Classes): AsyncGenerator<Row> {
  let hasClasses = false;
  for await (const { key, index, value } of jsonPieces(path, name)) {
    if (key === 'categories' && index === null) {
      known.push(...classesIn(value(), `${name} categories`, reckoning));
      hasClasses = true;
    }
    if (key !== 'items' || index === null) continue;
    if (!hasClasses) throw badFile(name, 'the items stand before the categories, which name their classes');
    yield { where: `${name} items[${index}]`, value };
  }
}

function classesIn(value: unknown, where: string, reckoning: Reckoning): string[] {
  const categories = objectAt(value, where);
  if (categories.points != null) reckoning.note('attribute-passed-over', `${where}.points`, 'names of keypoints');
  const label = objectAt(categories.label, `${where}.label`);
  return arrayAt(label.labels, `${where}.label.labels`).map((one, i) => {
    const at = `${where}.label.labels[${i}]`;
    const { name, parent } = objectAt(one, at);
    if (typeof parent === 'string' && parent !== '') reckoning.note('attribute-passed-over', `${at}.parent`, parent);
    return classNameAt(name, `${at}.name`);
  });
}

interface Context {
  readonly known: readonly string[];
  readonly subset: string;
  readonly reckoning: Reckoning;
}

function imageOfItem(row: JsonObject, where: string, { known, subset, reckoning }: Context): ImportedImage {
  const image = objectAt(row.image ?? row.media ?? {}, `${where}.image`);
  const id = fileNameAt(String(row.id ?? ''), `${where}.id`);
  const path = typeof image.path === 'string' ? image.path : '';
  const [height, width] = Array.isArray(image.size) ? image.size : [null, null];
  if (typeof row.attr === 'object' && row.attr !== null && Object.keys(row.attr).length > 0)
    reckoning.note('attribute-passed-over', `${where}.attr`, shown(row.attr));
  const labels: ImportedLabel[] = [];
  const shapes = shapesIn(row.annotations, `${where}.annotations`, reckoning, (one, at) => {
    if (one.type !== 'label') return shapeOfAnnotation(one, at, known, reckoning);
    labels.push(labelOf(classOf(one, known, at)));
    return [];
  });
  return imageOf(
    {
      file: path === '' ? id : `images/${subset}/${path}`,
      otherNames: [path, id],
      width: sizeFrom(width, `${where}.image.size[1]`, reckoning),
      height: sizeFrom(height, `${where}.image.size[0]`, reckoning),
      labels,
      shapes,
      where,
    },
    reckoning,
  );
}

function classOf(row: JsonObject, known: readonly string[], where: string): string {
  const name = typeof row.label_id === 'number' ? known[row.label_id] : undefined;
  if (name === undefined) throw badFile(`${where}.label_id`, `there is no class ${shown(row.label_id)}`);
  return name;
}

function shapeOfAnnotation(row: JsonObject, where: string, known: readonly string[], reckoning: Reckoning): Shape {
  const className = classOf(row, known, where);
  const attributes = { ...plainAttributes([row.attributes], `${where}.attributes`, reckoning) };
  const confidence = confidenceFrom(attributes.score, `${where}.attributes.score`, reckoning);
  delete attributes.score;
  const crowd = attributes.is_crowd === true;
  delete attributes.is_crowd;
  const group = typeof row.group === 'number' && row.group > 0 ? `${className} ${row.group}` : null;
  const details = detailsOfAttributes(attributes, null);
  return shapeOf(formOf(row, where, reckoning), { className, where, confidence, crowd, group, details });
}

function formOf(row: JsonObject, where: string, reckoning: Reckoning): Shape['form'] {
  const numbers = (value: unknown) => arrayAt(value, where).map((part) => numberAt(part, where));
  switch (row.type) {
    case 'bbox': {
      const [x, y, width, height] = numbers(row.bbox);
      return boxForm([x, y, x + width, y + height], where, reckoning);
    }
    case 'polygon':
      return polygonForm(numbers(row.points), where);
    case 'polyline':
      return outlineAsBox(numbers(row.points), 'polyline', where, reckoning);
    case 'points':
      return { kind: 'keypoints', keypoints: pointsOf(numbers(row.points), row.visibility) };
    case 'mask': {
      const rle = objectAt(row.rle, `${where}.rle`);
      const [height, width] = numbersOf(rle.size, 2, `${where}.rle.size`).map((side) =>
        sizeAt(side, `${where}.rle.size`),
      );
      const mask = maskFrom(height, width, countsAt(rle.counts, `${where}.rle.counts`), where, reckoning);
      if (mask === null) throw badFile(where, 'a mask of which nothing can be made');
      return { kind: 'mask', mask };
    }
    default:
      throw badFile(`${where}.type`, `${shown(row.type)} is no shape that can be read`);
  }
}

function pointsOf(flat: readonly number[], visibility: unknown): Keypoints {
  const seen = Array.isArray(visibility) ? visibility : [];
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, i) => {
    const mark: unknown = seen[i];
    return [flat[2 * i], flat[2 * i + 1], mark === 0 || mark === 1 ? mark : 2];
  });
}
