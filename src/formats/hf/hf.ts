/**
 * Hugging Face `imagefolder` with metadata (huggingface.co/docs/datasets/image_load and /object_detection): images and a
 * `metadata.jsonl` that says of each `file_name` its `objects` — `bbox` as `[x, y, width, height]` in pixels and
 * `categories` — and here its `labels`. Every row has the same keys and types, as the loader needs.
 *
 * `README.md` names the files of each split, since the loader else takes any folder called `test` for one.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetImage, LabelValue } from '../../core/dataset.ts';
import { accuracySentences } from '../../core/label-accuracy.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { NameTable } from '../names.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';
import { METADATA, readHf } from './read.ts';

const KEEPS: Keeps = {
  ...NEXT_TO_NOTHING,
  imageLabels: 'all',
  boxes: 'exact',
  regionClasses: 'apart',
  confidence: true,
  size: true,
  split: true,
  unlabelled: true,
};

export const hf: Format = {
  name: 'hf',
  description: 'Hugging Face imagefolder with metadata.jsonl',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'always',
  defaultImages: 'copy',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeHf,
  read: readHf,
};

async function writeHf(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable();
  const files = new Map<string | null, TextWriter>();
  const splits = job.splits?.names ?? [null];
  const below = (split: string | null) => (split === null ? '' : `${split}/`);
  try {
    for (const split of splits) files.set(split, await TextWriter.create(join(target, below(split), METADATA)));
    const nameOf = (image: DatasetImage) => `${below(image.split)}images/${names.give(image.file, image.id)}`;
    for await (const { image, name } of placeImages(images, nameOf, target, job)) {
      const row = rowOf(image, name.slice(below(image.split).length));
      await (files.get(image.split) as TextWriter).write(`${JSON.stringify(row)}\n`);
      job.tally.image(image);
      job.tally.regions += image.regions.filter((region) => region.labels.length > 0).length;
      job.tally.labels += row.labels.categories.length + row.objects.categories.length;
    }
    for (const file of files.values()) await file.close();
  } finally {
    for (const file of files.values()) await file.abandon();
  }
  const sets = splits.map((split) => `      - split: ${split ?? 'train'}\n        path: "${below(split)}**"\n`);
  const card = `---\nconfigs:\n  - config_name: default\n    data_files:\n${sets.join('')}---\n\nExported by Labelsmith ${job.version}.\n${accuracyLines(job)}`;
  await writeFile(join(target, 'README.md'), card, { flag: 'wx' });
  job.tally.renamed = names.renamed;
}

function accuracyLines({ accuracy = [] }: WriteJob): string {
  return accuracy
    .flatMap(accuracySentences)
    .map((sentence) => `\n${sentence}\n`)
    .join('');
}

function rowOf(image: DatasetImage, name: string) {
  const confidences = (label: LabelValue, other: number | null) => {
    const confidence = label.confidence ?? other;
    return confidence === null ? null : score(confidence);
  };
  const objects = image.regions.flatMap((region) =>
    region.labels.map((label) => {
      const [x1, y1, x2, y2] = region.box.map(pixel) as [number, number, number, number];
      const bbox = [x1, y1, pixel(x2 - x1), pixel(y2 - y1)];
      return { bbox, category: label.className, score: confidences(label, region.score) };
    }),
  );
  return {
    file_name: name,
    width: image.width,
    height: image.height,
    labels: {
      categories: image.labels.map((label) => label.className),
      scores: image.labels.map((label) => confidences(label, null)),
    },
    objects: {
      bbox: objects.map(({ bbox }) => bbox),
      categories: objects.map(({ category }) => category),
      scores: objects.map((object) => object.score),
    },
  };
}
