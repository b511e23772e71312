/**
 * What a YOLO data set says of itself: classes and sets of images, in `data.yaml`, in darknet's `obj.data`, or only in
 * `classes.txt`. Paths of another machine are found by their ends.
 */

import { stat } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { messageOf } from '../../errors.ts';
import { badFile, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { splitOfName } from '../split-names.ts';
import { listFolder, readSmallText } from '../walk.ts';
import type { LabelScheme } from './labels.ts';

const YAML_FILES = ['data.yaml', 'data.yml', 'dataset.yaml', 'dataset.yml'];
const DATA_FILES = ['obj.data', 'darknet.data'];
/** Lists of class names, one a line. */
export const NAME_FILES = [
  'classes.txt',
  'obj.names',
  '_darknet.labels',
  'labels/classes.txt',
  'predefined_classes.txt',
];
/** Keys of `data.yaml` that are no sets of images. */
const OTHER_KEYS = new Set([
  'path',
  'names',
  'nc',
  'download',
  'kpt_shape',
  'kpt_names',
  'flip_idx',
  'channels',
  'task',
  'roboflow',
  // Of obj.data.
  'classes',
  'backup',
  'eval',
]);

/** A set of images: a folder, or a text file that lists them. Both may be missing but for their labels. */
export interface ImageSet {
  readonly path: string;
  readonly list: boolean;
  readonly split: string | null;
}

export interface YoloDataset {
  readonly scheme: LabelScheme;
  /** Null: no file names them. */
  readonly sets: readonly ImageSet[] | null;
}

interface Settings {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** @param file the settings' file, where it was named; else the folder is searched */
export async function readDataset(root: string, file: string | null, options: ReadOptions): Promise<YoloDataset> {
  const yaml = await readYaml(root, file === null ? await settingsFiles(root) : [file]);
  const settings = yaml ?? (await readDataFile(root));
  const scheme = await schemeOf(root, settings, options);
  return { scheme, sets: settings === null ? null : await setsOf(root, settings, options) };
}

/** The usual names, then any other file that names classes (`coco8.yaml`). */
async function settingsFiles(root: string): Promise<string[]> {
  const found = [...YAML_FILES];
  for (const name of (await listFolder(root)).files) {
    if (!/\.ya?ml$/i.test(name) || YAML_FILES.includes(name)) continue;
    const text = await readSmallText(join(root, name), name).catch(() => null);
    if (text !== null && /^names\s*:/m.test(text)) found.push(name);
  }
  return found;
}

async function readYaml(root: string, names: readonly string[]): Promise<Settings | null> {
  for (const name of names.filter((known) => /\.ya?ml$/i.test(known))) {
    const text = await readSmallText(join(root, name), name);
    if (text === null) continue;
    let values: unknown;
    try {
      // Every scalar stays text, so that classes called `no` or `01` keep their names.
      values = parseYaml(text, { schema: 'failsafe' });
    } catch (cause) {
      const line = cause instanceof YAMLParseError ? `:${cause.linePos?.[0].line ?? '?'}` : '';
      throw badFile(`${name}${line}`, `not valid YAML: ${messageOf(cause).split('\n', 1)[0]}`, undefined, cause);
    }
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw badFile(name, `keys and values were expected, not ${shown(values)}`);
    return { name, values: Object.fromEntries(Object.entries(values)) };
  }
  return null;
}

/** Darknet's: `key = value` a line. */
async function readDataFile(root: string): Promise<Settings | null> {
  for (const name of DATA_FILES) {
    const text = await readSmallText(join(root, name), name);
    if (text === null) continue;
    const pairs = text.split(/\r?\n/).flatMap((line) => {
      const [key, ...value] = line.split('=');
      return value.length === 0 ? [] : [[key.trim(), value.join('=').trim()] as const];
    });
    return { name, values: Object.fromEntries(pairs) };
  }
  return null;
}

async function schemeOf(root: string, settings: Settings | null, options: ReadOptions): Promise<LabelScheme> {
  const keypoints = settings === null ? null : keypointShape(settings);
  const scheme = (classNames: readonly string[], namesFrom: string): LabelScheme => {
    const names = settings?.values.kpt_names;
    if (keypoints !== null) tellSkeletons(classNames, keypoints.count, names, options);
    return { classNames, namesFrom, keypoints, ...(settings?.values.task === 'obb' && { turned: true as const }) };
  };
  const named = settings?.values.names;
  if (settings !== null && typeof named === 'object' && named !== null) return scheme(namesOf(settings), settings.name);
  const own = typeof named === 'string' && named !== '' ? [named, basename(named.replaceAll('\\', '/'))] : [];
  const splits = (await listFolder(root)).folders.filter((folder) => splitOfName(folder) !== null);
  const ofSplits = splits.flatMap((folder) => NAME_FILES.map((name) => `${folder}/${name}`));
  for (const name of [...own, ...NAME_FILES, ...ofSplits]) {
    const lines = await namesInFile(root, name);
    if (lines !== null) return scheme(lines, name);
  }
  if (own.length > 0)
    throw badFile(
      `${settings?.name} names`,
      `a list of names or the file that holds them was expected, not ${shown(named)}`,
    );
  if (options.classNames !== undefined) return scheme(options.classNames, 'the class names given');
  throw badFile(
    root,
    'nothing says which class each number stands for',
    'Put data.yaml or classes.txt into it, or name the classes with --names.',
  );
}

async function namesInFile(root: string, name: string): Promise<string[] | null> {
  const text = await readSmallText(resolve(root, name), name);
  if (text === null) return null;
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  const empty = lines.indexOf('');
  if (empty >= 0) throw badFile(`${name}:${empty + 1}`, 'the class name is empty');
  return lines;
}

function namesOf({ name, values }: Settings): string[] {
  const where = `${name} names`;
  const names: string[] = [];
  for (const [key, value] of Object.entries(values.names ?? {})) {
    if (!/^\d{1,6}$/.test(key)) throw badFile(where, `${shown(key)} is no class number`);
    if (typeof value !== 'string' || value.trim() === '') throw badFile(`${where}.${key}`, 'a class name was expected');
    names[Number(key)] = value;
  }
  return names;
}

function keypointShape({ name, values }: Settings): LabelScheme['keypoints'] {
  const given = values.kpt_shape;
  if (given === null || given === undefined) return null;
  const [count, numbers] = Array.isArray(given) ? given.map(Number) : [];
  if (!(Number.isInteger(count) && count > 0 && (numbers === 2 || numbers === 3)))
    throw badFile(`${name} kpt_shape`, `[number of keypoints, 2 or 3] was expected, not ${shown(given)}`);
  return { count, numbers };
}

/** `kpt_names` gives the keypoints of each class by its number, or one list for all. */
function tellSkeletons(
  classNames: readonly string[],
  count: number,
  given: unknown,
  { onClass }: Pick<ReadOptions, 'onClass'>,
): void {
  const isNames = (names: unknown): names is string[] =>
    Array.isArray(names) && names.length === count && names.every((name) => typeof name === 'string');
  for (const [i, className] of Object.entries(classNames)) {
    const own =
      typeof given === 'object' && given !== null ? Object.entries(given).find(([key]) => key === i)?.[1] : null;
    const names = isNames(given) ? given : isNames(own) ? own : null;
    if (names !== null) onClass?.({ className, skeleton: { keypointNames: names, edges: [] } });
  }
}

async function setsOf(
  root: string,
  { name, values }: Settings,
  { reckoning }: ReadOptions,
): Promise<ImageSet[] | null> {
  const sets = new Map<string, ImageSet>();
  const base = typeof values.path === 'string' ? resolve(root, slashed(values.path)) : root;
  for (const [key, given] of Object.entries(values)) {
    if (OTHER_KEYS.has(key) || given === null || given === '') continue;
    const paths: unknown[] = Array.isArray(given) ? given : [given];
    for (const path of paths) {
      // Other tools put their own things into this file; a set they may have is a path.
      if (typeof path !== 'string') continue;
      const set = await findSet(root, base, slashed(path));
      const split = splitOfName(key);
      if (set === null) {
        if (split === null) continue;
        reckoning.note('split-missing', `${name} ${key}`, `there is no ${shown(path)}`);
        continue;
      }
      // A folder named for two splits is no split: exports without one name it twice.
      sets.set(set.path, { ...set, split: sets.has(set.path) ? null : (split ?? key) });
    }
  }
  if (sets.size > 0) return [...sets.values()];
  // Where all of them are elsewhere, what lies beside the file is all that there is.
  return null;
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/').replace(/^[A-Za-z]:\//, '/');
}

async function findSet(root: string, base: string, path: string): Promise<{ path: string; list: boolean } | null> {
  const candidates = [resolve(base, path), resolve(root, path), ...endsOf(path).map((end) => join(root, end))];
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => null);
    if (found?.isDirectory()) return { path: candidate, list: false };
    if (found?.isFile()) return { path: candidate, list: true };
  }
  for (const candidate of candidates)
    if (await isFolder(labelFolderOf(candidate))) return { path: candidate, list: false };
  return null;
}

/** The path without what leads to it, then without more and more of its first folders: `a/b/c`, `b/c`, `c`. */
export function endsOf(path: string): string[] {
  const parts = posix
    .normalize(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.map((_, i) => parts.slice(i).join('/'));
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** The last `/images/` becomes `/labels/`; where there is none, labels lie beside the images. */
export function labelFolderOf(folder: string): string {
  const path = `${folder}/`;
  const at = path.toLowerCase().lastIndexOf('/images/');
  if (at < 0) return folder;
  const labels = path[at + 1] === 'I' ? 'Labels' : 'labels';
  return `${path.slice(0, at)}/${labels}/${path.slice(at + 8)}`.replace(/\/$/, '');
}

/** Where images are when nothing says it: `images`, else the folder itself. */
export async function bareSet(root: string): Promise<string> {
  const { folders } = await listFolder(root);
  const images = folders.find((folder) => folder.toLowerCase() === 'images');
  if (images !== undefined) return join(root, images);
  const labels = folders.find((folder) => folder.toLowerCase() === 'labels');
  return labels === undefined ? root : join(root, labels === 'Labels' ? 'Images' : 'images');
}
