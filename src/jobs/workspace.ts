/**
 * Opens workspaces. Each part may be given; the defaults are the folder `.labelsmith/` with `labelsmith.sqlite`, which is
 * precious, and `cache/` and `vectors/`, which may be deleted at any time; this machine's threads; the user's model cache.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { folderBlobs } from '../blobs/folder-blobs.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { createModels } from '../models/models.ts';
import type { Device } from '../onnx/device.ts';
import { DATABASE_FILE, openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { arrowVectorStore } from '../vectors/folder-vectors.ts';
import { localEngine } from './local-engine.ts';
import type { Workspace } from './stage.ts';

export type { Workspace } from './stage.ts';

/** Parts in the place of the defaults. */
export type WorkspaceParts = Partial<Pick<Workspace, 'vectors' | 'blobs' | 'engine' | 'models'>>;

export interface OpenWorkspaceOptions extends WorkspaceParts {
  /** Makes the workspace where there is none; without it, that is an error. */
  readonly create: boolean;
  /** What the default engine and models run on (default `cpu`). */
  readonly device?: Device;
}

export const DEFAULT_WORKSPACE = '.labelsmith';

/** Whether there is a workspace in a folder. */
export function hasWorkspace(dir: string): boolean {
  return existsSync(join(resolve(dir), DATABASE_FILE));
}

/** Fails where there is no workspace; for what should not even be begun then. */
export function requireWorkspace(dir: string): void {
  const path = resolve(dir);
  if (hasWorkspace(path)) return;
  throw new LabelsmithError('WORKSPACE', `There is no workspace at ${path}.`, {
    hint: 'Add images first: labelsmith add FOLDER (or name the workspace with --workspace DIR).',
  });
}

export async function openWorkspace(dir: string, options: OpenWorkspaceOptions): Promise<Workspace> {
  const { create, ...parts } = options;
  const path = resolve(dir);
  if (!create) requireWorkspace(path);
  else if (!hasWorkspace(path)) {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw new LabelsmithError('WORKSPACE', `The workspace ${path} cannot be created (${systemCodeOf(error)}).`, {
        hint: 'Choose a folder that you may write to with --workspace DIR.',
        cause: error,
      });
    }
  }
  return workspaceOf(path, await openStore(path), parts);
}

/** A workspace of parts that are there already. @param dir absolute */
export function workspaceOf(
  dir: string,
  store: Store,
  parts: WorkspaceParts & { readonly device?: Device } = {},
): Workspace {
  return {
    dir,
    store,
    vectors: parts.vectors ?? arrowVectorStore(dir),
    blobs: parts.blobs ?? folderBlobs(join(dir, 'cache', 'blobs')),
    engine: parts.engine ?? localEngine({ device: parts.device }),
    models: parts.models ?? createModels({ device: parts.device }),
    close: () => store.close(),
  };
}
