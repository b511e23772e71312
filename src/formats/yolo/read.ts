/**
 * Reads YOLO labels: with `data.yaml` (its `train`, `val`, `test` being folders, lists of files, or lists of those), or
 * just folders with `classes.txt`. Images and labels are gone through side by side, a folder at a time. Rows of 5 columns
 * are boxes, of 6 boxes with a confidence, longer ones polygons, or, where `data.yaml` has `kpt_shape`, keypoints.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion, Keypoints } from '../../core/dataset.ts';
import { badFile, confidenceOf, numberIn, shown } from '../check.ts';
import { extentOf } from '../contours.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { splitExtension } from '../names.ts';
import { isImageName, listFolder, readSmallText } from '../walk.ts';

const YAML_FILES = ['data.yaml', 'data.yml', 'dataset.yaml'];
const NAME_FILES = ['classes.txt', 'obj.names', 'labels/classes.txt'];
/** Keys of `data.yaml` that are no sets of images. */
const OTHER_KEYS = new Set([
  'path',
  'names',
  'nc',
  'download',
  'kpt_shape',
  'flip_idx',
  'channels',
  'roboflow',
  'kpt_names',
]);

interface LabelScheme {
  readonly classNames: readonly string[];
  /** Where the names come from, for messages. */
  readonly namesFrom: string;
  /** Keypoints a row and numbers a keypoint (2 or 3); null: rows hold no keypoints. */
  readonly keypoints: { readonly count: number; readonly numbers: number } | null;
}

/** A set of images: a folder, or a text file that lists them. */
interface ImageSet {
  readonly path: string;
  readonly list: boolean;
  readonly split: string | null;
}

export async function* readYolo(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const given = await stat(path);
  const root = given.isDirectory() ? path : dirname(path);
  const yaml = await readYaml(root, given.isDirectory() ? YAML_FILES : [basename(path)]);
  const scheme = await schemeOf(root, yaml, options);
  const sets = yaml === null ? [{ path: await bareSet(root), list: false, split: null }] : await setsOf(root, yaml);
  for (const set of sets) {
    if (set.list) yield* readList(root, set, scheme);
    else yield* readPair(root, set.path, labelFolderOf(set.path), set.split, scheme, 0);
  }
}

interface Yaml {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

async function readYaml(root: string, names: readonly string[]): Promise<Yaml | null> {
  for (const name of names) {
    const text = await readSmallText(join(root, name), name);
    if (text === null) continue;
    let values: unknown;
    try {
      // Every scalar stays text, so that classes called `no` or `01` keep their names.
      values = parseYaml(text, { schema: 'failsafe' });
    } catch (cause) {
      const line = cause instanceof YAMLParseError ? `:${cause.linePos?.[0].line ?? '?'}` : '';
      throw badFile(
        `${name}${line}`,
        `not valid YAML: ${(cause as Error).message.split('\n', 1)[0]}`,
        undefined,
        cause,
      );
    }
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw badFile(name, `keys and values were expected, not ${shown(values)}`);
    return { name, values: values as Record<string, unknown> };
  }
  return null;
}

async function schemeOf(root: string, yaml: Yaml | null, options: ReadOptions): Promise<LabelScheme> {
  const keypoints = yaml === null ? null : keypointShape(yaml);
  if (yaml !== null && yaml.values.names != null) return { classNames: namesOf(yaml), namesFrom: yaml.name, keypoints };
  for (const name of NAME_FILES) {
    const text = await readSmallText(join(root, name), name);
    if (text === null) continue;
    const lines = text.split(/\r?\n/);
    while (lines.at(-1)?.trim() === '') lines.pop();
    const empty = lines.findIndex((line) => line.trim() === '');
    if (empty >= 0) throw badFile(`${name}:${empty + 1}`, 'the class name is empty');
    return { classNames: lines.map((line) => line.trim()), namesFrom: name, keypoints };
  }
  if (options.classNames !== undefined)
    return { classNames: options.classNames, namesFrom: 'the class names given', keypoints };
  throw badFile(root, 'nothing says which class each number stands for', `Put data.yaml or classes.txt into it.`);
}

function namesOf({ name, values }: Yaml): string[] {
  const where = `${name} names`;
  const given = values.names;
  if (typeof given !== 'object' || given === null)
    throw badFile(where, `a list of names was expected, not ${shown(given)}`);
  const names: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (!/^\d{1,6}$/.test(key)) throw badFile(where, `${shown(key)} is no class number`);
    if (typeof value !== 'string' || value.trim() === '') throw badFile(`${where}.${key}`, 'a class name was expected');
    names[Number(key)] = value;
  }
  return names;
}

function keypointShape({ name, values }: Yaml): LabelScheme['keypoints'] {
  const given = values.kpt_shape;
  if (given == null) return null;
  const [count, numbers] = Array.isArray(given) ? given.map(Number) : [];
  if (!(Number.isInteger(count) && count > 0 && (numbers === 2 || numbers === 3)))
    throw badFile(`${name} kpt_shape`, `[number of keypoints, 2 or 3] was expected, not ${shown(given)}`);
  return { count: count, numbers };
}

async function setsOf(root: string, yaml: Yaml): Promise<ImageSet[]> {
  const sets = new Map<string, ImageSet>();
  const base = typeof yaml.values.path === 'string' ? resolve(root, yaml.values.path) : root;
  for (const [key, given] of Object.entries(yaml.values)) {
    if (OTHER_KEYS.has(key) || given === null || given === '') continue;
    const values = Array.isArray(given) ? given : [given];
    // Other tools put their own things into this file; a set they may have is a path.
    if (!values.every((value) => typeof value === 'string')) continue;
    for (const value of values) {
      const set = await findSet([
        resolve(base, value),
        resolve(root, value),
        join(root, value.replace(/^(?:\.\.\/)+/, '')),
      ]);
      if (set === null) {
        if (!['train', 'val', 'test'].includes(key)) continue;
        throw badFile(
          `${yaml.name} ${key}`,
          `there is no ${shown(value)}`,
          `Paths count from the folder of ${yaml.name}.`,
        );
      }
      const split = key === 'valid' ? 'val' : key;
      // A folder named for two splits is no split: exports without one name it twice.
      sets.set(set.path, { ...set, split: sets.has(set.path) ? null : split });
    }
  }
  if (sets.size > 0) return [...sets.values()];
  return [{ path: await bareSet(root), list: false, split: null }];
}

async function findSet(candidates: readonly string[]): Promise<{ path: string; list: boolean } | null> {
  for (const path of candidates) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) return { path, list: false };
    if (found?.isFile()) return { path, list: true };
  }
  for (const path of candidates) if (await isFolder(labelFolderOf(path))) return { path, list: false };
  return null;
}

/** Where images are when nothing says it: `images`, or the folder itself. */
async function bareSet(root: string): Promise<string> {
  const images = join(root, 'images');
  return (await isFolder(images)) || (await isFolder(join(root, 'labels'))) ? images : root;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** The last `/images/` becomes `/labels/`; where there is none, labels lie beside the images. */
function labelFolderOf(folder: string): string {
  const path = `${folder}/`;
  const at = path.lastIndexOf('/images/');
  return at < 0 ? folder : `${path.slice(0, at)}/labels/${path.slice(at + 8)}`.replace(/\/$/, '');
}

async function* readPair(
  root: string,
  images: string,
  labels: string,
  split: string | null,
  scheme: LabelScheme,
  depth: number,
): AsyncGenerator<ImportedImage> {
  if (depth > 64) throw badFile(images, 'folders are nested more than 64 deep');
  const imageSide = await listFolder(images);
  const labelSide = images === labels ? imageSide : await listFolder(labels);
  const isLabel = (name: string) => name.endsWith('.txt') && !NAME_FILES.includes(name) && name !== 'classes.txt';
  const withLabel = new Set(labelSide.files.filter(isLabel).map((name) => name.slice(0, -4)));
  const alone = new Set(withLabel);
  for (const file of imageSide.files.filter(isImageName)) {
    const stem = splitExtension(file)[0];
    alone.delete(stem);
    const label = withLabel.has(stem) ? join(labels, `${stem}.txt`) : null;
    yield await imageOf(root, join(images, file), label, split, scheme);
  }
  // Labels without images are named by their stem; beside images, other text files are no labels.
  if (images !== labels)
    for (const stem of [...alone].sort())
      yield await imageOf(root, join(images, stem), join(labels, `${stem}.txt`), split, scheme);
  const folders = new Set([...imageSide.folders, ...labelSide.folders]);
  for (const folder of [...folders].sort())
    yield* readPair(root, join(images, folder), join(labels, folder), split, scheme, depth + 1);
}

async function* readList(root: string, set: ImageSet, scheme: LabelScheme): AsyncGenerator<ImportedImage> {
  const name = basename(set.path);
  for await (const { text, number } of linesOf(set.path, name)) {
    const line = text.trim();
    if (line === '') continue;
    if (!isImageName(line)) throw badFile(`${name}:${number}`, `the path of an image was expected, not ${shown(line)}`);
    const image = resolve(dirname(set.path), line);
    const label = join(labelFolderOf(dirname(image)), `${splitExtension(basename(image))[0]}.txt`);
    yield await imageOf(root, image, label, set.split, scheme);
  }
}

async function imageOf(
  root: string,
  image: string,
  label: string | null,
  split: string | null,
  scheme: LabelScheme,
): Promise<ImportedImage> {
  const file = nameBelow(root, image);
  const where = label === null ? file : nameBelow(root, label);
  const text = label === null ? null : await readSmallText(label, where);
  const regions = text === null ? [] : regionsOf(text, where, scheme);
  return { file, width: null, height: null, labels: [], regions, where, split };
}

function nameBelow(root: string, path: string): string {
  const way = relative(resolve(root), resolve(path));
  return way.startsWith('..') || isAbsolute(way) ? path : way.replaceAll('\\', '/');
}

function regionsOf(text: string, name: string, scheme: LabelScheme): ImportedRegion[] {
  const regions: ImportedRegion[] = [];
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries())
    if (line.trim() !== '') regions.push(regionOf(line.trim().split(/\s+/), `${name}:${i + 1}`, scheme));
  return regions;
}

function regionOf(cells: readonly string[], where: string, scheme: LabelScheme): ImportedRegion {
  const [id, ...numbers] = cells.map((cell) => numberIn(cell, where)) as [number, ...number[]];
  const className = Number.isInteger(id) ? scheme.classNames[id] : undefined;
  if (className === undefined)
    throw badFile(
      where,
      `the class number ${id} is unknown; ${scheme.namesFrom} has 0 to ${scheme.classNames.length - 1}`,
    );
  const points = scheme.keypoints;
  const pose = points !== null && numbers.length === 4 + points.count * points.numbers;
  const box = numbers.length === 4 || numbers.length === 5 || pose;
  if (points !== null && !box) {
    const columns = 5 + points.count * points.numbers;
    const what = `class, box and ${points.count} keypoints of ${points.numbers} numbers, as kpt_shape says`;
    throw badFile(where, `${columns} columns were expected (${what}), not ${cells.length}`);
  }
  if (!box && (numbers.length < 6 || numbers.length % 2 !== 0))
    throw badFile(where, `5 columns were expected (class, centre x and y, width, height), not ${cells.length}`);
  const fractions = box ? numbers.slice(0, 4) : numbers;
  for (const fraction of fractions)
    if (fraction < -TOLERANCE || fraction > 1 + TOLERANCE)
      throw badFile(where, `${fraction} is not a fraction of the image, 0 to 1`);
  const confidence = numbers.length === 5 ? confidenceOf(numbers[4], where) : null;
  return {
    box: box ? boxOfRow(fractions, where) : extentOf([fractions]),
    unit: 'fractions',
    score: confidence,
    labels: [{ className, confidence, origin: null, task: null }],
    mask: null,
    polygons: box ? null : [fractions],
    keypoints: pose ? keypointsOf(numbers.slice(4), points.numbers, where) : null,
    crowd: false,
  };
}

/** What rounding leaves outside 0 to 1 in files of other tools. */
const TOLERANCE = 1e-3;

function boxOfRow(row: readonly number[], where: string): Box {
  const [x, y, width, height] = row as [number, number, number, number];
  if (width < 0 || height < 0) throw badFile(where, 'the box has a negative size');
  const clip = (value: number) => Math.min(Math.max(value, 0), 1);
  return [clip(x - width / 2), clip(y - height / 2), clip(x + width / 2), clip(y + height / 2)];
}

/** Null where all of them are absent. */
function keypointsOf(row: readonly number[], numbers: number, where: string): Keypoints | null {
  const points = Array.from({ length: row.length / numbers }, (_, i) => {
    const [x, y] = [row[i * numbers], row[i * numbers + 1]];
    const visibility = numbers === 3 ? row[i * numbers + 2] : x === 0 && y === 0 ? 0 : 2;
    if (visibility !== 0 && visibility !== 1 && visibility !== 2)
      throw badFile(where, `the visibility of a keypoint is 0, 1 or 2, not ${visibility}`);
    return [x, y, visibility] as const;
  });
  return points.every(([, , visibility]) => visibility === 0) ? null : points;
}
