/** Blobs in a folder of this machine: a file each, its key the path below the folder. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { isTemporaryName, writeWorkspaceFile } from '../files/atomic.ts';
import { pathBelow } from '../files/place.ts';
import { type BlobInfo, type BlobStore, checkKey, checkPrefix } from './blob-store.ts';

/** @param folder need not be there yet */
export function folderBlobs(folder: string): BlobStore {
  /** Somebody may have put a link in the way. */
  const pathOf = (key: string) => {
    checkKey(key);
    return pathBelow(folder, key);
  };
  return {
    async put(key, bytes) {
      await writeWorkspaceFile(await pathOf(key), bytes);
    },

    async get(key) {
      const path = await pathOf(key);
      return ifThere(key, readFile(path));
    },

    async stat(key) {
      const path = await pathOf(key);
      const found = await ifThere(key, stat(path));
      return found?.isFile() ? { key, byteSize: found.size } : undefined;
    },

    async *list(prefix = '') {
      checkPrefix(prefix);
      yield* filesBelow(folder, '', prefix);
    },

    async delete(key) {
      await rm(await pathOf(key), { force: true });
    },
  };
}

/** Keys are compared by their characters: `a-b/…` comes before `a/…`. */
async function* filesBelow(folder: string, above: string, prefix: string): AsyncGenerator<BlobInfo> {
  const entries = (await ifThere(above, readdir(join(folder, above), { withFileTypes: true }))) ?? [];
  const names = entries
    .map((entry) => ({ entry, key: `${above}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    .filter(({ key }) => key.startsWith(prefix) || prefix.startsWith(key))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { entry, key } of names) {
    if (entry.isDirectory()) yield* filesBelow(folder, key, prefix);
    else if (entry.isFile() && !isTemporaryName(entry.name)) {
      const found = await ifThere(key, stat(join(folder, key)));
      if (found !== undefined) yield { key, byteSize: found.size };
    }
  }
}

async function ifThere<T>(key: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new LabelsmithError('WORKSPACE', `the blob ${key} cannot be read (${code})`, {
      hint: 'It can be made again: delete it, or check who may read the workspace.',
      cause,
    });
  }
}
