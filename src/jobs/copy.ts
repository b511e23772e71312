/**
 * `workspace copy`: a whole workspace from one place to another, between a folder and PostgreSQL with blobs, either way. Files
 * come first, under their final names; the record, in one transaction, is what makes the copy be there. Killed, it is begun
 * anew and finds its files.
 */

import type { ItemKind } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import { copyRecord } from '../store/copy.ts';
import { BLOBS_SETTING, placeOfWorkspace } from './place.ts';
import type { Workspace } from './stage.ts';
import { openWorkspace, type WorkspaceParts } from './workspace.ts';

export interface CopyOptions {
  /** Workspaces as `openWorkspace` takes them. */
  readonly from: string;
  readonly to: string;
  /** Where the blobs of the copy go, if it is in PostgreSQL. */
  readonly blobsAt?: string;
  readonly models?: WorkspaceParts['models'];
  readonly onProgress?: (rows: number) => void;
}

export interface Copied {
  readonly rows: number;
  /** Files of vectors, and other blobs. */
  readonly vectors: number;
  readonly blobs: number;
}

export async function copyWorkspace(options: CopyOptions): Promise<Copied> {
  const { from, to, blobsAt, models, onProgress } = options;
  const [there, here] = [placeOfWorkspace(from), placeOfWorkspace(to)];
  if (there.name === here.name) throw new LabelsmithError('USAGE', 'A workspace is not copied to itself.');
  const source = await openWorkspace(from, { create: false, models });
  let files: Omit<Copied, 'rows'>;
  try {
    const target = await openWorkspace(to, { create: true, blobsAt, models });
    try {
      files = { vectors: await copyVectors(source, target), blobs: await copyBlobs(source, target) };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  const [recordOf, recordTo] = [there.location, here.location];
  const rows = await copyRecord({ from: recordOf, to: recordTo, leaveOut: [BLOBS_SETTING], onProgress });
  return { rows, ...files };
}

const ITEMS: readonly ItemKind[] = ['images', 'regions'];

async function copyVectors(source: Workspace, target: Workspace): Promise<number> {
  let copied = 0;
  for (const items of ITEMS) {
    for (const space of await source.store.vectorSpaces(items)) {
      for (const shard of await source.store.vectorShards(space, items)) {
        // A file that is gone is made again there as it would be here.
        const bytes = await source.vectors.readFile(shard).catch((error: unknown) => {
          if (error instanceof LabelsmithError && ['NOT_FOUND', 'BAD_FILE'].includes(error.code)) return undefined;
          throw error;
        });
        if (bytes === undefined) continue;
        await target.vectors.adopt(shard, bytes);
        copied++;
      }
    }
  }
  return copied;
}

async function copyBlobs({ blobs }: Workspace, target: Workspace): Promise<number> {
  let copied = 0;
  for await (const { key } of blobs.list()) {
    const bytes = key.startsWith('vectors/') ? undefined : await blobs.get(key);
    if (bytes === undefined) continue;
    await target.blobs.put(key, bytes);
    copied++;
  }
  return copied;
}
