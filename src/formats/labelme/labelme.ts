/**
 * LabelMe (github.com/wkentaro/labelme), as X-AnyLabeling reads it too: a JSON file a picture, its pictures beside. A
 * region is a rectangle and its polygons, tied by `group_id`; `difficult`, `attributes` and turned boxes (`rotation`) are
 * X-AnyLabeling's.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatasetImage, LabelValue, RegionRecord } from '../../core/dataset.ts';
import { DETAIL_NAMES, type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type WriteJob } from '../format.ts';
import { FolderMaker, placeImages } from '../image-files.ts';
import { NameTable, splitExtension } from '../names.ts';
import { pixel, rounded } from '../numbers.ts';
import { cornersOfRotated, type RotatedBox } from '../rotated-box.ts';
import { readLabelme } from './read.ts';

const KEEPS: Keeps = {
  ...NEXT_TO_NOTHING,
  imageLabels: 'all',
  boxes: 'exact',
  regionClasses: 'apart',
  polygons: true,
  size: true,
  unlabelled: true,
  details: DETAIL_NAMES,
};

export const labelme: Format = {
  name: 'labelme',
  description: 'LabelMe and X-AnyLabeling, a JSON file an image',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeLabelme,
  read: readLabelme,
};

/** The version of the format that is written; LabelMe warns of others than its own and reads them. */
const VERSION = '5.5.0';

async function writeLabelme(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable({ uniqueStems: true });
  const made = new FolderMaker();
  const nameOf = (image: DatasetImage) => names.give(image.file, image.id);
  for await (const { image, name } of placeImages(images, nameOf, target, job)) {
    const path = join(target, `${splitExtension(name)[0]}.json`);
    await made.make(dirname(path));
    await writeFile(path, `${JSON.stringify(rowOf(image, name), null, 1)}\n`, { flag: 'wx' });
    job.tally.image(image);
    job.tally.regions += image.regions.filter((region) => region.labels.length > 0).length;
    job.tally.labels += image.labels.length;
    for (const region of image.regions) job.tally.labels += region.labels.length;
  }
  job.tally.renamed = names.renamed;
}

function rowOf(image: DatasetImage, name: string): Record<string, unknown> {
  let group = 0;
  return {
    version: VERSION,
    flags: Object.fromEntries(image.labels.map(({ className }) => [className, true])),
    shapes: image.regions.flatMap((region) => region.labels.flatMap((label) => shapesOf(region, label, group++))),
    imagePath: name.slice(name.lastIndexOf('/') + 1),
    imageData: null,
    imageHeight: image.height,
    imageWidth: image.width,
  };
}

function shapesOf(region: RegionRecord, label: LabelValue, group: number): Record<string, unknown>[] {
  const { box, polygons, details = {} } = region;
  const { attributes, difficult, rotatedBox, trackId, ...flags } = details;
  const all = { ...attributes, ...flags, ...(trackId === undefined ? {} : { track_id: trackId }) };
  const shape = (kind: string, points: readonly (readonly number[])[], more: Record<string, unknown>) => ({
    label: label.className,
    points,
    // Shapes of one region have one group; a region of one shape needs none.
    group_id: polygons === null || polygons.length === 0 ? null : group,
    shape_type: kind,
    flags: {},
    ...more,
  });
  const [x1, y1, x2, y2] = box.map(pixel);
  return [
    shape(
      rotatedBox === undefined ? 'rectangle' : 'rotation',
      rotatedBox === undefined
        ? [
            [x1, y1],
            [x2, y2],
          ]
        : pairsOf(cornersOfRotated(rotatedBox)),
      {
        ...(rotatedBox === undefined ? {} : { direction: directionOf(rotatedBox) }),
        ...(difficult ? { difficult: true } : {}),
        ...(Object.keys(all).length === 0 ? {} : { attributes: all }),
      },
    ),
    ...(polygons ?? []).map((polygon) => shape('polygon', pairsOf(polygon), {})),
  ];
}

function pairsOf(flat: readonly number[]): number[][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [pixel(flat[2 * i]), pixel(flat[2 * i + 1])]);
}

/** Radians from 0 to a whole turn. */
function directionOf({ angleDegrees }: RotatedBox): number {
  return rounded(((((angleDegrees % 360) + 360) % 360) * Math.PI) / 180, 6);
}
