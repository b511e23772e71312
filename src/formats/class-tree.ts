/**
 * A folder per class, as `folders` and `crops` have it: `[SPLIT/]CLASS/path`. `classes.json` at the root says which
 * class each folder stands for; it is written when the folders alone do not say it (a class name that no file system
 * takes, a class called like a split) and whenever there are splits, and it is believed when it is there.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayAt, badFile, jsonOf, objectAt, stringAt } from './check.ts';
import { classFolders, UNLABELLED_FOLDER } from './names.ts';
import { listFolder, readSmallText } from './walk.ts';

const MAP_FILE = 'classes.json';
/** Folder names that are taken for splits where no `classes.json` says it. */
const SPLIT_NAMES = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
]);

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
    this.#mapped =
      splits !== null || this.changed > 0 || classNames.some((name) => SPLIT_NAMES.has(name.toLowerCase()));
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

/** Class folders of a tree, in order of path. */
export async function readClassTree(root: string): Promise<ClassFolder[]> {
  const map = await readMap(root);
  const top = await listFolder(root);
  const splits = map === null ? await guessSplits(root, top.folders) : map.splits;
  const found: ClassFolder[] = [];
  for (const split of splits ?? [null]) {
    const folders = split === null ? top.folders : (await listFolder(join(root, split.folder))).folders;
    for (const folder of folders) {
      const className = folder === UNLABELLED_FOLDER ? null : (map?.classOf.get(folder) ?? folder);
      found.push({
        path: split === null ? folder : `${split.folder}/${folder}`,
        split: split?.name ?? null,
        className,
      });
    }
  }
  if (found.length === 0)
    throw badFile(root, 'there are no class folders in it', 'A tree of classes has a folder for each class.');
  return found;
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

/** Splits are seen where every folder is named like one and holds folders only; a class `train` holds images. */
async function guessSplits(root: string, folders: readonly string[]): Promise<SplitFolder[] | null> {
  if (folders.length === 0) return null;
  const splits: SplitFolder[] = [];
  for (const folder of folders) {
    const name = SPLIT_NAMES.get(folder.toLowerCase());
    if (name === undefined) return null;
    const inside = await listFolder(join(root, folder));
    if (inside.files.length > 0 || inside.folders.length === 0) return null;
    splits.push({ folder, name });
  }
  return splits;
}
