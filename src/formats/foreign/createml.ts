/**
 * Create ML's annotations (developer.apple.com/documentation/createml, "Building an object detector data source"): a list of
 * images, whose boxes are a centre and a size in pixels. labelImg and Roboflow write `image` and `annotations`, Apple
 * `imagefilename` and `annotation`, which of an image classifier is its class.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { classNameAt, fileNameAt, type JsonObject, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { eachJsonStream } from '../json-files.ts';
import { confidenceFrom, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { imagesOfRows, isJsonName, rowsOfList } from './images.ts';
import { imageOf, labelOf, numbersAt, shapeOf, shapesIn, splitOfPath } from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isJsonName,
    hint: 'Create ML has one JSON file beside the pictures.',
  };
  yield* eachJsonStream(path, options, (file, name) => {
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    const rows = rowsOfList(file, name);
    return imagesOfRows(rows, { reckoning, unreadable: 'image-unreadable' }, (row, where) => {
      const image = imageOfRow(row, where, reckoning);
      const others = folder === '' ? {} : { otherNames: [image.file] };
      return { ...image, file: folder + image.file, ...others, split: splitOfPath(name) };
    });
  });
}

function imageOfRow(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const file = fileNameAt(row.image ?? row.imagefilename ?? row.filename, `${where}.image`);
  const said = row.annotations ?? row.annotation ?? row.label;
  if (typeof said === 'string')
    return imageOf({ file, labels: [labelOf(classNameAt(said, `${where}.annotation`))], where }, reckoning);
  const list = said != null && !Array.isArray(said) ? [said] : said;
  const labels = Array.isArray(list)
    ? list.flatMap((one, i) => {
        const className = typeof one === 'string' ? one : isOfImage(one) ? one.label : null;
        return className === null ? [] : [labelOf(classNameAt(className, `${where}.annotations[${i}]`))];
      })
    : [];
  const boxes = Array.isArray(list) ? list.filter((one) => typeof one !== 'string' && !isOfImage(one)) : list;
  const shapes = shapesIn(boxes, `${where}.annotations`, reckoning, (one, at) => boxOf(one, at, reckoning));
  return imageOf({ file, labels, shapes, where }, reckoning);
}

function isOfImage(one: unknown): one is JsonObject {
  return typeof one === 'object' && one !== null && 'label' in one && !('coordinates' in one);
}

function boxOf(row: JsonObject, where: string, reckoning: Reckoning): Shape {
  const [x, y, width, height] = numbersAt(row.coordinates, ['x', 'y', 'width', 'height'], `${where}.coordinates`);
  const numbers = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  // No object is smaller than a pixel.
  const inFractions = [x, y, width, height].every((number) => number >= 0 && number <= 1);
  if (inFractions) reckoning.note('box-in-fractions', where, shown([x, y, width, height]));
  return shapeOf(
    { kind: 'box', box: sortedBox(numbers, where, reckoning) },
    {
      className: classNameAt(row.label, `${where}.label`),
      where,
      confidence: confidenceFrom(row.confidence, `${where}.confidence`, reckoning),
      unit: inFractions ? 'fractions' : 'pixels',
    },
  );
}
