/**
 * Reads Pascal VOC: folders with `Annotations/` (`VOCdevkit/VOC2007/Annotations` too), a folder of XML files, with their
 * pictures beside them or not, or one XML file. Boxes, turned boxes of roLabelImg, polygons of Roboflow and labelImg. Where there
 * is no XML, masks that are pictures (`masks.ts`).
 * Resident: about 100 bytes an image of `ImageSets`, where there is one.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { Attributes, RegionDetails } from '../../core/region-details.ts';
import { LabelsmithError } from '../../errors.ts';
import { badFile, classNameAt, numberIn } from '../check.ts';
import { extentOf } from '../contours.ts';
import { attributeOfText, type OpenAttributes, sayAttribute } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { sizeFromText, sortedBox } from '../mend.ts';
import { splitExtension } from '../names.ts';
import type { Reckoning } from '../reckoning.ts';
import { extentOfRotated, type RotatedBox } from '../rotated-box.ts';
import { splitOfName } from '../split-names.ts';
import { IMAGE_EXTENSIONS, listFolder, readSmallText, walkFiles } from '../walk.ts';
import { maskFolderIn, readMasks } from './masks.ts';
import { foldersOfMasksBeside, readMasksBeside } from './masks-beside.ts';
import { gather, type VocObject, type VocText } from './xml.ts';

const ANNOTATIONS = 'Annotations';
const PICTURES = 'JPEGImages';
/** How deep below PATH a folder `Annotations` is looked for. */
const MAX_LEVELS = 3;

export async function* readVoc(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const { reckoning } = options;
  if (!(await stat(path)).isDirectory()) {
    const pictures = [dirname(path), join(dirname(path), '..', PICTURES)];
    const file = { name: basename(path), stem: splitExtension(basename(path))[0], pictures };
    yield await reckoning.markingLosses(() => readOne(path, file, reckoning));
    return;
  }
  const beside = await foldersOfMasksBeside(path);
  for (const folder of beside) yield* readMasksBeside(path, folder, reckoning);
  if (beside.length > 0) return;
  let found = false;
  for (const below of await annotationFolders(path, '', 0)) {
    const base = below === null ? path : join(path, below, '..');
    const splitOf = await readSplits(join(base, 'ImageSets'), reckoning);
    const folder = below === null ? path : join(path, below);
    const masks = await maskFolderIn(base);
    if (masks !== null && (below === null || (await hasNoXml(folder)))) {
      found = true;
      yield* readMasks(base, masks, splitOf, options);
      continue;
    }
    if (masks !== null) reckoning.note('masks-passed-over', below === null ? masks : `${below}/../${masks}`);
    const above = below === null ? [] : below.split('/').slice(0, -1);
    const splitAbove = above.map(splitOfName).find((name) => name !== null) ?? null;
    for await (const file of walkFiles(folder)) {
      if (!file.toLowerCase().endsWith('.xml')) continue;
      found = true;
      const stem = file.slice(0, -4);
      const name = below === null ? file : `${below}/${file}`;
      const pictures = below === null ? [folder] : [join(base, PICTURES), folder];
      const image = await reckoning.attemptFile('file-unreadable', () =>
        reckoning.markingLosses(() => readOne(join(path, name), { name, stem, pictures }, reckoning)),
      );
      if (image === null) continue;
      reckoning.take('files');
      const split = splitOf.get(stem) ?? (below === null ? splitOfName(file.split('/', 1)[0]) : splitAbove);
      // Two data sets of one folder may have pictures of one name.
      const further = above.length === 0 ? [] : [[...above, PICTURES, image.file].join('/')];
      yield { ...image, ...withNames(image, further), split };
    }
    if (below !== null) found = true;
  }
  if (!found) throw badFile(path, 'there are no XML files in it', `VOC has them in ${ANNOTATIONS}/.`);
}

async function hasNoXml(folder: string): Promise<boolean> {
  for await (const file of walkFiles(folder)) if (/\.xml$/i.test(file)) return false;
  return true;
}

function withNames({ otherNames = [] }: ImportedImage, further: readonly string[]): Pick<ImportedImage, 'otherNames'> {
  const names = [...otherNames, ...further];
  return names.length === 0 ? {} : { otherNames: names };
}

/** Paths below `root` of the folders called `Annotations`; `[null]` where there is none. */
async function annotationFolders(root: string, below: string, level: number): Promise<(string | null)[]> {
  const { folders } = await listFolder(join(root, below));
  const own = folders.find((folder) => folder.toLowerCase() === ANNOTATIONS.toLowerCase());
  if (own !== undefined) return [below + own];
  const found: (string | null)[] = [];
  if (level < MAX_LEVELS)
    for (const folder of folders) {
      const inside = await annotationFolders(root, `${below}${folder}/`, level + 1);
      found.push(...inside.filter((path) => path !== null));
    }
  return level === 0 && found.length === 0 ? [null] : found;
}

/** Lists of names with nothing beside them; those of one class (`cat_train.txt`) have a second column. */
async function readSplits(folder: string, reckoning: Reckoning): Promise<Map<string, string>> {
  const splitOf = new Map<string, string>();
  for (const set of (await listFolder(folder)).folders)
    for (const file of (await listFolder(join(folder, set))).files) {
      const split = file.slice(0, -4);
      if (!file.endsWith('.txt') || split === 'default' || split === 'trainval') continue;
      const name = `ImageSets/${set}/${file}`;
      await reckoning.attemptFile('file-unreadable', async () => {
        for await (const { text } of linesOf(join(folder, set, file), name)) {
          if (/\s-?[01]$/.test(text)) break;
          // Names with blanks are quoted by Datumaro.
          const stem = text.replace(/^"(.*)"$/, '$1');
          if (stem !== '') splitOf.set(stem, splitOfName(split) ?? split);
        }
      });
    }
  return splitOf;
}

interface XmlFile {
  /** Below the folder that is read. */
  readonly name: string;
  /** Of its place below `Annotations`, or below the folder that is read. */
  readonly stem: string;
  /** Folders in which its picture may lie. */
  readonly pictures: readonly string[];
}

async function readOne(path: string, file: XmlFile, reckoning: Reckoning): Promise<ImportedImage> {
  const { name } = file;
  const text = await readSmallText(path, name);
  if (text === null) throw new LabelsmithError('NOT_FOUND', `${name} is not there any more`);
  if (text.trim() === '') throw badFile(name, 'the file is empty');
  const { texts, objects } = gather(text, name);
  const names = await namesOf(texts, file);
  const size = (tag: string) => sizeFromText(texts.get(`size/${tag}`)?.text, `${name} size ${tag}`, reckoning);
  return {
    file: names[0],
    ...(names.length > 1 ? { otherNames: names.slice(1) } : {}),
    width: size('width'),
    height: size('height'),
    labels: [],
    regions: objects.flatMap((object) => {
      const region = reckoning.attempt('object-unreadable', () => regionOf(object, name, reckoning));
      return region === null ? [] : [region];
    }),
    where: name,
    split: null,
  };
}

/**
 * The name in the file, and that of the file: the same picture, unless it was renamed since. Where only one of them is
 * there, that one comes first.
 */
async function namesOf(
  texts: ReadonlyMap<string, VocText>,
  { stem, pictures }: XmlFile,
): Promise<[string, ...string[]]> {
  const said = texts.get('filename')?.text.trim() ?? '';
  const folder = dirname(stem);
  const named = said === '' ? null : said.includes('/') || folder === '.' ? said : `${folder}/${said}`;
  const path = texts.get('path')?.text.trim() ?? '';
  const further = path === '' ? [] : [path];
  if (named === null) return [stem, ...further];
  // The picture may have been converted since: then its stem alone is right.
  if (splitExtension(named)[0] === stem) return [named, ...(named === stem ? [] : [stem]), ...further];
  const own = (await isThere(pictures, named)) ? null : await pictureOf(pictures, stem);
  return own === null ? [named, stem, ...further] : [own, named, ...further];
}

async function isThere(folders: readonly string[], name: string): Promise<boolean> {
  for (const folder of folders)
    if (
      await stat(join(folder, name)).then(
        () => true,
        () => false,
      )
    )
      return true;
  return false;
}

async function pictureOf(folders: readonly string[], stem: string): Promise<string | null> {
  for (const extension of IMAGE_EXTENSIONS)
    for (const end of [extension, extension.toUpperCase()]) if (await isThere(folders, stem + end)) return stem + end;
  return null;
}

function regionOf(object: VocObject, name: string, reckoning: Reckoning): ImportedRegion {
  const { texts, line } = object;
  const className = texts.get('name');
  if (className === undefined) throw badFile(`${name}:${line}`, 'the object has no name');
  const text = classNameAt(className.text, `${name}:${className.line} name`);
  const where = `${name}:${line}`;
  const polygon = polygonOf(object, name);
  const attributes: OpenAttributes = {};
  for (const said of object.attributes) sayAttribute(attributes, said, where, reckoning);
  const rotatedBox = rotatedOf(object, attributes.rotation, name, reckoning);
  const details = detailsOf(object, attributes, rotatedBox);
  for (const part of object.passedOver) reckoning.note('attribute-passed-over', where, part);
  return {
    box: boxOf(object, { name, polygon, rotatedBox }, reckoning),
    where,
    unit: 'pixels',
    score: null,
    labels: [{ className: text, confidence: null, origin: null, task: null }],
    mask: null,
    polygons: polygon === null ? null : [polygon],
    keypoints: null,
    crowd: false,
    ...(details === null ? {} : { details }),
  };
}

function numberOf({ texts, line }: VocObject, key: string, name: string): number {
  const given = texts.get(key);
  if (given === undefined) throw badFile(`${name}:${line}`, `the object has no ${key.replace('/', ' ')}`);
  return numberIn(given.text, `${name}:${given.line} ${key.slice(key.lastIndexOf('/') + 1)}`);
}

function boxOf(
  object: VocObject,
  { name, polygon, rotatedBox }: { name: string; polygon: number[] | null; rotatedBox: RotatedBox | null },
  reckoning: Reckoning,
): Box {
  const isTurned = rotatedBox !== null && (!object.texts.has('bndbox/xmin') || !object.texts.has('robndbox/cx'));
  if (isTurned) return extentOfRotated(rotatedBox);
  if (!object.texts.has('bndbox/xmin') && polygon !== null) return extentOf([polygon]);
  const corners = ['xmin', 'ymin', 'xmax', 'ymax'].map((tag) => numberOf(object, `bndbox/${tag}`, name));
  const [xmin, ymin, xmax, ymax] = sortedBox(corners, `${name}:${object.line}`, reckoning);
  // Corners count from 1; tools that count from 0 write corners of 0, which have no pixel before them.
  const before = (corner: number) => (corner > 0 ? Math.max(corner - 1, 0) : corner);
  return [before(xmin), before(ymin), xmax, ymax];
}

/** `<polygon><x1>…</x1><y1>…</y1><x2>…`: Roboflow and others. */
function polygonOf(object: VocObject, name: string): number[] | null {
  const polygon: number[] = [];
  for (let i = 1; object.texts.has(`polygon/x${i}`); i++)
    polygon.push(numberOf(object, `polygon/x${i}`, name), numberOf(object, `polygon/y${i}`, name));
  return polygon.length < 6 ? null : polygon;
}

/**
 * `<robndbox>` of roLabelImg, its angle in radians, or CVAT's attribute `rotation`, by which the box is turned clockwise in
 * degrees.
 */
function rotatedOf(
  object: VocObject,
  rotation: Attributes[string] | undefined,
  name: string,
  reckoning: Reckoning,
): RotatedBox | null {
  if (!object.texts.has('robndbox/cx')) {
    const angleDegrees = Number(rotation || 0);
    if (!Number.isFinite(angleDegrees) || angleDegrees % 360 === 0) return null;
    const [x1, y1, x2, y2] = boxOf(object, { name, polygon: null, rotatedBox: null }, reckoning);
    return { cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1, angleDegrees };
  }
  const [cx, cy, width, height, angle] = ['cx', 'cy', 'w', 'h', 'angle'].map((key) =>
    numberOf(object, `robndbox/${key}`, name),
  );
  return { cx, cy, width: Math.abs(width), height: Math.abs(height), angleDegrees: (angle * 180) / Math.PI };
}

function detailsOf({ texts }: VocObject, attributes: Attributes, rotatedBox: RotatedBox | null): RegionDetails | null {
  const isSet = (tag: string) => /^(?:1|true|yes)$/i.test(texts.get(tag)?.text.trim() ?? '');
  const pose = texts.get('pose')?.text.trim() ?? '';
  // CVAT writes an angle of 0 of every box; any other one is that of the turned box.
  const isAngle = (key: string, value: unknown) => key === 'rotation' && (Number(value) === 0 || rotatedBox !== null);
  const others = Object.entries(attributes).flatMap(([key, value]) =>
    isAngle(key, value) ? [] : [[key, attributeOfText(String(value))] as const],
  );
  const details: RegionDetails = {
    ...(isSet('difficult') && { difficult: true }),
    ...(isSet('truncated') && { truncated: true }),
    ...(isSet('occluded') && { occluded: true }),
    ...(pose !== '' && pose !== 'Unspecified' && { pose }),
    ...(others.length > 0 && { attributes: Object.fromEntries(others) }),
    ...(rotatedBox !== null && { rotatedBox }),
  };
  return Object.keys(details).length === 0 ? null : details;
}
