/**
 * Label Studio's JSON tasks (labelstud.io/guide/tasks and /guide/export): `tasks.json`, a list of tasks, and
 * `config.xml`, the labelling interface that goes with them. What people and imports said is an annotation, what
 * machines said a prediction. Coordinates are per cent of the image.
 *
 * A label is a result of its own; the polygons, mask and keypoints of a region follow it as results with its id as
 * `parentID`. `meta` carries what the tool has no place for and gives back as it was: task, origin, crowd, visibility.
 * `data.image` names the file as local storage serves it, with the folder of this export as its root.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetImage, LabelValue, RegionRecord } from '../../core/dataset.ts';
import { sha256Hex } from '../../core/ids.ts';
import { isMachine } from '../../core/labels.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { bitmapOf } from '../contours.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { keypointNames } from '../keypoint-names.ts';
import { NameTable } from '../names.ts';
import { rounded, score } from '../numbers.ts';
import { cornersOfRotated, type RotatedBox } from '../rotated-box.ts';
import { TextWriter } from '../text-writer.ts';
import { xmlText } from '../xml.ts';
import { encodeBrush } from './brush.ts';
import { readLabelStudio } from './read.ts';

const KEEPS: Keeps = {
  ...EVERYTHING,
  regionClasses: 'apart',
  regionIds: false,
  rejections: false,
  size: false,
  imageAttributes: false,
};

export const labelStudio: Format = {
  name: 'label-studio',
  description: 'Label Studio tasks with annotations and predictions',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeLabelStudio,
  read: readLabelStudio,
};

/** Ten decimals of a per cent: a thousandth of a pixel in images a hundred million pixels wide. */
const PERCENT_DECIMALS = 10;
const percent = (value: number, size: number) => rounded((value / size) * 100, PERCENT_DECIMALS);

const LOCAL_FILES = '/data/local-files/?d=';

async function writeLabelStudio(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable();
  const nameOf = (image: DatasetImage) => (job.images === 'none' ? image.file : names.give(image.file, image.id));
  const file = await TextWriter.create(join(target, 'tasks.json'));
  const points = new Set<string>();
  let count = 0;
  try {
    await file.write('[');
    for await (const { image, name } of placeImages(images, nameOf, join(target, 'images'), job)) {
      const path = job.images === 'none' ? name : `images/${name}`;
      await file.write(`${count++ === 0 ? '' : ','}\n${JSON.stringify(taskOf(image, name, path, count))}`);
      for (const { keypoints } of image.regions)
        for (const point of keypointNames(keypoints?.length ?? 0)) points.add(point);
      job.tally.image(image);
      job.tally.regions += image.regions.filter((region) => region.labels.length > 0).length;
      job.tally.labels += image.labels.length;
      for (const region of image.regions) job.tally.labels += region.labels.length;
    }
    await file.write('\n]\n');
    await file.close();
  } finally {
    await file.abandon();
  }
  await writeFile(join(target, 'config.xml'), configOf(job.classNames, [...points]), { flag: 'wx' });
  job.tally.renamed = names.renamed;
}

type Result = Readonly<Record<string, unknown>>;

function taskOf(image: DatasetImage, name: string, path: string, id: number): Record<string, unknown> {
  const people = new Map<string | null, Result[]>();
  const machines: Result[] = [];
  const of = (label: LabelValue) => {
    if (isMachine(label.origin)) return machines;
    const by = label.annotator ?? null;
    const results = people.get(by) ?? [];
    people.set(by, results);
    return results;
  };
  for (const label of image.labels) of(label).push(choiceOf(image, label));
  for (const region of image.regions)
    for (const [n, label] of region.labels.entries()) of(label).push(...shapesOf(image, region, label, n));
  return {
    id,
    data: {
      image: LOCAL_FILES + path.split('/').map(encodePart).join('/'),
      file: name,
      sha256: image.id,
      ...(image.split === null ? {} : { split: image.split }),
    },
    annotations: [...people].map(([by, result]) => (by === null ? { result } : { completed_by: by, result })),
    predictions: machines.length === 0 ? [] : [{ model_version: 'labelsmith', result: machines }],
  };
}

/** Lone halves of surrogate pairs have no URL. */
function encodePart(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}

function common(image: DatasetImage, id: string, from: string, type: string): Record<string, unknown> {
  return {
    id,
    type,
    from_name: from,
    to_name: 'image',
    original_width: image.width,
    original_height: image.height,
    image_rotation: 0,
  };
}

function choiceOf(image: DatasetImage, label: LabelValue): Result {
  const id = sha256Hex(`${image.id}\n${label.task}\n${label.className}\n${label.origin}`).slice(0, 10);
  const { image_rotation: _, ...rest } = common(image, id, 'class', 'choices');
  return { ...rest, value: { choices: [label.className] }, ...said(label, null, {}) };
}

function said(label: LabelValue, regionScore: number | null, more: Record<string, unknown>): Record<string, unknown> {
  const confidence = label.confidence ?? regionScore;
  return {
    ...(confidence === null ? {} : { score: score(confidence) }),
    meta: { task: label.task, origin: label.origin, ...more },
  };
}

function shapesOf(image: DatasetImage, region: RegionRecord, label: LabelValue, n: number): Result[] {
  const { width, height } = image;
  const id = `${region.id}-${n}`;
  const x = (value: number) => percent(value, width);
  const y = (value: number) => percent(value, height);
  const { rotatedBox, ...others } = region.details ?? {};
  const [x1, y1, x2, y2] = rotatedBox === undefined ? region.box : aroundCorner(rotatedBox);
  const results: Result[] = [
    {
      ...common(image, id, 'box', 'rectanglelabels'),
      value: {
        x: x(x1),
        y: y(y1),
        width: x(x2 - x1),
        height: y(y2 - y1),
        rotation: rotatedBox === undefined ? 0 : rounded(rotatedBox.angleDegrees, PERCENT_DECIMALS),
        rectanglelabels: [label.className],
      },
      ...said(label, region.score, { ...(region.crowd ? { crowd: true } : {}), ...detailsMeta(others) }),
    },
  ];
  const child = (suffix: string, from: string, type: string, value: Record<string, unknown>, meta?: unknown) =>
    results.push({
      ...common(image, `${id}-${suffix}`, from, type),
      value: { ...value, ...(type === 'keypointlabels' ? {} : { [type]: [label.className] }) },
      parentID: id,
      ...(meta === undefined ? {} : { meta }),
    });
  for (const [i, polygon] of (region.polygons ?? []).entries()) {
    const points = Array.from({ length: polygon.length / 2 }, (_, k) => [x(polygon[2 * k]), y(polygon[2 * k + 1])]);
    child(`p${i}`, 'polygon', 'polygonlabels', { points, closed: true });
  }
  if (region.mask !== null) {
    child('m', 'brush', 'brushlabels', { format: 'rle', rle: encodeBrush(rowMajor(region.mask, width, height)) });
  }
  const names = keypointNames(region.keypoints?.length ?? 0);
  for (const [i, [px, py, visibility]] of (region.keypoints ?? []).entries()) {
    const value = { x: x(px), y: y(py), width: 0.5, keypointlabels: [names[i]] };
    child(`k${i}`, 'keypoint', 'keypointlabels', value, { visibility });
  }
  return results;
}

function detailsMeta(details: RegionDetails): Record<string, unknown> {
  return Object.keys(details).length === 0 ? {} : { details };
}

/** The straight box that Label Studio turns around its top-left corner. */
function aroundCorner(rotated: RotatedBox): readonly number[] {
  const [x, y] = cornersOfRotated(rotated);
  return [x, y, x + rotated.width, y + rotated.height];
}

/** Shape [height, width], 0 or 1. */
function rowMajor(mask: NonNullable<RegionRecord['mask']>, width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  const part = bitmapOf(mask);
  if (part === null) return pixels;
  for (let y = 0; y < part.height; y++)
    pixels.set(part.pixels.subarray(y * part.width, (y + 1) * part.width), (y + part.top) * width + part.left);
  return pixels;
}

function configOf(classNames: readonly string[], points: readonly string[]): string {
  const labels = (tag: string, name: string, values: readonly string[]) => [
    `  <${tag} name="${name}" toName="image">`,
    ...values.map((value) => `    <Label value="${xmlText(value)}"/>`),
    `  </${tag}>`,
  ];
  return [
    '<View>',
    '  <Image name="image" value="$image" zoom="true"/>',
    '  <Choices name="class" toName="image" choice="multiple">',
    ...classNames.map((name) => `    <Choice value="${xmlText(name)}"/>`),
    '  </Choices>',
    ...labels('RectangleLabels', 'box', classNames),
    ...labels('PolygonLabels', 'polygon', classNames),
    ...labels('BrushLabels', 'brush', classNames),
    ...(points.length === 0 ? [] : labels('KeyPointLabels', 'keypoint', points)),
    '</View>',
    '',
  ].join('\n');
}
