/**
 * The workspace: the folder `.labelsmith/` with the record and everything that can be made again from it.
 * `labelsmith.sqlite` is precious; `cache/` and `vectors/` may be deleted at any time.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { DATABASE_FILE, openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';

export interface Workspace {
  /** Absolute path of the `.labelsmith` folder. */
  readonly dir: string;
  readonly store: Store;
  close(): Promise<void>;
}

export const DEFAULT_WORKSPACE = '.labelsmith';

/** Fails where there is no workspace; for what should not even be begun then. */
export function requireWorkspace(dir: string): void {
  const path = resolve(dir);
  if (existsSync(join(path, DATABASE_FILE))) return;
  throw new LabelsmithError('WORKSPACE', `There is no workspace at ${path}.`, {
    hint: 'Add images first: labelsmith add FOLDER (or name the workspace with --workspace DIR).',
  });
}

/** Opens a workspace. With `create` it is made where there is none; without, that is an error. */
export async function openWorkspace(dir: string, { create }: { readonly create: boolean }): Promise<Workspace> {
  const path = resolve(dir);
  if (!create) requireWorkspace(path);
  else if (!existsSync(join(path, DATABASE_FILE))) {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw new LabelsmithError('WORKSPACE', `The workspace ${path} cannot be created (${systemCodeOf(error)}).`, {
        hint: 'Choose a folder that you may write to with --workspace DIR.',
        cause: error,
      });
    }
  }
  const store = await openStore(path);
  return { dir: path, store, close: () => store.close() };
}
