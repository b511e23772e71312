/**
 * Hugging Face `imagefolder` with metadata (huggingface.co/docs/datasets/image_load and /object_detection): images and a
 * `metadata.jsonl` that says of each `file_name` its `objects` — `bbox` as `[x, y, width, height]` in pixels and
 * `categories` — and here its `labels`. Every row has the same keys and types, as the loader needs.
 *
 * `README.md` names the files of each split, since the loader else takes any folder called `test` for one.
 */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DatasetImage, ImportedImage, ImportedRegion, LabelValue } from '../../core/dataset.ts';
import {
  arrayAt,
  badFile,
  boxOf,
  classNameAt,
  confidenceOf,
  fileNameAt,
  jsonOf,
  numberAt,
  objectAt,
  shown,
  sizeAt,
} from '../check.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { linesOf } from '../lines.ts';
import { NameTable } from '../names.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';

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

const METADATA = 'metadata.jsonl';

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
  const card = `---\nconfigs:\n  - config_name: default\n    data_files:\n${sets.join('')}---\n\nExported by Labelsmith ${job.version}.\n`;
  await writeFile(join(target, 'README.md'), card, { flag: 'wx' });
  job.tally.renamed = names.renamed;
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

/** @param path a metadata file, or a folder that has one or whose folders, the splits, have one each */
async function* readHf(path: string): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readMetadata(dirname(path), basename(path), null);
    return;
  }
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.some((entry) => entry.name === METADATA)) {
    yield* readMetadata(path, METADATA, null);
    return;
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  let found = false;
  for (const { name: split } of folders.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = `${split}/${METADATA}`;
    if ((await stat(join(path, file)).catch(() => null)) === null) continue;
    found = true;
    yield* readMetadata(path, file, split);
  }
  if (!found) throw badFile(path, `there is no ${METADATA} in it`, 'Class folders without one are the format folders.');
}

async function* readMetadata(root: string, name: string, split: string | null): AsyncGenerator<ImportedImage> {
  for await (const { text, number } of linesOf(join(root, name), name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    const row = objectAt(jsonOf(text, where), where);
    const file = fileNameAt(row.file_name, `${where} file_name`);
    const labels = row.labels == null ? null : objectAt(row.labels, `${where} labels`);
    yield {
      file: split === null ? file : `${split}/${file}`,
      width: row.width == null ? null : sizeAt(row.width, `${where} width`),
      height: row.height == null ? null : sizeAt(row.height, `${where} height`),
      labels: labels === null ? labelOfRow(row.label, where) : saidIn(labels, `${where} labels`),
      regions: row.objects == null ? [] : regionsOf(row.objects, `${where} objects`),
      where,
      split,
    };
  }
}

/** The single `label` that rows of other tools have. */
function labelOfRow(value: unknown, where: string): ImportedImage['labels'] {
  if (value == null) return [];
  return [{ className: nameOf(value, `${where} label`), confidence: null, origin: null, task: null }];
}

/** Categories are names here and numbers elsewhere, whose names the file does not say. */
function nameOf(value: unknown, where: string): string {
  return typeof value === 'number' && Number.isInteger(value) ? String(value) : classNameAt(value, where);
}

function saidIn(row: Readonly<Record<string, unknown>>, where: string): ImportedImage['labels'] {
  const key = row.categories === undefined && row.category !== undefined ? 'category' : 'categories';
  const categories = arrayAt(row[key], `${where}.${key}`);
  const scores = row.scores == null ? null : arrayAt(row.scores, `${where}.scores`);
  if (scores !== null && scores.length !== categories.length)
    throw badFile(`${where}.scores`, `${categories.length} scores were expected, not ${scores.length}`);
  return categories.map((category, i) => {
    const given = scores?.[i] ?? null;
    const at = `${where}.scores[${i}]`;
    const confidence = given === null ? null : confidenceOf(numberAt(given, at), at);
    return { className: nameOf(category, `${where}.${key}[${i}]`), confidence, origin: null, task: null };
  });
}

function regionsOf(value: unknown, where: string): ImportedRegion[] {
  const row = objectAt(value, where);
  const boxes = arrayAt(row.bbox, `${where}.bbox`);
  const labels = saidIn(row, where);
  if (labels.length !== boxes.length)
    throw badFile(`${where}.categories`, `${boxes.length} categories were expected, not ${labels.length}`);
  return boxes.map((box, i): ImportedRegion => {
    const at = `${where}.bbox[${i}]`;
    const numbers = arrayAt(box, at).map((part, k) => numberAt(part, `${at}[${k}]`));
    if (numbers.length !== 4) throw badFile(at, `[x, y, width, height] was expected, not ${numbers.length} numbers`);
    const [x, y, width, height] = numbers as [number, number, number, number];
    if (width < 0 || height < 0) throw badFile(at, `the box ${shown(numbers)} has a negative size`);
    const label = labels[i];
    return {
      box: boxOf(x, y, x + width, y + height, at),
      unit: 'pixels',
      score: label.confidence,
      labels: [label],
      mask: null,
      polygons: null,
      keypoints: null,
      crowd: false,
    };
  });
}
