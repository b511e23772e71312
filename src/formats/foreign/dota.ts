/**
 * DOTA (captain-whu.github.io/DOTA, "Annotation format"): `labelTxt/P0001.txt`, lines `imagesource:` and `gsd:`, then a row
 * an object: eight coordinates of the corners in pixels, its class, and whether it is difficult. Roboflow's "YOLOv5 oriented"
 * is the same.
 */
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { badFile, classNameAt } from '../check.ts';
import { extentOf } from '../contours.ts';
import type { ReadOptions } from '../format.ts';
import { imageOf, labelOf, splitOfPath, withFolder } from './objects.ts';
import { isRowsName, numbersIn, objectsOf, type RowsFile, rowFiles } from './rows.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isRowsName,
    hint: 'DOTA has a text file an image in labelTxt.',
  };
  for await (const file of rowFiles(path, options)) {
    const stem = file.name.slice(0, -'.txt'.length);
    const image = imageOf(
      {
        file: withFolder(stem, /^(?:labelTxt.*|labels?|annfiles)$/i, 'images'),
        otherNames: [stem],
        where: file.name,
        split: splitOfPath(file.name),
      },
      reckoning,
    );
    yield { ...image, regions: objectsOf(withoutHead(file), reckoning, regionOf) };
  }
}

function withoutHead({ name, rows }: RowsFile): RowsFile {
  return { name, rows: rows.filter(({ cells }) => !/^(?:imagesource|gsd|acquisition[^:]*):/i.test(cells.join(''))) };
}

function regionOf(cells: readonly string[], where: string): ImportedRegion {
  if (cells.length !== 9 && cells.length !== 10)
    throw badFile(where, `eight coordinates, a class and its difficulty were expected, not ${cells.length} cells`);
  const polygon = numbersIn(cells.slice(0, 8), where);
  return {
    box: extentOf([polygon]),
    where,
    unit: 'pixels',
    score: null,
    labels: [labelOf(classNameAt(cells[8], where))],
    mask: null,
    polygons: [polygon],
    keypoints: null,
    crowd: false,
    corners: 'said',
    ...(cells[9] !== undefined && cells[9] !== '0' ? { details: { difficult: true } } : {}),
  };
}
