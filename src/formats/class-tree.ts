/**
 * A folder per class, as `folders` and `crops` have it: `[SPLIT/]CLASS/path`. `classes.json` at the root says which
 * class each folder stands for; it is written when the folders alone do not say it (a class name that no file system
 * takes, a class called like a split) and whenever there are splits, and it is believed when it is there.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayAt, badFile, jsonOf, objectAt, stringAt } from './check.ts';
import { classFolders, UNLABELLED_FOLDER } from './names.ts';
import type { Reckoning } from './reckoning.ts';
import { splitOfName } from './split-names.ts';
import { isImageName, listFolder, readSmallText, walkFiles } from './walk.ts';

const MAP_FILE = 'classes.json';
export class ClassTreeWriter {
  readonly #folderOf: ReadonlyMap<string, string>;
  /** Class folders whose name differs from the class. */
  readonly changed: number;
  readonly #mapped: boolean;
  readonly #splits: readonly string[] | null;

  /** @param reserved names at the root that no class folder may have */
  constructor(classNames: readonly string[], splits: readonly string[] | null, reserved: readonly string[]) {
    const { folderOf } = classFolders(classNames, [UNLABELLED_FOLDER, MAP_FILE, ...reserved]);
    this.#folderOf = folderOf;
    this.#splits = splits;
    this.changed = [...folderOf].filter(([className, folder]) => className !== folder).length;
    this.#mapped = splits !== null || this.changed > 0 || classNames.some((name) => splitOfName(name) !== null);
  }

  /** The folder of a class (null: unlabelled), with a slash at its end. */
  folder(className: string | null, split: string | null): string {
    const folder = className === null ? UNLABELLED_FOLDER : (this.#folderOf.get(className) as string);
    return `${split === null ? '' : `${split}/`}${folder}/`;
  }

  async finish(root: string): Promise<void> {
    if (!this.#mapped) return;
    const text = JSON.stringify({ splits: this.#splits, folders: mapOf(this.#folderOf) }, null, 1);
    await writeFile(join(root, MAP_FILE), `${text}\n`, { flag: 'wx' });
  }
}

/** In order of the class; as pairs, since a JSON object would lose the order of folders named by digits. */
function mapOf(folderOf: ReadonlyMap<string, string>): { folder: string; class: string }[] {
  return [...folderOf].map(([className, folder]) => ({ folder, class: className }));
}

export interface ClassFolder {
  /** Path below the root, with no slash at its end. */
  readonly path: string;
  readonly split: string | null;
  /** Null for the folder of unlabelled images. */
  readonly className: string | null;
}

/** Class folders of a tree, in order of path; what is passed over is told. */
export async function readClassTree(root: string, reckoning: Reckoning): Promise<ClassFolder[]> {
  const map = await readMap(root);
  if (map !== null) return mappedFolders(root, map);
  const found = await foundFolders(root, '', reckoning);
  if (found.length === 0)
    throw badFile(
      root,
      'there are no class folders in it',
      'A tree of classes has a folder with images for each class.',
    );
  return found;
}

async function mappedFolders(
  root: string,
  { splits, classOf }: { splits: SplitFolder[] | null; classOf: ReadonlyMap<string, string> },
): Promise<ClassFolder[]> {
  const found: ClassFolder[] = [];
  for (const split of splits ?? [null]) {
    const before = split === null ? '' : `${split.folder}/`;
    for (const folder of (await listFolder(join(root, before))).folders) {
      const className = folder === UNLABELLED_FOLDER ? null : (classOf.get(folder) ?? folder);
      found.push({ path: before + folder, split: split?.name ?? null, className });
    }
  }
  if (found.length === 0) throw badFile(root, 'there are no class folders in it');
  return found;
}

/** What people put beside the classes of a tree, and a folder that holds the classes and is none. */
const NO_CLASSES = new Set(['__macosx', 'docs', 'doc', 'node_modules']);
const WRAPPERS = new Set(['images', 'image', 'img', 'imgs', 'data', 'dataset', 'datasets']);

/** @param below the folder to look into, with a slash at its end, or nothing */
async function foundFolders(root: string, below: string, reckoning: Reckoning): Promise<ClassFolder[]> {
  const { files, folders } = await listFolder(join(root, below));
  tellLoose(below, files, reckoning);
  const inside: Inside[] = [];
  for (const folder of folders) {
    const flat = (await listFolder(join(root, below, folder))).files.some(isImageName);
    const deep = await holdsImagesBelow(join(root, below, folder));
    if (flat || deep) inside.push({ folder, flat, deep });
  }
  const real = inside.filter(({ folder }) => !NO_CLASSES.has(folder.toLowerCase()));
  const passedOver = inside.filter(({ folder }) => NO_CLASSES.has(folder.toLowerCase()));
  const trees = real.filter(({ folder, deep }) => deep && splitOfName(folder) !== null);
  const others = real.filter(({ folder }) => splitOfName(folder) === null);
  // A class called `train` holds images; a split holds folders of them, and its like beside it may be unlabelled.
  if (trees.length > 0 && (others.length === 0 || trees.length > 1)) {
    for (const { folder } of [...passedOver, ...others])
      reckoning.note('file-passed-over', `${below}${folder}/`, 'a folder beside the splits that is none');
    const found: ClassFolder[] = [];
    for (const { folder, flat, deep } of real.filter(({ folder }) => splitOfName(folder) !== null))
      found.push(...(await foldersOfSplit(root, `${below}${folder}`, { flat, deep }, reckoning)));
    return found;
  }
  // Splits without folders of classes: their pictures are of no class.
  if (real.length > 1 && others.length === 0)
    return real.map(({ folder }) => ({ path: below + folder, split: splitOfName(folder), className: null }));
  const [only] = real;
  if (
    real.length === 1 &&
    !only.flat &&
    (WRAPPERS.has(only.folder.toLowerCase()) || (await holdsSplits(root, below, only)))
  )
    return foundFolders(root, `${below}${only.folder}/`, reckoning);
  for (const { folder } of passedOver)
    reckoning.note('file-passed-over', `${below}${folder}/`, 'a folder that is no class');
  return real.map(({ folder }) => ({
    path: below + folder,
    split: null,
    className: folder === UNLABELLED_FOLDER ? null : folder,
  }));
}

interface Inside {
  readonly folder: string;
  /** Images stand in it. */
  readonly flat: boolean;
  /** Images stand in folders of it. */
  readonly deep: boolean;
}

async function holdsImagesBelow(path: string): Promise<boolean> {
  for (const folder of (await listFolder(path)).folders)
    for await (const file of walkFiles(join(path, folder))) if (isImageName(file)) return true;
  return false;
}

async function holdsSplits(root: string, below: string, { folder }: Inside): Promise<boolean> {
  const { folders } = await listFolder(join(root, below, folder));
  const splits = folders.filter((name) => splitOfName(name) !== null);
  for (const split of splits) if (await holdsImagesBelow(join(root, below, folder, split))) return true;
  return false;
}

/** The classes of one split, and, where it has none, its images as unlabelled ones. */
async function foldersOfSplit(
  root: string,
  path: string,
  { flat, deep }: Pick<Inside, 'flat' | 'deep'>,
  reckoning: Reckoning,
): Promise<ClassFolder[]> {
  const split = splitOfName(path.slice(path.lastIndexOf('/') + 1));
  if (!deep) return [{ path, split, className: null }];
  const { files, folders } = await listFolder(join(root, path));
  if (flat) tellLoose(`${path}/`, files, reckoning);
  return folders
    .filter((folder) => !NO_CLASSES.has(folder.toLowerCase()))
    .map((folder) => ({
      path: `${path}/${folder}`,
      split,
      className: folder === UNLABELLED_FOLDER ? null : folder,
    }));
}

function tellLoose(below: string, files: readonly string[], reckoning: Reckoning): void {
  for (const file of files.filter(isImageName)) reckoning.note('image-in-no-class', below + file);
}

interface SplitFolder {
  readonly folder: string;
  readonly name: string;
}

async function readMap(root: string): Promise<{ splits: SplitFolder[] | null; classOf: Map<string, string> } | null> {
  const text = await readSmallText(join(root, MAP_FILE), MAP_FILE);
  if (text === null) return null;
  const row = objectAt(jsonOf(text, MAP_FILE), MAP_FILE);
  const classOf = new Map<string, string>();
  for (const [i, pair] of arrayAt(row.folders, `${MAP_FILE} folders`).entries()) {
    const where = `${MAP_FILE} folders[${i}]`;
    const entry = objectAt(pair, where);
    classOf.set(stringAt(entry.folder, `${where}.folder`), stringAt(entry.class, `${where}.class`));
  }
  const splits =
    row.splits == null
      ? null
      : arrayAt(row.splits, `${MAP_FILE} splits`).map((split, i) => {
          const name = stringAt(split, `${MAP_FILE} splits[${i}]`);
          if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name))
            throw badFile(`${MAP_FILE} splits[${i}]`, 'this is no split name');
          return { folder: name, name };
        });
  return { splits, classOf };
}
