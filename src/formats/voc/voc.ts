/**
 * Pascal VOC (host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html): `Annotations/x.xml`,
 * `JPEGImages/x.jpg`, `ImageSets/Main/SPLIT.txt`. Boxes are whole pixels counted from 1, both corners inside the box: the
 * top-left pixel alone is (1, 1, 1, 1).
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { DatasetImage } from '../../core/dataset.ts';
import type { Attributes } from '../../core/region-details.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type WriteJob } from '../format.ts';
import { FolderMaker, placeImages } from '../image-files.ts';
import { NameTable, splitExtension } from '../names.ts';
import { TextWriter } from '../text-writer.ts';
import { xmlText } from '../xml.ts';
import { readVoc } from './read.ts';

const KEEPS: Keeps = {
  ...NEXT_TO_NOTHING,
  imageLabels: 'none',
  boxes: 'whole-pixels',
  regionClasses: 'apart',
  size: true,
  split: true,
  unlabelled: true,
  details: ['difficult', 'truncated', 'occluded', 'pose', 'attributes'],
};

export const voc: Format = {
  name: 'voc',
  description: 'Pascal VOC, an XML file an image',
  kind: 'folder',
  holds: 'regions',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: [...lossesOf(KEEPS), 'what lies outside the image', 'control characters in class names'],
  write: writeVoc,
  read: readVoc,
};

/** The list of an export without splits; as a split it means none. */
export const WHOLE_LIST = 'default';

/** Corners by VOC's count, at least one pixel, inside the image; null when nothing of the box is inside. */
export function vocBox(box: Box, width: number, height: number): Box | null {
  if (box[2] <= 0 || box[3] <= 0 || box[0] >= width || box[1] >= height || box[2] <= box[0] || box[3] <= box[1])
    return null;
  const [x1, x2] = wholePixels(box[0], box[2], width);
  const [y1, y2] = wholePixels(box[1], box[3], height);
  return [x1 + 1, y1 + 1, x2, y2];
}

/** Nearest whole edges, `from` before `to`, both in 0 to `size`. */
function wholePixels(from: number, to: number, size: number): [number, number] {
  const near = Math.min(Math.max(Math.round(from), 0), size - 1);
  const far = Math.min(Math.round(to), size);
  if (far > near) return [near, far];
  // Less than a pixel: the one that its middle is in, so that no edge is more than a pixel off.
  const pixel = Math.min(Math.max(Math.floor((from + to) / 2), 0), size - 1);
  return [pixel, pixel + 1];
}

async function writeVoc(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable({ uniqueStems: true });
  const made = new FolderMaker();
  const lists = new Map<string | null, TextWriter>();
  try {
    for (const split of job.splits?.names ?? [null])
      lists.set(split, await TextWriter.create(join(target, 'ImageSets', 'Main', `${split ?? WHOLE_LIST}.txt`)));
    const nameOf = (image: DatasetImage) => names.give(image.file, image.id);
    for await (const { image, name } of placeImages(images, nameOf, join(target, 'JPEGImages'), job)) {
      const stem = splitExtension(name)[0];
      const path = join(target, 'Annotations', `${stem}.xml`);
      await made.make(dirname(path));
      await writeFile(path, xmlOf(image, name, job), { flag: 'wx' });
      await (lists.get(image.split) as TextWriter).write(`${stem}\n`);
      job.tally.image(image);
    }
    for (const list of lists.values()) await list.close();
  } finally {
    for (const list of lists.values()) await list.abandon();
  }
  await made.make(join(target, 'Annotations'));
  job.tally.renamed = names.renamed;
}

function xmlOf(image: DatasetImage, name: string, job: WriteJob): string {
  const segmented = image.regions.some((region) => region.mask !== null || region.polygons !== null) ? 1 : 0;
  const lines = [
    '<annotation>',
    '\t<folder>JPEGImages</folder>',
    `\t<filename>${xmlText(name)}</filename>`,
    `\t<source>\n\t\t<database>Labelsmith ${xmlText(job.version)}</database>\n\t</source>`,
    `\t<size>\n\t\t<width>${image.width}</width>\n\t\t<height>${image.height}</height>\n\t\t<depth>3</depth>\n\t</size>`,
    `\t<segmented>${segmented}</segmented>`,
  ];
  for (const region of image.regions) {
    if (region.labels.length === 0) continue;
    const box = vocBox(region.box, image.width, image.height);
    if (box === null) {
      job.tally.lose('regions with no area inside the image');
      continue;
    }
    const { details = {} } = region;
    const truncated =
      details.truncated ||
      region.box[0] < 0 ||
      region.box[1] < 0 ||
      region.box[2] > image.width ||
      region.box[3] > image.height;
    for (const label of region.labels) {
      lines.push(
        '\t<object>',
        `\t\t<name>${xmlText(label.className)}</name>`,
        `\t\t<pose>${xmlText(details.pose ?? 'Unspecified')}</pose>`,
        `\t\t<truncated>${truncated ? 1 : 0}</truncated>`,
        `\t\t<difficult>${details.difficult ? 1 : 0}</difficult>`,
        ...(details.occluded ? ['\t\t<occluded>1</occluded>'] : []),
        '\t\t<bndbox>',
        ...['xmin', 'ymin', 'xmax', 'ymax'].map((tag, i) => `\t\t\t<${tag}>${box[i]}</${tag}>`),
        '\t\t</bndbox>',
        ...attributeLines(details.attributes ?? {}),
        '\t</object>',
      );
      job.tally.labels++;
    }
    job.tally.regions++;
  }
  return `${lines.join('\n')}\n</annotation>\n`;
}

/** As CVAT and Datumaro write them. */
function attributeLines(attributes: Attributes): string[] {
  const lines = Object.entries(attributes).map(
    ([name, value]) =>
      `\t\t\t<attribute><name>${xmlText(name)}</name><value>${xmlText(String(value))}</value></attribute>`,
  );
  return lines.length === 0 ? [] : ['\t\t<attributes>', ...lines, '\t\t</attributes>'];
}
