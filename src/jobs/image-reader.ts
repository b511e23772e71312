/** The original bytes of images, wherever their paths lead. */
import { join } from 'node:path';
import { type ImageId, sha256Hex } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import { LabelsmithError, messageOf } from '../errors.ts';
import { DEFAULT_MAX_BYTES } from '../images/decode.ts';
import { PixelBudget } from '../images/pixel-budget.ts';
import { createReader } from '../sources/reader.ts';
import type { Store } from '../store/store.ts';
import type { Workspace } from './workspace.ts';

/** The bytes are the caller's, who may give their memory back with `release`. */
export type ReadPath = (path: Pick<ImagePath, 'path' | 'pathBytes'>) => Promise<Uint8Array>;

/** Reads recorded paths, members of archives too. */
export function originalBytes({ dir }: Pick<Workspace, 'dir'>): ReadPath {
  const reader = createReader({ archiveCache: archiveCacheOf(dir) });
  return ({ path, pathBytes }) => reader.read(path, pathBytes, DEFAULT_MAX_BYTES);
}

/** Where compressed archives are unpacked; may be deleted at any time. */
export function archiveCacheOf(workspaceDir: string): string {
  return join(workspaceDir, 'cache', 'archives');
}

/**
 * Files of all stages of this process that are held at once. Photographs have a few megabytes and pass side by side; scans
 * and members of archives may have half a gigabyte each, and come one by one.
 */
const heldFiles = new PixelBudget(2 ** 29);

/** Runs `work`, which reads and holds a file of so many bytes, when there is room for it. Not one within another. */
export function holdingFile<T>(byteSize: number, work: () => Promise<T>): Promise<T> {
  return heldFiles.run(byteSize, work);
}

/** The bytes of an image from the first of its paths that still holds them, checked against its identity. */
export async function readImage(store: Pick<Store, 'pathsOfImages'>, id: ImageId, read: ReadPath): Promise<Uint8Array> {
  const paths = (await store.pathsOfImages([id])).get(id) ?? [];
  return readFirstIntact(id, paths, read);
}

/** The same, or null where they cannot be had any more: for what does without. Faults of our own are thrown. */
export async function readImageIfThere(
  store: Pick<Store, 'pathsOfImages'>,
  id: ImageId,
  read: ReadPath,
): Promise<Uint8Array | null> {
  try {
    return await readImage(store, id, read);
  } catch (error) {
    if (error instanceof LabelsmithError) return null;
    throw error;
  }
}

export async function readFirstIntact(id: ImageId, paths: readonly ImagePath[], read: ReadPath): Promise<Uint8Array> {
  let problem: unknown;
  for (const path of paths) {
    try {
      const bytes = await read(path);
      if (sha256Hex(bytes) === id) return bytes;
      problem = new LabelsmithError('NOT_FOUND', `${path.path} has other contents than when it was added.`, {
        hint: 'Run labelsmith add --sync on its folder to take in the change.',
        details: { reason: 'changed' },
      });
    } catch (error) {
      problem = error;
    }
  }
  if (problem instanceof LabelsmithError) throw problem;
  throw new LabelsmithError('NOT_FOUND', `Image ${id.slice(0, 12)} cannot be read (${messageOf(problem)}).`, {
    cause: problem,
  });
}
