/** Folders of this machine to choose from: names alone, hidden ones left out. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';

export interface Folders {
  readonly path: string;
  /** Null at the top. */
  readonly above: string | null;
  readonly folders: string[];
  /** Files that are named like images. */
  readonly images: number;
}

const MAX_FOLDERS = 1000;
const IMAGE = /\.(?:jpe?g|png|webp|gif|avif|tiff?|heic|heif|svg|dng|nef|cr2|cr3|arw)$/i;

/** @param path default: the user's home */
export async function foldersIn(path = homedir()): Promise<Folders> {
  const folder = resolve(homedir(), path);
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    return {
      path: folder,
      above: dirname(folder) === folder ? null : dirname(folder),
      folders: folders
        .map(({ name }) => join(folder, name))
        .sort()
        .slice(0, MAX_FOLDERS),
      images: entries.filter((entry) => entry.isFile() && IMAGE.test(entry.name)).length,
    };
  } catch (cause) {
    throw new LabelsmithError('NOT_FOUND', whyNot(folder, systemCodeOf(cause)), {
      hint: 'Choose another one.',
      cause,
    });
  }
}

/** Beside the workspace, where nothing is yet: `photos-coco`, `photos-csv-2.csv`. */
export function freePlace(workspaceDir: string, format: string, kind: 'folder' | 'file'): string {
  const folder = dirname(workspaceDir);
  const name = `${basename(folder)}-${format}`;
  const ending = kind === 'file' ? `.${format}` : '';
  for (let number = 1; ; number++) {
    const path = join(folder, `${name}${number === 1 ? '' : `-${number}`}${ending}`);
    if (number > MAX_NUMBER || !existsSync(path)) return path;
  }
}

const MAX_NUMBER = 200;

function whyNot(folder: string, code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
      return `There is no folder ${folder}.`;
    case 'ENOTDIR':
      return `${folder} is no folder.`;
    case 'EACCES':
    case 'EPERM':
      return `You may not look into the folder ${folder}.`;
    default:
      return `The folder ${folder} cannot be looked into (${code}).`;
  }
}
