/**
 * JSON Lines: one image a line with everything the records hold. The one format that loses nothing; keys come in a fixed
 * order, and those with nothing to say are left out.
 */
import type { DatasetImage, LabelValue, RegionRecord, Rejection } from '../../core/dataset.ts';
import { EVERYTHING, type Format, lossesOf, type WriteJob } from '../format.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';
import { readJsonl } from './read.ts';

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
    ...(image.attributes === undefined ? {} : { attributes: image.attributes }),
  };
}

function rejectedRow(rejected: readonly Rejection[] | undefined): Record<string, unknown> {
  if (rejected === undefined || rejected.length === 0) return {};
  return {
    rejected: rejected.map(({ className, task, annotator }) => ({
      class: className,
      task,
      ...annotatorRow(annotator),
    })),
  };
}

function labelRow(label: LabelValue): Record<string, unknown> {
  return {
    class: label.className,
    ...(label.confidence === null ? {} : { confidence: score(label.confidence) }),
    origin: label.origin,
    task: label.task,
    ...annotatorRow(label.annotator),
  };
}

function annotatorRow(annotator: string | null | undefined): Record<string, unknown> {
  return annotator == null ? {} : { annotator };
}

function regionRow(region: RegionRecord): Record<string, unknown> {
  return {
    id: region.id,
    box: region.box.map(pixel),
    ...(region.score === null ? {} : { score: score(region.score) }),
    labels: region.labels.map(labelRow),
    ...(region.mask === null ? {} : { mask: { size: region.mask.size, counts: region.mask.counts } }),
    // Who made a mask is told where the row says of a person's hand, which it would else be taken for.
    ...(region.mask === null || region.maskMaker === undefined || region.touched !== true
      ? {}
      : { maskMaker: region.maskMaker }),
    ...(region.polygons === null ? {} : { polygons: region.polygons.map((polygon) => polygon.map(pixel)) }),
    ...(region.keypoints === null ? {} : { keypoints: region.keypoints.map(([x, y, v]) => [pixel(x), pixel(y), v]) }),
    ...(region.crowd ? { crowd: true } : {}),
    ...(region.touched === true ? { touched: true } : {}),
    ...rejectedRow(region.rejected),
    ...(region.details === undefined ? {} : { details: region.details }),
  };
}
