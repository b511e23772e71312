/** Vectors in the folder `vectors/` of a workspace on this machine. */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { isTemporaryName, writeWorkspaceFile } from '../files/atomic.ts';
import { pathBelow } from '../files/place.ts';
import { VECTORS_FOLDER, vectorStoreOver } from './arrow-store.ts';
import type { VectorStore } from './vector-store.ts';

/** @param workspace the workspace's folder; it need not have a `vectors` folder yet. */
export function arrowVectorStore(workspace: string): VectorStore {
  return vectorStoreOver({
    place: workspace,
    async read(file) {
      return readFile(await pathBelow(workspace, file));
    },
    write: (file, bytes) => writeDurably(join(workspace, file), bytes),
    async remove(files) {
      const folders = new Set<string>();
      for (const file of files) {
        const path = await pathBelow(workspace, file);
        await rm(path, { force: true });
        folders.add(dirname(path));
      }
      for (const folder of folders) await removeIfEmpty(folder);
    },
    removeOthers: (named) => removeOthers(workspace, named),
  });
}

/** The file appears whole under its name or not at all; the folder's entry is on disk too. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  // The name is the content's, but a file may have been damaged since.
  const there = await readFile(path).catch(() => undefined);
  if (!there?.equals(bytes)) await writeWorkspaceFile(path, bytes);
}

async function removeOthers(workspace: string, named: ReadonlySet<string>): Promise<number> {
  const entries = await readdir(join(workspace, VECTORS_FOLDER), { withFileTypes: true }).catch(() => []);
  let deleted = 0;
  for (const entry of entries) {
    // A link leads out of the workspace, or nowhere that is ours.
    if (!entry.isDirectory()) continue;
    const folder = entry.name;
    const files = await readdir(join(workspace, VECTORS_FOLDER, folder)).catch(() => []);
    for (const file of files) {
      if (named.has(`${VECTORS_FOLDER}/${folder}/${file}`) || !(file.endsWith('.arrow') || isTemporaryName(file)))
        continue;
      await rm(join(workspace, VECTORS_FOLDER, folder, file), { force: true });
      deleted++;
    }
    await removeIfEmpty(join(workspace, VECTORS_FOLDER, folder));
  }
  return deleted;
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) throw error;
  });
}
