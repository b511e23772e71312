/**
 * YOLO (docs.ultralytics.com/datasets): `images/[SPLIT/]x.jpg`, `labels/[SPLIT/]x.txt`, `data.yaml`. A row a region:
 * class index, then (rows.ts) a box, a polygon, the corners of a turned box, or a box with keypoints, as fractions of the image; no file at all
 * means no objects, and an empty one where no picture of a set has any.
 *
 * Readers find a label file by replacing the last `/images/` of an image's path by `/labels/` and its extension by
 * `.txt`, so no folder inside may be called `images` and no two images may differ in their extension only. `data.yaml`
 * has no `path`, which trainers then take to be the folder it lies in. Without image files, lists of names
 * (`train.txt`) stand in their place, so that names and images without objects are not lost.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatasetImage } from '../../core/dataset.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type WriteJob } from '../format.ts';
import { FolderMaker, placeImages } from '../image-files.ts';
import { mirroredKeypoints } from '../keypoint-names.ts';
import { NameTable, splitExtension } from '../names.ts';
import { TextWriter } from '../text-writer.ts';
import { readYolo } from './read.ts';
import { boxRow, poseRow, type RowOf, segmentRow, turnedRow } from './rows.ts';

const KEEPS: Keeps = {
  ...NEXT_TO_NOTHING,
  imageLabels: 'none',
  boxes: 'millionths',
  regionClasses: 'apart',
  split: true,
  unlabelled: true,
};

const COMMON = {
  kind: 'folder',
  holds: 'regions',
  imageFiles: 'beside',
  defaultImages: 'copy',
  read: readYolo,
} as const;

export const yolo: Format = {
  ...COMMON,
  name: 'yolo',
  description: 'YOLO labels for detection, with data.yaml',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: (images, target, job) => writeYolo(images, target, job, boxRow, ''),
};

const SEGMENT_KEEPS: Keeps = { ...KEEPS, boxes: 'outlines', polygons: true };

/** Rows of polygons: `class x y x y …`. */
export const yoloSegment: Format = {
  ...COMMON,
  name: 'yolo-seg',
  description: 'YOLO labels for segmentation: an outline a region',
  keeps: SEGMENT_KEEPS,
  loses: [
    ...lossesOf(SEGMENT_KEEPS).filter((loss) => loss !== 'masks'),
    'holes of masks (their outlines stay)',
    'how many polygons a region had (they are joined to one)',
    'that a region had no outline (it comes back with its box as one)',
  ],
  write: (images, target, job) => writeYolo(images, target, job, segmentRow, ''),
};

const POSE_KEEPS: Keeps = { ...KEEPS, keypoints: true };

/** Rows of boxes with keypoints: `class cx cy w h x y visibility …`, as many in each. */
export const yoloPose: Format = {
  ...COMMON,
  name: 'yolo-pose',
  description: 'YOLO labels for pose: a box and keypoints a region',
  keeps: POSE_KEEPS,
  loses: [
    ...lossesOf(POSE_KEEPS),
    'where absent keypoints would be',
    'how many keypoints a region had, below the most',
  ],
  async write(images, target, job) {
    const count = Math.max(job.keypointCount ?? 0, 1);
    const flips = mirroredKeypoints(count).join(', ');
    await writeYolo(images, target, job, poseRow(count), `kpt_shape: [${count}, 3]\nflip_idx: [${flips}]\n`);
  },
};

const TURNED_KEEPS: Keeps = { ...KEEPS, details: ['rotatedBox'] };

/** Rows of corners: `class x1 y1 x2 y2 x3 y3 x4 y4`. */
export const yoloTurned: Format = {
  ...COMMON,
  name: 'yolo-obb',
  description: 'YOLO labels for oriented boxes: four corners a region',
  keeps: TURNED_KEEPS,
  loses: [
    ...lossesOf(TURNED_KEEPS),
    'the box of a region that has polygons (it comes back as the smallest turned box around them)',
    'angles of turned boxes that reach far out of the image',
  ],
  write: (images, target, job) =>
    // Readers that do not know the key pass it over; ours tells by it that four corners are no polygon.
    writeYolo(
      images,
      target,
      job,
      turnedRow(() => job.tally.lose('angles of turned boxes that reach far out of the image')),
      'task: obb\n',
    ),
};

async function writeYolo(
  images: AsyncIterable<DatasetImage>,
  target: string,
  job: WriteJob,
  rowOf: RowOf,
  moreYaml: string,
): Promise<void> {
  const classIndex = new Map(job.classNames.map((name, i) => [name, i]));
  const names = new NameTable({ uniqueStems: true, rename: { images: 'images_' } });
  const made = new FolderMaker();
  const lists = new Map<string | null, TextWriter>();
  const splits = job.splits?.names ?? [null];
  // A set with no label file at all is taken for one that nobody labelled, so that where nothing is on any picture each has an
  // empty one. Resident until a set's first row: the paths.
  const bare = new Map<string | null, string[]>(splits.map((split) => [split, []]));
  const listName = (split: string | null) => `${split ?? 'all'}.txt`;
  try {
    if (job.images === 'none')
      for (const split of splits) lists.set(split, await TextWriter.create(join(target, listName(split))));
    // Names are unique over all splits, since some trainers keep one cache for them.
    const nameOf = (image: DatasetImage) => {
      const given = names.give(image.file, image.id);
      return image.split === null ? given : `${image.split}/${given}`;
    };
    for await (const { image, name } of placeImages(images, nameOf, join(target, 'images'), job)) {
      const rows = rowsOf(image, classIndex, rowOf, job);
      const path = join(target, 'labels', `${splitExtension(name)[0]}.txt`);
      const others = bare.get(image.split);
      if (rows !== '') {
        bare.delete(image.split);
        await made.make(dirname(path));
        await writeFile(path, rows, { flag: 'wx' });
      } else others?.push(path);
      await lists.get(image.split)?.write(`./images/${name}\n`);
      job.tally.image(image);
    }
    for (const path of [...bare.values()].flat()) {
      await made.make(dirname(path));
      await writeFile(path, '', { flag: 'wx' });
    }
    for (const list of lists.values()) await list.close();
  } finally {
    for (const list of lists.values()) await list.abandon();
  }
  // Every set is there, an empty one too, as `data.yaml` names them all.
  for (const split of splits) if (job.images !== 'none') await made.make(join(target, 'images', split ?? ''));
  const where = (split: string | null) =>
    job.images === 'none' ? listName(split) : split === null ? 'images' : `images/${split}`;
  await writeFile(join(target, 'data.yaml'), dataYaml(splits, where, job.classNames) + moreYaml, { flag: 'wx' });
  job.tally.renamed = names.renamed;
}

function rowsOf(image: DatasetImage, classIndex: ReadonlyMap<string, number>, rowOf: RowOf, job: WriteJob): string {
  let rows = '';
  for (const region of image.regions) {
    if (region.labels.length === 0) continue;
    const numbers = rowOf(region, image);
    if (numbers === null) {
      job.tally.lose('regions with no area inside the image');
      continue;
    }
    for (const label of region.labels) {
      rows += `${classIndex.get(label.className) as number}${numbers}\n`;
      job.tally.labels++;
    }
    job.tally.regions++;
  }
  return rows;
}

function dataYaml(
  splits: readonly (string | null)[],
  where: (split: string | null) => string,
  classNames: readonly string[],
): string {
  // Trainers want `train` and `val`; with no split both are the whole.
  const sets =
    splits[0] === null
      ? ['train', 'val'].map((key) => [key, where(null)])
      : splits.map((split) => [split, where(split)]);
  const lines = sets.map(([key, place]) => `${key}: ${place}`);
  const names = classNames.map((name, i) => `  ${i}: ${yamlText(name)}`);
  return `${lines.join('\n')}\nnc: ${classNames.length}\nnames:${names.length === 0 ? ' {}' : `\n${names.join('\n')}`}\n`;
}

/** Words that some YAML readers take for something else than text. */
const YAML_WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/** A scalar that every YAML reader takes for this text: plain where it is a simple word, else in double quotes. */
export function yamlText(text: string): string {
  if (/^[A-Za-z](?:[\w -]*\w)?$/.test(text) && !YAML_WORDS.test(text)) return text;
  const escaped = JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped;
}
