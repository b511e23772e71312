/**
 * CVAT for images 1.1 (docs.cvat.ai/docs/dataset_management/formats/format-cvat): `annotations.xml`, and `images/` beside
 * it. A label is a shape of its own; boxes come first, and the polygons, masks and points of the region after them.
 *
 * Every shape carries the attributes that `<meta>` declares for its label: `region` ties the shapes of one region
 * together, `score`, `origin` and `task` say what CVAT has no place for. CVAT keeps them and shows them to be edited.
 * Images come as they are; labels, known from the start, stand before them, so the file is written in one pass.
 */
import { join } from 'node:path';
import type { DatasetImage, LabelValue, MaskRle, RegionRecord } from '../../core/dataset.ts';
import { isMachine } from '../../core/labels.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { bitmapOf } from '../contours.ts';
import { attributesOfDetails } from '../details.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { NameTable } from '../names.ts';
import { pixel, score } from '../numbers.ts';
import type { RotatedBox } from '../rotated-box.ts';
import { TextWriter } from '../text-writer.ts';
import { xmlText } from '../xml.ts';
import { EXPORT_NAME, readCvat } from './read.ts';
import { OWN_ATTRIBUTES, PLACES } from './shape.ts';

const KEEPS: Keeps = {
  ...EVERYTHING,
  regionClasses: 'apart',
  regionIds: false,
  rejections: false,
  imageAttributes: false,
  annotators: false,
};

export const cvat: Format = {
  name: 'cvat',
  description: 'CVAT for images 1.1, an XML file',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: [...lossesOf(KEEPS), 'control characters in names'],
  write: writeCvat,
  read: readCvat,
};

/** Attributes of every label: name, CVAT's input type, default. */
const ATTRIBUTES = [
  ['region', 'text'],
  ['score', 'text'],
  ['origin', 'text'],
  ['task', 'text'],
  ['crowd', 'text'],
  ['visibility', 'text'],
] as const;

async function writeCvat(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable();
  const nameOf = (image: DatasetImage) => (job.images === 'none' ? image.file : names.give(image.file, image.id));
  const file = await TextWriter.create(join(target, 'annotations.xml'));
  let id = 0;
  try {
    await file.write(headOf(job));
    for await (const { image, name } of placeImages(images, nameOf, join(target, 'images'), job)) {
      await file.write(imageXml(image, name, id++));
      job.tally.image(image);
      job.tally.labels += image.labels.length;
      job.tally.regions += image.regions.filter((region) => region.labels.length > 0).length;
      for (const region of image.regions) job.tally.labels += region.labels.length;
    }
    await file.write('</annotations>\n');
    await file.close();
  } finally {
    await file.abandon();
  }
  job.tally.renamed = names.renamed;
}

function headOf({ classNames, splits }: WriteJob): string {
  const attributes = ATTRIBUTES.map(
    ([name, type]) =>
      `            <attribute><name>${name}</name><mutable>False</mutable><input_type>${type}</input_type>` +
      '<default_value></default_value><values></values></attribute>\n',
  ).join('');
  const labels = classNames.map(
    (name) =>
      `        <label>\n          <name>${xmlText(name)}</name>\n          <type>any</type>\n` +
      `          <attributes>\n${attributes}          </attributes>\n        </label>\n`,
  );
  const subsets = splits === null ? '' : `      <subsets>${splits.names.join('\n')}</subsets>\n`;
  return (
    '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n' +
    `      <name>${EXPORT_NAME}</name>\n      <mode>annotation</mode>\n${subsets}` +
    `      <labels>\n${labels.join('')}      </labels>\n    </task>\n  </meta>\n`
  );
}

type Attributes = readonly (readonly [name: string, value: string | number])[];

function attributeList(attributes: Attributes): string {
  return attributes.map(([name, value]) => ` ${name}="${xmlText(String(value))}"`).join('');
}

function imageXml(image: DatasetImage, name: string, id: number): string {
  const subset: Attributes = image.split === null ? [] : [['subset', image.split]];
  const own: Attributes = [['id', id], ['name', name], ...subset, ['width', image.width], ['height', image.height]];
  const shapes = [
    ...image.labels.map((label) => element('tag', label, [], saidOf(label, null, []))),
    ...image.regions.flatMap((region) => region.labels.map((label, n) => shapesOf(region, label, n))),
  ];
  return `  <image${attributeList(own)}>\n${shapes.join('')}  </image>\n`;
}

function element(tag: string, label: LabelValue, more: Attributes, inside: string): string {
  const source = isMachine(label.origin) ? 'auto' : 'manual';
  return `    <${tag}${attributeList([['label', label.className], ['source', source], ...more])}>\n${inside}    </${tag}>\n`;
}

function saidOf(label: LabelValue, regionScore: number | null, more: Attributes): string {
  const confidence = label.confidence ?? regionScore;
  const said: Attributes = [
    ...more,
    ...(confidence === null ? [] : ([['score', score(confidence)]] as const)),
    ['origin', label.origin],
    ['task', label.task],
  ];
  return said
    .map(([name, value]) => `      <attribute name="${name}">${xmlText(String(value))}</attribute>\n`)
    .join('');
}

function shapesOf(region: RegionRecord, label: LabelValue, n: number): string {
  const group: Attributes = [['region', `${region.id}-${n}`]];
  const { details = {} } = region;
  const { rotatedBox } = details;
  const flat: Attributes = [['occluded', details.occluded ? 1 : 0]];
  const order = PLACES.flatMap((name): Attributes => {
    const value = placeIn(details, name);
    return value !== null || name === 'z_order' ? [[name, value ?? 0]] : [];
  });
  const [x1, y1, x2, y2] = (rotatedBox === undefined ? region.box : straightened(rotatedBox)).map(pixel);
  const turn: Attributes = rotatedBox === undefined ? [] : [['rotation', pixel(rotatedBox.angleDegrees)]];
  const corners = [
    ['xtl', x1],
    ['ytl', y1],
    ['xbr', x2],
    ['ybr', y2],
  ] as Attributes;
  const crowd: Attributes = region.crowd ? [['crowd', 'true']] : [];
  const said = saidOf(label, region.score, [...group, ...crowd, ...ownAttributes(details)]);
  const tie = `      <attribute name="region">${region.id}-${n}</attribute>\n`;
  let xml = element('box', label, [...flat, ...corners, ...turn, ...order], said);
  for (const polygon of region.polygons ?? [])
    xml += element('polygon', label, [...flat, ['points', pointList(polygon)], ...order], tie);
  if (region.mask !== null) {
    const mask = maskAttributes(region.mask);
    if (mask !== null) xml += element('mask', label, [...flat, ...mask, ...order], tie);
  }
  if (region.keypoints !== null) {
    // Skeletons need a drawing of each in the project; points with a mark each say the same.
    const points = region.keypoints.map(([x, y]) => `${pixel(x)},${pixel(y)}`).join(';');
    const visibility = region.keypoints.map((point) => point[2]).join(',');
    const marks = `      <attribute name="visibility">${visibility}</attribute>\n`;
    xml += element('points', label, [...flat, ['points', points], ...order], tie + marks);
  }
  return xml;
}

/** The box before it is turned. */
function straightened({ cx, cy, width, height }: RotatedBox): number[] {
  return [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
}

/** The user's attributes; names that this format needs itself are lost. */
function ownAttributes(details: RegionDetails): Attributes {
  const { occluded: _, ...others } = attributesOfDetails(details);
  return Object.entries(others).flatMap(([name, value]) =>
    OWN_ATTRIBUTES.has(name) || placeIn(details, name) !== null ? [] : [[name, String(value)] as const],
  );
}

/** What CVAT says of the shape itself; null for what is an attribute like any other. */
function placeIn({ attributes }: RegionDetails, name: string): number | null {
  const value = attributes?.[name];
  const isPlace = PLACES.some((known) => known === name) && Number.isSafeInteger(value) && value !== 0;
  return isPlace && typeof value === 'number' ? value : null;
}

function pointList(flat: readonly number[]): string {
  return Array.from({ length: flat.length / 2 }, (_, i) => `${pixel(flat[2 * i])},${pixel(flat[2 * i + 1])}`).join(';');
}

/** Run lengths of the mask's own box, row-major, the first run counts zeros. */
function maskAttributes(mask: MaskRle): Attributes | null {
  const part = bitmapOf(mask);
  if (part === null) return null;
  const counts: number[] = [];
  let run = 0;
  let value = 0;
  for (const pixel of part.pixels) {
    if (pixel !== value) {
      counts.push(run);
      run = 0;
      value = pixel;
    }
    run++;
  }
  counts.push(run);
  return [
    ['rle', counts.join(', ')],
    ['left', part.left],
    ['top', part.top],
    ['width', part.width],
    ['height', part.height],
  ];
}
