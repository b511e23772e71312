/**
 * Vertex AI's import and export files (cloud.google.com/vertex-ai/docs/image-data, "Prepare data"): a line an image with
 * `imageGcsUri`, a class or several, and boxes in fractions of the image. Which part of the data it is in says
 * `aiplatform.googleapis.com/ml_use`.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { arrayAt, classNameAt, fileNameAt, type JsonObject, objectAt } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { imagesOfRows, rowsOfLines } from './images.ts';
import { boxForm, imageOf, labelOf, numbersAt, shapeOf, shapesIn } from './objects.ts';

const USE = 'aiplatform.googleapis.com/ml_use';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const rows = rowsOfLines(path, { reckoning, ending: /\.(?:jsonl|ndjson)$/i, hint: 'Vertex AI has a line an image.' });
  yield* imagesOfRows(rows, { reckoning, unreadable: 'row-unreadable' }, (row, where) =>
    imageOfRow(row, where, reckoning),
  );
}

function imageOfRow(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const given =
    row.classificationAnnotations ?? (row.classificationAnnotation == null ? [] : [row.classificationAnnotation]);
  const labels = arrayAt(given, `${where} classificationAnnotations`).map((one, i) => {
    const at = `${where} classificationAnnotations[${i}]`;
    return labelOf(classNameAt(objectAt(one, at).displayName, `${at}.displayName`));
  });
  const shapes = shapesIn(row.boundingBoxAnnotations, `${where} boundingBoxAnnotations`, reckoning, (one, at) =>
    shapeOf(boxForm(numbersAt(one, ['xMin', 'yMin', 'xMax', 'yMax'], at), at, reckoning), {
      className: classNameAt(one.displayName, `${at}.displayName`),
      where: at,
      unit: 'fractions',
    }),
  );
  for (const key of ['segmentationAnnotation', 'polylineAnnotations'])
    if (row[key] != null) reckoning.note('object-elsewhere', `${where} ${key}`);
  const resource = row.dataItemResourceLabels ?? {};
  const use = objectAt(resource, `${where} dataItemResourceLabels`)[USE];
  const split = typeof use === 'string' ? (splitOfName(use) ?? use) : null;
  return imageOf(
    { file: fileNameAt(row.imageGcsUri, `${where} imageGcsUri`), labels, shapes, where, split },
    reckoning,
  );
}
