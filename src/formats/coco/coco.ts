/**
 * COCO's object-detection JSON (cocodataset.org/#format-data): `images`, `annotations`, `categories`.
 *
 * Written streaming: images go to the file as they come, annotations to a part file beside it that is appended at the
 * end. Image and annotation ids count from 1 in order of content hash; boxes are `[x, y, width, height]` in pixels.
 * Category ids are the official ones for COCO's classes and count on from 91 for others; where no class is one of
 * COCO's, from 1. `score` is an extra key, as in COCO's result format.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COCO_CLASSES, cocoIdOf } from '../../core/coco-classes.ts';
import type { DatasetImage, RegionRecord } from '../../core/dataset.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { attributesOfDetails } from '../details.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { keypointNames, PERSON_KEYPOINTS } from '../keypoint-names.ts';
import { NameTable } from '../names.ts';
import { pixel, score } from '../numbers.ts';
import { polygonsArea } from '../polygons-area.ts';
import { maskArea, polygonArea } from '../rle.ts';
import { cornersOfRotated } from '../rotated-box.ts';
import { TextWriter } from '../text-writer.ts';
import { EXPORT_DESCRIPTION, readCoco } from './read.ts';

const KEEPS: Keeps = {
  ...EVERYTHING,
  imageLabels: 'none',
  regionClasses: 'apart',
  origin: false,
  task: false,
  regionIds: false,
  rejections: false,
  imageAttributes: false,
  annotators: false,
  skeletons: true,
};

export const coco: Format = {
  name: 'coco',
  description: 'COCO JSON: boxes, polygons, masks, keypoints',
  kind: 'folder',
  holds: 'regions',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: [...lossesOf(KEEPS), 'the mask of a region that has polygons too'],
  write: writeCoco,
  read: readCoco,
};

/** The lines between COCO's keypoints of a person, counted from 1 as in the format. */
// biome-ignore format: pairs read best on few lines
const PERSON_SKELETON = [
  [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9],
  [8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
];

/** Category ids of an export's classes. */
export function categoryIds(classNames: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  const others = classNames.filter((name) => cocoIdOf(name) === undefined);
  const lastOfficial = others.length === classNames.length ? 0 : (COCO_CLASSES.at(-1)?.[0] as number);
  for (const name of classNames) {
    const official = cocoIdOf(name);
    if (official !== undefined) ids.set(name, official);
  }
  for (const [i, name] of others.entries()) ids.set(name, lastOfficial + 1 + i);
  return ids;
}

async function writeCoco(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const ids = categoryIds(job.classNames);
  const files = new Map<string | null, CocoFile>();
  try {
    for (const split of job.splits?.names ?? [null])
      files.set(split, await CocoFile.create(target, split ?? 'annotations', job.version));
    // Without image files beside it, `file_name` is the path in the source, just as it is.
    const names = new NameTable();
    const nameOf = (image: DatasetImage) => (job.images === 'none' ? image.file : names.give(image.file, image.id));
    for await (const { image, name } of placeImages(images, nameOf, join(target, 'images'), job)) {
      await (files.get(image.split) as CocoFile).add(image, name, ids, job);
      job.tally.image(image);
    }
    for (const file of files.values()) await file.finish(ids, job);
    job.tally.renamed = names.renamed;
  } finally {
    for (const file of files.values()) await file.abandon();
  }
}

class CocoFile {
  readonly #partPath: string;
  readonly #main: TextWriter;
  readonly #part: TextWriter;
  #images = 0;
  #annotations = 0;
  /** Most keypoints seen on a region of a class. */
  readonly #keypoints = new Map<string, number>();

  private constructor(partPath: string, main: TextWriter, part: TextWriter) {
    this.#partPath = partPath;
    this.#main = main;
    this.#part = part;
  }

  static async create(folder: string, stem: string, version: string): Promise<CocoFile> {
    const main = await TextWriter.create(join(folder, `${stem}.json`));
    const partPath = join(folder, `.${stem}.part`);
    const info = JSON.stringify({ description: EXPORT_DESCRIPTION, version });
    await main.write(`{"info":${info},\n"licenses":[],\n"images":[`);
    return new CocoFile(partPath, main, await TextWriter.create(partPath));
  }

  async add(image: DatasetImage, name: string, ids: ReadonlyMap<string, number>, job: WriteJob): Promise<void> {
    const imageId = ++this.#images;
    const row = { id: imageId, file_name: name, width: image.width, height: image.height };
    await this.#main.write(`${imageId === 1 ? '' : ','}\n${JSON.stringify(row)}`);
    for (const region of image.regions) {
      if (region.labels.length > 0) job.tally.regions++;
      for (const label of region.labels) {
        const id = ++this.#annotations;
        if (region.keypoints !== null) {
          const most = this.#keypoints.get(label.className) ?? 0;
          this.#keypoints.set(label.className, Math.max(most, region.keypoints.length));
        }
        const categoryId = ids.get(label.className) as number;
        const annotation = annotationOf(region, id, imageId, categoryId, label.confidence ?? region.score);
        await this.#part.write(`${id === 1 ? '' : ','}\n${JSON.stringify(annotation)}`);
        job.tally.labels++;
      }
    }
  }

  async finish(ids: ReadonlyMap<string, number>, job: WriteJob): Promise<void> {
    await this.#part.close();
    await this.#main.write('\n],\n"annotations":[');
    const part = await open(this.#partPath, 'r');
    try {
      await this.#main.append(part);
    } finally {
      await part.close();
    }
    const rows = [...ids]
      .sort(([, a], [, b]) => a - b)
      .map(([name, id]) => JSON.stringify(this.#category(name, id, job)));
    await this.#main.write(`\n],\n"categories":[\n${rows.join(',\n')}\n]}\n`);
    await this.#main.close();
    await rm(this.#partPath);
  }

  async abandon(): Promise<void> {
    await this.#main.abandon();
    await this.#part.abandon();
  }

  #category(name: string, id: number, { parentOf, skeletonOf }: WriteJob): Record<string, unknown> {
    const count = this.#keypoints.get(name);
    const category = { id, name, supercategory: parentOf?.(name) ?? '' };
    const known = skeletonOf?.(name) ?? null;
    if (known !== null && known.keypointNames.length >= (count ?? 0))
      return { ...category, keypoints: known.keypointNames, skeleton: known.edges.map(([a, b]) => [a + 1, b + 1]) };
    if (count === undefined) return category;
    const skeleton = count === PERSON_KEYPOINTS.length ? PERSON_SKELETON : [];
    return { ...category, keypoints: keypointNames(count), skeleton };
  }
}

function annotationOf(
  region: RegionRecord,
  id: number,
  imageId: number,
  categoryId: number,
  confidence: number | null,
): Record<string, unknown> {
  const { box, polygons, mask, keypoints } = region;
  const [x, y] = [pixel(box[0]), pixel(box[1])];
  const [width, height] = [pixel(pixel(box[2]) - x), pixel(pixel(box[3]) - y)];
  let area = width * height;
  let segmentation: unknown = [];
  if (polygons !== null && polygons.length > 0) {
    area = polygonsArea(polygons);
    segmentation = polygons.map((polygon) => polygon.map(pixel));
  } else if (mask !== null) {
    area = maskArea(mask);
    segmentation = { size: mask.size, counts: mask.counts };
  } else if (region.details?.rotatedBox !== undefined) {
    const corners = cornersOfRotated(region.details.rotatedBox);
    area = polygonArea(corners);
    segmentation = [corners.map(pixel)];
  }
  return {
    id,
    image_id: imageId,
    category_id: categoryId,
    bbox: [x, y, width, height],
    area: pixel(area),
    iscrowd: region.crowd ? 1 : 0,
    segmentation,
    ...(keypoints === null
      ? {}
      : {
          keypoints: keypoints.flatMap(([px, py, visibility]) => [pixel(px), pixel(py), visibility]),
          num_keypoints: keypoints.filter((point) => point[2] > 0).length,
        }),
    ...(confidence === null ? {} : { score: score(confidence) }),
    ...attributesOf(region.details),
  };
}

/** As CVAT and Datumaro write them: flags, angle and track among the attributes. */
function attributesOf(details: RegionDetails | undefined): { attributes?: Record<string, unknown> } {
  if (details === undefined) return {};
  const { rotatedBox } = details;
  const rotation = rotatedBox === undefined ? {} : { rotation: pixel(rotatedBox.angleDegrees) };
  const all = { ...attributesOfDetails(details), ...rotation };
  return Object.keys(all).length === 0 ? {} : { attributes: all };
}
