/**
 * `workspace copy`: a whole workspace from one place to another, between a folder and PostgreSQL with blobs, either way. Files
 * come first, under their final names; the record, in one transaction, is what makes the copy be there. Killed, it is begun
 * anew and finds its files.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ItemKind } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import { copyRecord, refusedInUse } from '../store/copy.ts';
import type { Store } from '../store/store.ts';
import { readSetting } from '../store/typed.ts';
import { ID_SETTING, OWNER_BLOB } from './blobs-owner.ts';
import { BLOBS_SETTING, placeOfWorkspace } from './place.ts';
import type { Workspace } from './stage.ts';
import { isShared, keepTaught, MODELS_FOLDER, shareTaught, TAUGHT, TAUGHT_BLOBS, taughtFile } from './taught-files.ts';
import { entryAt, entryOfFile } from './taught-models.ts';
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
      await refuseUsed(target.store);
      files = {
        vectors: await copyVectors(source, target),
        blobs: (await copyBlobs(source, target)) + (await copyTaught(source, target)),
      };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  // They are of the place, and so are not among the rows whichever way the copy goes.
  const leaveOut = [BLOBS_SETTING, ID_SETTING, TAUGHT.key];
  const [recordOf, recordTo] = [there.location, here.location];
  const rows = await copyRecord({ from: recordOf, to: recordTo, leaveOut, onProgress });
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
    const isKept =
      key === OWNER_BLOB || key.startsWith('vectors/') || (key.startsWith(TAUGHT_BLOBS) && !isShared(target));
    const bytes = isKept ? undefined : await blobs.get(key);
    if (bytes === undefined) continue;
    await target.blobs.put(key, bytes);
    copied++;
  }
  return copied;
}

/** Nothing of a workspace that is in use is written over: of what was taught, names mean what is written last. */
async function refuseUsed(store: Pick<Store, 'countImages' | 'runs'>): Promise<void> {
  if ((await store.countImages()) > 0 || (await store.runs({ limit: 1 })).length > 0) throw refusedInUse();
}

/** Classifiers, and networks of detectors and embedders. In a folder, a name means the file that has it. */
async function copyTaught(source: Workspace, target: Workspace): Promise<number> {
  if (!isShared(source)) return giveTaught(source, target);
  if (!isShared(target)) return takeTaught(source, target);
  const names = await source.store.getSetting(TAUGHT.key);
  if (names !== undefined) await target.store.putSetting(TAUGHT.key, names);
  // Their files were counted among the blobs.
  return 0;
}

/** Into a folder. */
async function takeTaught(source: Workspace, target: Workspace): Promise<number> {
  let copied = 0;
  for (const [name, { entry }] of Object.entries((await readSetting(source.store, TAUGHT)) ?? {})) {
    const here = await taughtFile(source, name);
    if (here === undefined) continue;
    const path = await keepTaught(target, name, await readFile(here));
    copied++;
    if (entry && (await target.models.imported(entry.id)) === undefined)
      await target.models.adopt(entryAt(entry, path));
  }
  return copied;
}

/** Of a folder. */
async function giveTaught({ dir, models }: Workspace, target: Workspace): Promise<number> {
  const names = await readdir(join(dir, MODELS_FOLDER)).catch(() => []);
  let copied = 0;
  for (const name of names.filter((one) => one.endsWith('.onnx')).sort()) {
    const path = join(dir, MODELS_FOLDER, name);
    const bytes = await readFile(path);
    await keepTaught(target, name, bytes);
    const entry = await entryOfFile(models, path);
    if (entry) await shareTaught(target, name, bytes, entry);
    copied++;
  }
  return copied;
}
