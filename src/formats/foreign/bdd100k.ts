/**
 * BDD100K and Scalabel (doc.bdd100k.com/format.html): a list of frames, or an object with `frames`, each with `name`,
 * `attributes` and `labels`: `box2d` in pixels, `poly2d` (`vertices` with `types`, where C is a point of a Bézier curve, of
 * which the points are kept), and attributes. What the 2018 release calls `timestamp` and the like says nothing of labels.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, fileNameAt, type JsonObject, objectAt } from '../check.ts';
import { detailsOfAttributes, plainAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { eachJsonStream } from '../json-files.ts';
import { isJsonList, jsonPieces } from '../json-stream.ts';
import { confidenceFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { imagesOfRows, isJsonName, type Row, rowsOfList } from './images.ts';
import {
  boxForm,
  imageOf,
  numbersAt,
  outlineAsBox,
  pointsAt,
  polygonForm,
  shapeOf,
  shapesIn,
  splitAmong,
  splitOfPath,
} from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isJsonName,
    hint: 'BDD100K has one JSON file a split.',
  };
  yield* eachJsonStream(path, options, (file, name) => {
    const stem = name.slice(name.lastIndexOf('/') + 1, -'.json'.length);
    const split = splitAmong(stem.split(/[_.]/)) ?? splitOfPath(name);
    return imagesOfRows(framesOf(file, name), { reckoning, unreadable: 'image-unreadable' }, (row, where) => ({
      ...imageOfFrame(row, where, reckoning),
      split,
    }));
  });
}

async function* framesOf(path: string, name: string): AsyncGenerator<Row> {
  if (await isJsonList(path, name)) {
    yield* rowsOfList(path, name);
    return;
  }
  for await (const { key, index, value } of jsonPieces(path, name))
    if (key === 'frames' && index !== null) yield { where: `${name} frames[${index}]`, value };
    else if (key === 'labels') throw badFile(name, 'a file of one frame or video, and a list of frames was expected');
}

function imageOfFrame(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const file = fileNameAt(row.name, `${where}.name`);
  const labels = `${where}.labels`;
  return imageOf(
    {
      file,
      otherNames: typeof row.url === 'string' ? [row.url] : [],
      shapes: shapesIn(row.labels, labels, reckoning, (one, at) => shapesOfLabel(one, at, reckoning)),
      where,
      attributes: plainAttributes([row.attributes], `${where}.attributes`, reckoning),
    },
    reckoning,
  );
}

/** What Scalabel may have beside a box or instead of one. */
const NOT_READ = { rle: 'a mask (rle)', graph: 'points (graph)', box3d: 'the box in space (box3d)' };

function shapesOfLabel(row: JsonObject, where: string, reckoning: Reckoning): Shape[] {
  const said = {
    className: classNameAt(row.category, `${where}.category`),
    where,
    confidence: confidenceFrom(row.score, `${where}.score`, reckoning),
    details: detailsOfAttributes({ ...plainAttributes([row.attributes], `${where}.attributes`, reckoning) }, null),
    group: where,
  };
  const forms: Shape['form'][] = [];
  if (row.box2d != null)
    forms.push(boxForm(numbersAt(row.box2d, ['x1', 'y1', 'x2', 'y2'], `${where}.box2d`), where, reckoning));
  for (const [i, given] of (row.poly2d == null ? [] : arrayAt(row.poly2d, `${where}.poly2d`)).entries())
    forms.push(outlineOf(given, `${where}.poly2d[${i}]`, reckoning));
  const passedOver = Object.entries(NOT_READ).flatMap(([key, what]) => (row[key] == null ? [] : [what]));
  if (forms.length === 0)
    throw badFile(
      where,
      passedOver.length === 0 ? 'there is no box2d and no poly2d' : `${passedOver[0]}, which is not read`,
    );
  for (const what of passedOver) reckoning.note('attribute-passed-over', where, what);
  return forms.map((form) => shapeOf(form, said));
}

function outlineOf(given: unknown, where: string, reckoning: Reckoning): Shape['form'] {
  const row = objectAt(given, where);
  const points = pointsAt(row.vertices, `${where}.vertices`);
  if (typeof row.types === 'string' && row.types.includes('C')) reckoning.note('curve-as-lines', where, row.types);
  return row.closed === false
    ? outlineAsBox(points, 'poly2d that is not closed', where, reckoning)
    : polygonForm(points, where);
}
