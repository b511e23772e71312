/**
 * V7's Darwin JSON (docs.v7labs.com/reference/darwin-json), of versions 1 and 2: a file an image, whose annotations are a
 * `bounding_box`, a `polygon` of paths, points, or a `tag`, which is a class of the image. Masks (`raster_layer`) are told as
 * left out.
 */
import type { ImportedImage, ImportedLabel, Keypoints } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, fileNameAt, type JsonObject, objectAt } from '../check.ts';
import { detailsOfAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { confidenceFrom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { imagesOfFiles, isJsonName } from './images.ts';
import {
  boxForm,
  cornersAt,
  imageOf,
  labelOf,
  numbersAt,
  outlineAsBox,
  pointForm,
  pointsAt,
  polygonForm,
  type Said,
  shapeOf,
  shapesIn,
  splitOfPath,
} from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: (file: string) => isJsonName(file) && !/(?:^|\/)\.v7\//.test(file),
    hint: 'Darwin has a JSON file an image.',
  };
  yield* imagesOfFiles(path, options, (row, name) => imageOfFile(row, name, reckoning));
}

function imageOfFile(row: JsonObject, name: string, reckoning: Reckoning): ImportedImage {
  const { file, folder, size } = placeOf(row, name);
  const labels: ImportedLabel[] = [];
  const shapes = shapesIn(row.annotations, `${name} annotations`, reckoning, (one, where) => {
    if (one.tag === undefined) return shapesOf(one, where, reckoning);
    labels.push(labelOf(classNameAt(one.name, `${where}.name`), null, annotatorOf(one)));
    return [];
  });
  const path = [...folder.split('/').filter((part) => part !== ''), file].join('/');
  return imageOf(
    {
      file: path,
      otherNames: [file],
      width: sizeFrom(size.width, `${name} width`, reckoning),
      height: sizeFrom(size.height, `${name} height`, reckoning),
      labels,
      shapes,
      where: name,
      split: splitOfPath(name),
    },
    reckoning,
  );
}

function placeOf(row: JsonObject, name: string): { file: string; folder: string; size: JsonObject } {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  if (row.image !== undefined) {
    const image = objectAt(row.image, `${name} image`);
    return {
      file: fileNameAt(image.original_filename ?? image.filename, `${name} image.filename`),
      folder: text(image.path),
      size: image,
    };
  }
  const item = objectAt(row.item, `${name} item`);
  const slots = item.slots == null ? [] : arrayAt(item.slots, `${name} item.slots`);
  const slot = slots.length === 0 ? {} : objectAt(slots[0], `${name} item.slots[0]`);
  if (slots.length > 1 || (slot.type !== undefined && slot.type !== 'image'))
    throw badFile(
      name,
      `its item is ${slots.length > 1 ? 'made of several slots' : `of type ${text(slot.type)}`}, and an image was expected`,
    );
  return { file: fileNameAt(item.name, `${name} item.name`), folder: text(item.path), size: slot };
}

function annotatorOf(row: JsonObject): string | null {
  const [first] = Array.isArray(row.annotators) ? row.annotators : [];
  const { email, full_name: name } = typeof first === 'object' && first !== null ? (first as JsonObject) : {};
  return typeof email === 'string' ? email : typeof name === 'string' ? name : null;
}

/** What may stand beside a shape. */
const NOT_READ = ['text', 'directional_vector', 'ellipse', 'cuboid', 'measures', 'properties'];

function shapesOf(row: JsonObject, where: string, reckoning: Reckoning): Shape[] {
  const className = classNameAt(row.name, `${where}.name`);
  if (row.frames !== undefined) throw badFile(where, 'an annotation of a video');
  const given = row.attributes == null ? [] : attributeList(row.attributes, where);
  const inference = row.inference == null ? {} : objectAt(row.inference, `${where}.inference`);
  const instance = row.instance_id == null ? {} : objectAt(row.instance_id, `${where}.instance_id`);
  const said: Said = {
    className,
    where,
    annotator: annotatorOf(row),
    confidence: confidenceFrom(inference.confidence, `${where}.inference.confidence`, reckoning),
    details: detailsOfAttributes(
      {
        ...Object.fromEntries(given.map((attribute) => [attribute, true] as const)),
        ...(typeof instance.value === 'number' ? { instance_id: instance.value } : {}),
      },
      null,
    ),
    group: where,
  };
  const forms = formsOf(row, where, reckoning);
  for (const key of NOT_READ)
    if (row[key] != null && !(Array.isArray(row[key]) && row[key].length === 0))
      reckoning.note('attribute-passed-over', `${where}.${key}`);
  return forms.map((form) => shapeOf(form, said));
}

function attributeList(value: unknown, where: string): string[] {
  const list = Array.isArray(value) ? value : objectAt(value, `${where}.attributes`).attributes;
  return arrayAt(list ?? [], `${where}.attributes`).map((one) => String(one));
}

function formsOf(row: JsonObject, where: string, reckoning: Reckoning): Shape['form'][] {
  const polygon = row.polygon ?? row.complex_polygon;
  const forms: Shape['form'][] = [];
  if (polygon != null) forms.push(...polygonsOf(polygon, where, reckoning));
  if (row.bounding_box != null)
    forms.push(boxForm(cornersAt(row.bounding_box, ['x', 'y', 'w', 'h'], `${where}.bounding_box`), where, reckoning));
  if (row.skeleton != null) forms.push({ kind: 'keypoints', keypoints: nodesOf(row.skeleton, `${where}.skeleton`) });
  if (row.keypoint != null) {
    const point = `${where}.keypoint`;
    forms.push(pointForm(numbersAt(row.keypoint, ['x', 'y'], point), point));
  }
  if (row.line != null) {
    const line = objectAt(row.line, `${where}.line`);
    forms.push(outlineAsBox(pointsAt(line.path, `${where}.line.path`), 'line', where, reckoning));
  }
  if (forms.length === 0)
    throw badFile(
      where,
      row.mask !== undefined || row.raster_layer !== undefined
        ? 'a mask (raster_layer), which is not read'
        : 'no shape that can be read',
    );
  return forms;
}

function polygonsOf(value: unknown, where: string, reckoning: Reckoning): Shape['form'][] {
  const polygon = objectAt(value, `${where}.polygon`);
  const first = polygon.path === undefined ? [] : [polygon.path];
  const paths = [...first, ...arrayAt(polygon.paths ?? polygon.additional_paths ?? [], `${where}.polygon.paths`)];
  // Version 1 has the points of a complex polygon's paths under `path` as lists.
  const flat = paths.flatMap((path) => (Array.isArray(path) && Array.isArray(path[0]) ? path : [path]));
  const polygons = flat.map((path, i) => pointsAt(path, `${where}.polygon.paths[${i}]`));
  return polygons.map((polygon, i) => {
    const at = `${where}.polygon.paths[${i}]`;
    const form = polygonForm(polygon, at);
    if (polygons.some((other) => other !== polygon && isInside(polygon, other))) reckoning.note('hole-filled', at);
    return form;
  });
}

/** Whether the first point of a polygon lies in another one, by the crossings of a ray to the right. */
function isInside([x, y]: readonly number[], polygon: readonly number[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x1, y1, x2, y2] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

function nodesOf(value: unknown, where: string): Keypoints {
  return arrayAt(objectAt(value, where).nodes, `${where}.nodes`).map((node, i) => {
    const [x, y] = numbersAt(node, ['x', 'y'], `${where}.nodes[${i}]`);
    return [x, y, (node as JsonObject).occluded === true ? 1 : 2];
  });
}
