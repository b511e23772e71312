/**
 * Manifests of SageMaker Ground Truth and Rekognition Custom Labels (docs.aws.amazon.com/sagemaker, "Label Job Output Data"):
 * a line an image with `source-ref`, and for each job its labels under one key and what they mean under `KEY-metadata`.
 * Masks of a job are pictures at an address, and are told as left out.
 */
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, fileNameAt, type JsonObject, objectAt, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { confidenceFrom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { imagesOfRows, rowsOfLines } from './images.ts';
import { boxForm, cornersAt, imageOf, labelOf, shapeOf, shapesIn } from './objects.ts';

const METADATA = '-metadata';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const rows = rowsOfLines(path, {
    reckoning,
    ending: /\.(?:manifest|jsonl?|ndjson)$/i,
    hint: 'A manifest has a line an image.',
  });
  yield* imagesOfRows(rows, { reckoning, unreadable: 'row-unreadable' }, (row, where) =>
    imageOfRow(row, where, reckoning),
  );
}

function imageOfRow(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  if (row['source-ref'] === undefined)
    throw badFile(where, 'there is no source-ref, by which a manifest names its image');
  const labels: ImportedLabel[] = [];
  const shapes: Shape[] = [];
  let size: JsonObject = {};
  for (const [key, metadata] of Object.entries(row)) {
    if (!key.endsWith(METADATA)) {
      if (key !== 'source-ref' && row[`${key}${METADATA}`] === undefined)
        reckoning.note('attribute-passed-over', `${where} ${key}`, `there is no ${key}${METADATA}`);
      continue;
    }
    const job = key.slice(0, -METADATA.length);
    const said = objectAt(metadata, `${where} ${key}`);
    const at = `${where} ${job}`;
    const kind = typeof said.type === 'string' ? said.type.replace(/^groundtruth\//, '') : '';
    const isHuman = said['human-annotated'] === 'yes';
    if (kind === 'image-classification') {
      const confidence = isHuman ? null : confidenceFrom(said.confidence, `${at} confidence`, reckoning);
      labels.push(labelOf(classNameAt(said['class-name'], `${where} ${key} class-name`), confidence));
    } else if (kind === 'image-classification-multilabel') {
      const map = isHuman ? null : said['confidence-map'];
      const confidences = map == null ? {} : objectAt(map, `${where} ${key} confidence-map`);
      for (const [i, number] of arrayAt(row[job], at).entries())
        labels.push(
          labelOf(
            classOf(said, number, `${at}[${i}]`),
            confidenceFrom(confidences[String(number)], `${at} confidence`, reckoning),
          ),
        );
    } else if (kind === 'object-detection' || kind === 'object-detection-adjustment' || isBoxes(row[job])) {
      const boxes = objectAt(row[job], at);
      const [first] = boxes.image_size === undefined ? [] : arrayAt(boxes.image_size, `${at} image_size`);
      if (first !== undefined) size = objectAt(first, `${at} image_size[0]`);
      const objects = Array.isArray(said.objects) ? said.objects : [];
      shapes.push(
        ...shapesIn(boxes.annotations, `${at} annotations`, reckoning, (one, place, index) => {
          const confidence = isHuman ? null : (objects[index] as JsonObject | undefined)?.confidence;
          return shapeOf(boxForm(cornersAt(one, ['left', 'top', 'width', 'height'], place), place, reckoning), {
            className: classOf(said, one.class_id, place),
            where: place,
            confidence: confidenceFrom(confidence, `${place} confidence`, reckoning),
          });
        }),
      );
    } else reckoning.note('attribute-passed-over', at, kind === '' ? 'of no type' : kind);
  }
  const file = fileNameAt(row['source-ref'], `${where} source-ref`);
  const width = sizeFrom(size.width, `${where} image_size width`, reckoning);
  return imageOf(
    { file, width, height: sizeFrom(size.height, `${where} image_size height`, reckoning), labels, shapes, where },
    reckoning,
  );
}

function isBoxes(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'annotations' in value;
}

function classOf(metadata: JsonObject, number: unknown, where: string): string {
  const name = objectAt(metadata['class-map'], `${where} class-map`)[String(number)];
  if (name === undefined) throw badFile(where, `the class-map has no class ${shown(number)}`);
  return classNameAt(name, where);
}
