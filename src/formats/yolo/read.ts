/**
 * Reads YOLO data sets as trainers, labelling tools and predictions write them: with `data.yaml`, with darknet's
 * `obj.data`, or just folders; labels in `labels/` beside `images/`, beside the pictures, or alone. Images and labels are
 * gone through side by side, a folder at a time.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { splitExtension } from '../names.ts';
import { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { isImageName, listFolder, readSmallText } from '../walk.ts';
import { bareSet, endsOf, type ImageSet, isFolder, labelFolderOf, NAME_FILES, readDataset } from './dataset.ts';
import { type LabelScheme, regionsOfText } from './labels.ts';

export async function* readYolo(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const isFile = !(await stat(path)).isDirectory();
  const root = isFile ? dirname(path) : path;
  const { scheme, sets } = await readDataset(root, isFile ? basename(path) : null, options);
  const reader: Reader = { root, scheme, reckoning: options.reckoning };
  for (const set of sets ?? (await setsWithoutNames(root, options.reckoning))) {
    const isNamed = sets !== null;
    const isLabelled = await hasLabelFile(reader, set, isNamed);
    for await (const place of placesIn(reader, set, isNamed)) yield* imageOf(reader, place, isLabelled);
  }
}

interface Reader {
  readonly root: string;
  readonly scheme: LabelScheme;
  readonly reckoning: Reckoning;
}

/** A picture of a set, and its label file. */
interface Place {
  readonly image: string;
  readonly label: string | null;
  readonly split: string | null;
  /** The line of a list, where neither the picture nor its label file is there. */
  readonly missingAt?: string;
}

/** @param isNamed a file says which sets there are */
function placesIn(reader: Reader, set: ImageSet, isNamed: boolean): AsyncGenerator<Place> {
  if (set.list) return tellingDamage(reader, set, listedPlaces(reader, set));
  return placesBelow(
    reader,
    { images: set.path, labels: labelFolderOf(set.path), split: set.split, named: isNamed },
    0,
  );
}

/** Whether a set has any label file: where it has none, a missing one does not say that nothing is on the picture. */
async function hasLabelFile(reader: Reader, set: ImageSet, isNamed: boolean): Promise<boolean> {
  // What is told of the set is told when it is read.
  const silent = { ...reader, reckoning: new Reckoning() };
  for await (const { label } of placesIn(silent, set, isNamed)) if (label !== null) return true;
  return false;
}

/** Lists called like splits that name pictures, else the pictures' folder. */
async function setsWithoutNames(root: string, reckoning: Reckoning): Promise<ImageSet[]> {
  const { files } = await listFolder(root);
  const lists: ImageSet[] = [];
  for (const file of files) {
    const split = file.endsWith('.txt') ? splitOfName(file.slice(0, -4)) : null;
    if (split === null) continue;
    const line = await reckoning.attemptFile('file-unreadable', () => firstLine(join(root, file), file));
    if (isImageName(line ?? '')) lists.push({ path: join(root, file), list: true, split });
  }
  return lists.length > 0 ? lists : [{ path: await bareSet(root), list: false, split: null }];
}

async function firstLine(path: string, name: string): Promise<string | null> {
  for await (const { text } of linesOf(path, name)) if (text.trim() !== '') return text.trim();
  return null;
}

interface Pair {
  /** Folders of pictures and of labels; either may be missing, and both may be one. */
  readonly images: string;
  readonly labels: string;
  readonly split: string | null;
  /** A file says which sets there are; else folders called like splits are some. */
  readonly named: boolean;
}

const isLabelName = (name: string) =>
  /\.txt$/i.test(name) && !NAME_FILES.includes(name.toLowerCase()) && !/^readme|^license|^notes/i.test(name);

async function* placesBelow(reader: Reader, pair: Pair, depth: number): AsyncGenerator<Place> {
  const { images, labels, split } = pair;
  if (depth > 64) throw badFile(images, 'folders are nested more than 64 deep');
  const imageSide = await listFolder(images);
  const labelSide = images === labels ? imageSide : await listFolder(labels);
  const pictures = imageSide.files.filter(isImageName);
  const labelOf = new Map<string, string>();
  for (const [folder, side] of [
    [images, imageSide],
    [labels, labelSide],
  ] as const)
    for (const name of side.files.filter(isLabelName)) labelOf.set(name.slice(0, -4), join(folder, name));
  for (const name of labelSide.others.filter(isLabelName))
    reader.reckoning.note('file-unreadable', nameBelow(reader.root, join(labels, name)), 'no file, or a link to none');
  const unreadable = new Set(labelSide.others.filter(isLabelName).map((name) => name.slice(0, -4)));
  const alone = new Set(labelSide.files.filter(isLabelName).map((name) => name.slice(0, -4)));
  for (const file of pictures) {
    const stem = splitExtension(file)[0];
    alone.delete(stem);
    // What cannot be read is no image without objects.
    if (unreadable.has(stem)) continue;
    yield { image: join(images, file), label: labelOf.get(stem) ?? null, split };
  }
  // Labels without pictures are named by their stem; in one folder with pictures, other text files are no labels.
  for (const stem of [...alone].sort()) {
    const label = labelOf.get(stem);
    if (label !== undefined && (images !== labels || (await looksLikeLabels(label, pictures.length === 0))))
      yield { image: join(images, stem), label, split };
  }
  for (const below of await foldersBelow(imageSide.folders, labelSide.folders, pair))
    yield* placesBelow(reader, below, depth + 1);
}

/** `images` and `labels` go together; other folders are the same on both sides. */
async function foldersBelow(
  imageFolders: readonly string[],
  labelFolders: readonly string[],
  pair: Pair,
): Promise<Pair[]> {
  const { images, labels, split, named } = pair;
  const isPart = (name: string) => images === labels && /^(?:images|labels)$/i.test(name);
  const parts = imageFolders.filter(isPart);
  const pairs: Pair[] = [];
  const pictures = parts.find((name) => name.toLowerCase() === 'images');
  const texts = parts.find((name) => name.toLowerCase() === 'labels');
  if (pictures !== undefined || texts !== undefined) {
    const folder = join(images, pictures ?? 'images');
    const beside = texts === undefined ? folder : join(images, texts);
    pairs.push({ images: folder, labels: beside, split, named });
  }
  for (const name of [...new Set([...imageFolders, ...labelFolders])].sort()) {
    if (isPart(name)) continue;
    const own = join(images, name);
    const mirrored = join(labels, name);
    const there = images === labels || (await isFolder(mirrored));
    pairs.push({
      images: own,
      labels: there ? mirrored : own,
      split: split ?? (named ? null : splitOfName(name)),
      named,
    });
  }
  return pairs;
}

/**
 * Whether a text file of no picture holds rows of numbers.
 * @param alone there are no pictures beside it, so that it may be empty, or damaged
 */
async function looksLikeLabels(path: string, alone: boolean): Promise<boolean> {
  const line = await firstLine(path, basename(path)).catch(() => 'no text');
  if (line === null) return alone;
  return /^\S+(?:[\s,]+[-+.\deE]+){4,}$/.test(line) || (alone && /^\d+\s/.test(line));
}

/** What stands in a list up to where it cannot be read; that it ends there is told. */
async function* tellingDamage(
  { root, reckoning }: Reader,
  { path }: ImageSet,
  places: AsyncGenerator<Place>,
): AsyncGenerator<Place> {
  let given = 0;
  try {
    for await (const place of places) {
      yield place;
      given++;
    }
  } catch (error) {
    const after = given > 0 ? `${given} before that were read` : undefined;
    reckoning.tellFault('file-unreadable', error, { file: nameBelow(root, path), after });
  }
}

async function* listedPlaces({ root, reckoning }: Reader, set: ImageSet): AsyncGenerator<Place> {
  const name = basename(set.path);
  /** How many first folders of a line's path lead elsewhere: the same for all lines of most lists. */
  let dropped = -1;
  for await (const { text, number } of linesOf(set.path, name)) {
    const line = text.trim().replaceAll('\\', '/');
    if (line === '') continue;
    const where = `${name}:${number}`;
    if (!isImageName(line)) {
      reckoning.note('row-unreadable', where, `the path of an image was expected, not ${shown(line)}`);
      continue;
    }
    const candidates = [resolve(dirname(set.path), line), ...endsOf(line).map((end) => join(root, end))];
    const order = [...candidates.keys()].sort((a, b) => Number(b === dropped) - Number(a === dropped) || a - b);
    const found = await firstWithLabel(candidates, order);
    const { split } = set;
    if (found !== null) {
      dropped = found.at;
      yield { image: candidates[found.at], label: found.label, split };
    } else {
      const missing = (await anyIsFile(candidates)) ? {} : { missingAt: where };
      yield { image: candidates[0], label: null, split, ...missing };
    }
  }
}

async function firstWithLabel(
  candidates: readonly string[],
  order: readonly number[],
): Promise<{ at: number; label: string } | null> {
  for (const at of order) {
    const image = candidates[at];
    const label = `${splitExtension(basename(image))[0]}.txt`;
    for (const folder of new Set([labelFolderOf(dirname(image)), dirname(image)]))
      if (await isFile(join(folder, label))) return { at, label: join(folder, label) };
  }
  return null;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

async function anyIsFile(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (await isFile(path)) return true;
  return false;
}

/** Nothing where its labels cannot be read: that is not an image without objects. */
async function* imageOf(
  { root, scheme, reckoning }: Reader,
  { image, label, split, missingAt }: Place,
  isLabelledSet: boolean,
): AsyncGenerator<ImportedImage> {
  const file = nameBelow(root, image);
  const entry = { file, width: null, height: null, labels: [], split };
  if (label === null) {
    if (missingAt !== undefined) reckoning.note('label-file-missing', missingAt, file);
    else if (!isLabelledSet) reckoning.note('set-not-labelled', file);
    const unknown = missingAt !== undefined || !isLabelledSet;
    yield { ...entry, regions: [], where: file, ...(unknown ? { incomplete: true } : {}) };
    return;
  }
  const where = nameBelow(root, label);
  const text = await reckoning.attemptFile('file-unreadable', () => readSmallText(label, where));
  if (text === null) return;
  reckoning.take('files');
  yield await reckoning.markingLosses(() => ({
    ...entry,
    regions: regionsOfText(text, where, scheme, reckoning),
    where,
  }));
}

function nameBelow(root: string, path: string): string {
  const way = relative(resolve(root), resolve(path));
  return way.startsWith('..') || isAbsolute(way) ? path : way.replaceAll('\\', '/');
}
