/**
 * `forget`: takes images out of the record for good, with everything that was said of them. Files are never touched, and one
 * that is still in a source comes in again at the next `add`, as new.
 */
import { resolve } from 'node:path';
import { chunks } from '../../core/chunks.ts';
import type { ImageId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { dropParts } from '../../jobs/reduction.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { withSlashes } from '../../sources/names.ts';
import type { Forgotten } from '../../store/image-store.ts';
import type { Store } from '../../store/store.ts';
import { dropKeptSamples } from '../discover/kept-sample.ts';
import { removeVectorsOf } from '../stale-vectors.ts';

export interface ForgetQuery {
  /** Ids of images, files, folders or archives of the record; relative ones start at `cwd`. */
  readonly names: readonly string[];
  readonly cwd: string;
  /** Also all images of which no file is there any more. */
  readonly gone: boolean;
}

/** What would be forgotten. */
export interface ToForget {
  readonly ids: readonly ImageId[];
  /** Of them: those with a file that the record still counts as there. */
  readonly withFiles: number;
  /** Labels that people said or imports brought, which no stage can make again. */
  readonly precious: number;
}

const IMAGES_A_LOOK = 500;
/** One transaction each; what is left after a kill is found again by the same command. */
const IMAGES_A_WRITE = 1000;

/** Fails with `NOT_FOUND` for a name that is nothing of the record. */
export async function findToForget(store: Store, { names, cwd, gone }: ForgetQuery): Promise<ToForget> {
  const ids = new Set<ImageId>();
  for (const name of names) {
    const found = await imagesOf(store, name, withSlashes(resolve(cwd, name)));
    if (found.length === 0) {
      throw new LabelsmithError('NOT_FOUND', `Nothing in the record is called ${name}.`, {
        hint: 'Name a file, folder or archive that was added, or an image by its whole id; see labelsmith status.',
      });
    }
    for (const id of found) ids.add(id);
  }
  const away = await store.goneImages();
  if (gone && away.size > 0) {
    for await (const page of store.images({ gone: true })) for (const { id } of page) if (away.has(id)) ids.add(id);
  }
  const sorted = [...ids].sort();
  let precious = 0;
  for (const some of chunks(sorted, IMAGES_A_LOOK)) {
    const regions = [...(await store.regionsOf(some)).values()].flat();
    const labels = await store.labelsOf([...some, ...regions.map(({ id }) => id)]);
    const isPrecious = (origin: string) => origin === 'human' || origin === 'imported';
    precious += [...labels.values()].flat().filter(({ origin }) => isPrecious(origin)).length;
  }
  return { ids: sorted, withFiles: sorted.filter((id) => !away.has(id)).length, precious };
}

/** An id, a file, or what lies below a folder or in an archive. */
async function imagesOf(store: Store, name: string, path: string): Promise<ImageId[]> {
  if (/^[0-9a-f]{64}$/.test(name)) return (await store.image(name)) === undefined ? [] : [name];
  const file = (await store.lookupPaths([path])).get(path);
  if (file?.imageId != null) return [file.imageId];
  const found: ImageId[] = [];
  const below = [`${path.replace(/\/$/, '')}/`, `${path}!/`];
  for (const root of await store.sourceRoots()) {
    // Of no use where neither lies within the other.
    if (!below.some((start) => `${root}/`.startsWith(start) || start.startsWith(`${root}/`) || start === `${root}!/`))
      continue;
    for await (const page of store.pathsOf(root)) {
      for (const { path: at, imageId } of page) if (below.some((start) => at.startsWith(start))) found.push(imageId);
    }
  }
  return found;
}

/** Removes them, as a recorded run: their vectors first, so that none is left of an image that is gone. */
export function forget(
  workspace: Pick<Workspace, 'store' | 'vectors' | 'blobs'>,
  ids: readonly ImageId[],
  options: RunOptions,
): Promise<{ readonly counts: Forgotten & Readonly<Record<string, number>>; readonly interrupted: boolean }> {
  const { store } = workspace;
  return recordRun(store, { stage: 'forget', settings: {} }, options, async () => {
    const counts = { images: 0, paths: 0, regions: 0, labels: 0 };
    for (const some of chunks(ids, IMAGES_A_WRITE)) {
      if (options.signal?.aborted) break;
      const ofThem = [...(await store.regionsOf(some)).values()].flat();
      await removeVectorsOf(workspace, 'images', new Set(some));
      await removeVectorsOf(workspace, 'regions', new Set(ofThem.map(({ id }) => id)));
      // A run beside this that keeps one looks afterwards whether the files of vectors are still those it is of.
      await dropKeptSamples(workspace.blobs);
      await dropParts(workspace.blobs);
      const { images, paths, regions, labels } = await store.forgetImages(some);
      counts.images += images;
      counts.paths += paths;
      counts.regions += regions;
      counts.labels += labels;
    }
    return { counts, interrupted: options.signal?.aborted ?? false };
  });
}
