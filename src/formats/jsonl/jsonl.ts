/**
 * JSON Lines: one image a line with everything the records hold. The one format that loses nothing; keys come in a fixed
 * order, and those with nothing to say are left out.
 */
import { basename } from 'node:path';
import type {
  DatasetImage,
  ImportedImage,
  ImportedLabel,
  ImportedRegion,
  LabelValue,
  RegionRecord,
  Rejection,
} from '../../core/dataset.ts';
import {
  arrayAt,
  badFile,
  boxOf,
  classNameAt,
  confidenceOf,
  fileNameAt,
  jsonOf,
  keypointsAt,
  maskOf,
  numberAt,
  objectAt,
  originOf,
  polygonsAt,
  regionIdAt,
  sha256At,
  sizeAt,
  stringAt,
} from '../check.ts';
import { EVERYTHING, type Format, lossesOf, type WriteJob } from '../format.ts';
import { linesOf } from '../lines.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';

export const jsonl: Format = {
  name: 'jsonl',
  description: 'one JSON object an image, with everything',
  kind: 'file',
  holds: 'both',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: EVERYTHING,
  loses: lossesOf(EVERYTHING),
  write: writeJsonl,
  read: readJsonl,
};

async function writeJsonl(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const file = await TextWriter.create(target);
  try {
    for await (const image of images) {
      await file.write(`${JSON.stringify(jsonRowOf(image))}\n`);
      job.tally.image(image);
      job.tally.regions += image.regions.length;
      job.tally.labels += image.labels.length;
      for (const region of image.regions) job.tally.labels += region.labels.length;
    }
    await file.close();
  } finally {
    await file.abandon();
  }
}

/** All that is known of an image, keys in a fixed order. */
export function jsonRowOf(image: DatasetImage): Record<string, unknown> {
  return {
    file: image.file,
    sha256: image.id,
    width: image.width,
    height: image.height,
    group: image.groupId,
    ...(image.split === null ? {} : { split: image.split }),
    labels: image.labels.map(labelRow),
    regions: image.regions.map(regionRow),
    ...rejectedRow(image.rejected),
    ...(image.deleted === undefined ? {} : { deleted: image.deleted.map(regionRow) }),
  };
}

function rejectedRow(rejected: readonly Rejection[] | undefined): Record<string, unknown> {
  if (rejected === undefined || rejected.length === 0) return {};
  return { rejected: rejected.map(({ className, task }) => ({ class: className, task })) };
}

function labelRow(label: LabelValue): Record<string, unknown> {
  return {
    class: label.className,
    ...(label.confidence === null ? {} : { confidence: score(label.confidence) }),
    origin: label.origin,
    task: label.task,
  };
}

function regionRow(region: RegionRecord): Record<string, unknown> {
  return {
    id: region.id,
    box: region.box.map(pixel),
    ...(region.score === null ? {} : { score: score(region.score) }),
    labels: region.labels.map(labelRow),
    ...(region.mask === null ? {} : { mask: { size: region.mask.size, counts: region.mask.counts } }),
    ...(region.polygons === null ? {} : { polygons: region.polygons.map((polygon) => polygon.map(pixel)) }),
    ...(region.keypoints === null ? {} : { keypoints: region.keypoints.map(([x, y, v]) => [pixel(x), pixel(y), v]) }),
    ...(region.crowd ? { crowd: true } : {}),
    ...(region.touched === true ? { touched: true } : {}),
    ...rejectedRow(region.rejected),
  };
}

async function* readJsonl(path: string): AsyncGenerator<ImportedImage> {
  const name = basename(path);
  for await (const { text, number } of linesOf(path, name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    yield imageOfJson(jsonOf(text, where), where);
  }
}

export function imageOfJson(value: unknown, where: string): ImportedImage {
  const row = objectAt(value, where);
  const sha256 = row.sha256 == null ? undefined : sha256At(row.sha256, `${where} sha256`);
  return {
    file: fileNameAt(row.file, `${where} file`),
    width: row.width == null ? null : sizeAt(row.width, `${where} width`),
    height: row.height == null ? null : sizeAt(row.height, `${where} height`),
    labels: labelsOf(row.labels, `${where} labels`),
    regions: row.regions == null ? [] : listOf(row.regions, `${where} regions`, regionOf),
    where,
    split: row.split == null ? null : stringAt(row.split, `${where} split`),
    sha256,
    ...rejectionsOf(row.rejected, `${where} rejected`),
    ...(row.deleted == null ? {} : { deleted: listOf(row.deleted, `${where} deleted`, regionOf) }),
  };
}

function listOf<T>(value: unknown, where: string, read: (value: unknown, where: string) => T): T[] {
  return arrayAt(value, where).map((part, i) => read(part, `${where}[${i}]`));
}

function labelsOf(value: unknown, where: string): ImportedLabel[] {
  return value == null ? [] : listOf(value, where, labelOf);
}

function labelOf(value: unknown, where: string): ImportedLabel {
  const row = objectAt(value, where);
  return {
    className: classNameAt(row.class, `${where}.class`),
    confidence:
      row.confidence == null
        ? null
        : confidenceOf(numberAt(row.confidence, `${where}.confidence`), `${where}.confidence`),
    origin: row.origin == null ? null : originOf(stringAt(row.origin, `${where}.origin`), `${where}.origin`),
    task: row.task == null ? null : stringAt(row.task, `${where}.task`),
  };
}

function regionOf(value: unknown, where: string): ImportedRegion {
  const row = objectAt(value, where);
  const corners = arrayAt(row.box, `${where}.box`).map((part, i) => numberAt(part, `${where}.box[${i}]`));
  if (corners.length !== 4)
    throw badFile(`${where}.box`, `[x1, y1, x2, y2] was expected, not ${corners.length} numbers`);
  const [x1, y1, x2, y2] = corners as [number, number, number, number];
  return {
    box: boxOf(x1, y1, x2, y2, `${where}.box`),
    unit: 'pixels',
    score: row.score == null ? null : confidenceOf(numberAt(row.score, `${where}.score`), `${where}.score`),
    labels: labelsOf(row.labels, `${where}.labels`),
    mask: row.mask == null ? null : maskAt(row.mask, `${where}.mask`),
    polygons: row.polygons == null ? null : polygonsAt(row.polygons, `${where}.polygons`),
    keypoints: row.keypoints == null ? null : keypointsAt(row.keypoints, `${where}.keypoints`),
    crowd: row.crowd === true,
    ...(row.id == null ? {} : { id: regionIdAt(row.id, `${where}.id`) }),
    ...(row.touched === true ? { touched: true } : {}),
    ...rejectionsOf(row.rejected, `${where}.rejected`),
  };
}

function rejectionsOf(value: unknown, where: string): { rejected?: Rejection[] } {
  if (value == null) return {};
  const rejected = listOf(value, where, (part, at) => {
    const row = objectAt(part, at);
    return { className: classNameAt(row.class, `${at}.class`), task: stringAt(row.task, `${at}.task`) };
  });
  return { rejected };
}

function maskAt(value: unknown, where: string): ImportedRegion['mask'] {
  const row = objectAt(value, where);
  const size = arrayAt(row.size, `${where}.size`);
  if (size.length !== 2) throw badFile(`${where}.size`, `[height, width] was expected, not ${size.length} numbers`);
  const counts = listOf(row.counts, `${where}.counts`, numberAt);
  return maskOf(sizeAt(size[0], `${where}.size[0]`), sizeAt(size[1], `${where}.size[1]`), counts, `${where}.counts`);
}
