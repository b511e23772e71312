/**
 * Opens workspaces. Each part may be given; the defaults are the folder `.labelsmith/` with `labelsmith.sqlite`, which is
 * precious, and `cache/` and `vectors/`, which may be deleted at any time; this machine's threads; the user's model cache.
 * A workspace in PostgreSQL has its vectors among its blobs.
 */
import { join } from 'node:path';
import { folderBlobs } from '../blobs/folder-blobs.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { cacheError } from '../fetch/cache.ts';
import { makeFolder } from '../files/make-folder.ts';
import { pathBelow } from '../files/place.ts';
import { createModels } from '../models/models.ts';
import type { Device } from '../onnx/device.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { arrowVectorStore } from '../vectors/folder-vectors.ts';
import { localEngine } from './local-engine.ts';
import { hasWorkspace, placeOfWorkspace, requireWorkspace, type WorkspacePlace } from './place.ts';
import type { Workspace } from './stage.ts';

export { hasWorkspace } from './place.ts';
export type { Workspace } from './stage.ts';

/** Parts in the place of the defaults. */
export type WorkspaceParts = Partial<Pick<Workspace, 'vectors' | 'blobs' | 'engine' | 'models'>>;

export interface OpenWorkspaceOptions extends WorkspaceParts {
  /** Makes the workspace where there is none; without it, that is an error. */
  readonly create: boolean;
  /** Where the blobs of a workspace in PostgreSQL are: `s3://BUCKET/PREFIX` or a folder. Default: as it was said once. */
  readonly blobsAt?: string;
  /** What the default engine and models run on (default `cpu`). */
  readonly device?: Device;
  /** Who people's writes are by (default: the user of this machine). */
  readonly actor?: string;
}

export const DEFAULT_WORKSPACE = '.labelsmith';

/** @param location a folder, or an address in PostgreSQL */
export async function openWorkspace(location: string, options: OpenWorkspaceOptions): Promise<Workspace> {
  const { create, blobsAt, actor, ...parts } = options;
  const place = placeOfWorkspace(location);
  if (place.isShared) return openShared(place, options);
  if (blobsAt !== undefined) {
    throw new LabelsmithError('USAGE', 'A workspace in a folder keeps its vectors and other files there.', {
      hint: '--blobs is for workspaces in PostgreSQL: --workspace postgres://…',
    });
  }
  if (!create) requireWorkspace(location);
  else if (!hasWorkspace(location)) await makeWorkspaceFolder(place.dir);
  await refuseLinksOut(place.dir);
  return workspaceOf(place.dir, await openStore(place.dir, { actor }), parts);
}

async function openShared(place: WorkspacePlace, options: OpenWorkspaceOptions): Promise<Workspace> {
  const { create, blobsAt, actor, ...parts } = options;
  const { openSharedParts } = await import('./shared-workspace.ts');
  const { store, ...shared } = await openSharedParts(place, { create, blobsAt, actor });
  // Below the cache of models, of which nobody has heard who names a database.
  await makeFolder(place.dir).catch((error) => {
    throw cacheError(error, `cannot make ${place.dir}`);
  });
  const { location, name } = place;
  const { vectors = shared.vectors, blobs = shared.blobs } = parts;
  const workspace = { ...workspaceOf(place.dir, store, { ...parts, vectors, blobs }), location, name };
  const { withTaughtModels } = await import('./taught-models.ts');
  return { ...workspace, models: withTaughtModels(workspace.models, workspace) };
}

/** Folders of a workspace in which files are written, and deleted, by commands. */
const OWN_FOLDERS = ['models', 'vectors', 'cache/archives', 'cache/blobs', 'cache/fine-tune'];

/** A workspace may come from anybody: where one of its folders is a link to elsewhere, files there would be written over. */
async function refuseLinksOut(dir: string): Promise<void> {
  for (const name of OWN_FOLDERS) await pathBelow(dir, `${name}/file`);
}

async function makeWorkspaceFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw new LabelsmithError('WORKSPACE', `The workspace ${path} cannot be created (${systemCodeOf(error)}).`, {
      hint: 'Choose a folder that you may write to with --workspace DIR.',
      cause: error,
    });
  }
}

/** A workspace of parts that are there already. @param dir absolute */
export function workspaceOf(
  dir: string,
  store: Store,
  parts: WorkspaceParts & { readonly device?: Device } = {},
): Workspace {
  return {
    dir,
    location: dir,
    name: dir,
    store,
    vectors: parts.vectors ?? arrowVectorStore(dir),
    blobs: parts.blobs ?? folderBlobs(join(dir, 'cache', 'blobs')),
    engine: parts.engine ?? localEngine({ device: parts.device }),
    models: parts.models ?? createModels({ device: parts.device }),
    close: () => store.close(),
  };
}
