/** Goes through folders in order of name, one folder's listing at a time. Hidden entries are left out. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { isHiddenName } from '../sources/names.ts';
import { badFile } from './check.ts';
import { decoderFor } from './encodings.ts';
import { splitExtension } from './names.ts';
import { notText, regularFileSize } from './special-files.ts';

/** Extensions that name images here; what is inside is not looked at. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.avif',
  '.tif',
  '.tiff',
  '.bmp',
  '.heic',
  '.heif',
  '.svg',
];

export function isImageName(name: string): boolean {
  return IMAGE_EXTENSIONS.includes(splitExtension(name)[1].toLowerCase());
}

export interface Listing {
  /** Names, sorted. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Pipes, devices, sockets and links that lead nowhere: nothing of them is read. */
  readonly others: readonly string[];
}

/** Who is told of folders that may not be read, while `passingOverClosed` does its work. */
const closedFolders = new AsyncLocalStorage<(folder: string) => boolean>();

/**
 * Does the work, in which folders below this one that may not be read are empty.
 * @param tell called once for each of them, with its path below `root`
 */
export async function passingOverClosed<T>(
  root: string,
  tell: (folder: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const roots = [resolve(root), await realpath(root).catch(() => resolve(root))];
  const told = new Set<string>();
  const isPassedOver = (folder: string): boolean => {
    const below = roots
      .map((one) => relative(one, folder).split(sep).join('/'))
      .find((path) => path !== '..' && !path.startsWith('../'));
    if (below === '') return false;
    const shown = below ?? folder;
    if (!told.has(shown)) tell(shown);
    told.add(shown);
    return true;
  };
  return closedFolders.run(isPassedOver, work);
}

/**
 * What one folder holds; links count as what they lead to, dead ones and those to a folder they stand in not at all. A
 * folder that is not there is empty.
 */
export async function listFolder(folder: string): Promise<Listing> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    const isClosed = error.code === 'EACCES' || error.code === 'EPERM';
    if (isClosed && closedFolders.getStore()?.(resolve(folder)) === true) return [];
    throw error;
  });
  const files: string[] = [];
  const folders: string[] = [];
  const others: string[] = [];
  for (const entry of entries) {
    if (isHiddenName(entry.name)) continue;
    let target: { isFile(): boolean; isDirectory(): boolean } | null = entry;
    if (entry.isSymbolicLink()) target = await stat(join(folder, entry.name)).catch(() => null);
    if (target?.isDirectory()) {
      if (!entry.isSymbolicLink() || !(await leadsUp(folder, entry.name))) folders.push(entry.name);
    } else if (target?.isFile()) files.push(entry.name);
    else others.push(entry.name);
  }
  return { files: files.sort(), folders: folders.sort(), others: others.sort() };
}

async function leadsUp(folder: string, link: string): Promise<boolean> {
  const [here, there] = await Promise.all([realpath(folder), realpath(join(folder, link))]);
  return here === there || here.startsWith(there.endsWith(sep) ? there : there + sep);
}

/** Deeper than any real tree. */
const MAX_DEPTH = 64;

/**
 * Files below a folder as paths relative to it, `/` between parts: a folder's own files first, then its folders'. Folders
 * linked in a circle are gone through once.
 */
export function walkFiles(root: string): AsyncGenerator<string> {
  return walkBelow(root, '', []);
}

/** @param above the true places of the folders on the way here */
async function* walkBelow(root: string, below: string, above: readonly string[]): AsyncGenerator<string> {
  if (above.length > MAX_DEPTH) throw badFile(join(root, below), `folders are nested more than ${MAX_DEPTH} deep`);
  const here = await realpath(join(root, below)).catch(() => join(root, below));
  if (above.includes(here)) return;
  const { files, folders } = await listFolder(here);
  for (const file of files) yield below + file;
  for (const folder of folders) yield* walkBelow(root, `${below}${folder}/`, [...above, here]);
}

/** Label files of one image are small; what is larger is something else. */
const MAX_TEXT_BYTES = 1 << 26;

/** The text of a small file; null when there is none. A byte-order mark is taken off. */
export async function readSmallText(path: string, name: string): Promise<string | null> {
  try {
    const size = await regularFileSize(path, name);
    if (size > MAX_TEXT_BYTES) throw badFile(name, `the file is ${size} bytes, more than a label file has`);
    const bytes = await readFile(path);
    return decoderFor(bytes, name).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw await notText(path, name, name, error);
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
