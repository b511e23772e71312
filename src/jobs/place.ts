/** Where a workspace is: a folder of this machine, or a schema in PostgreSQL with blobs beside it that all machines share. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { DATABASE_FILE } from '../store/open.ts';
import { DEFAULT_SCHEMA, isPostgresAddress, postgresAddress } from '../store/postgres/address.ts';

export interface WorkspacePlace {
  /** What any process opens it by. */
  readonly location: string;
  /** The same for people: without passwords. */
  readonly name: string;
  /** A folder of this machine: the workspace itself, or what may be deleted at any time. */
  readonly dir: string;
  /** Its record is in PostgreSQL. */
  readonly isShared: boolean;
}

export function placeOfWorkspace(text: string): WorkspacePlace {
  if (!isPostgresAddress(text)) {
    const dir = resolve(text);
    return { location: dir, name: dir, dir, isShared: false };
  }
  const { shown } = postgresAddress(text);
  const dir = join(cacheDirectory(), 'workspaces', sha256Hex(shown).slice(0, 16));
  return { location: text, name: shown, dir, isShared: true };
}

/** What a workspace is called: the folder that it is in, or the database, and the schema where it is not the usual one. */
export function titleOfWorkspace({ dir, location }: Pick<WorkspacePlace, 'dir' | 'location'>): string {
  if (!isPostgresAddress(location)) return basename(dirname(dir));
  const { database, schema } = postgresAddress(location);
  return schema === DEFAULT_SCHEMA ? database : `${database}-${schema}`;
}

/** Whether there is a workspace in a folder. One in PostgreSQL is taken to be there; opening it tells. */
export function hasWorkspace(text: string): boolean {
  const { dir, isShared } = placeOfWorkspace(text);
  return isShared || existsSync(join(dir, DATABASE_FILE));
}

/** Fails where there is no workspace; for what should not even be begun then. */
export function requireWorkspace(text: string): void {
  if (!hasWorkspace(text)) throw noWorkspace(placeOfWorkspace(text).name);
}

/** Fails where only one machine can work: what many do needs a record that all of them reach. */
export function requireShared(text: string): void {
  if (placeOfWorkspace(text).isShared) return;
  throw new LabelsmithError('USAGE', 'Only a workspace in PostgreSQL is worked on by many machines.', {
    hint: 'Name it with --workspace postgres://HOST/DATABASE; labelsmith workspace copy brings one there.',
  });
}

function noWorkspace(name: string): LabelsmithError {
  return new LabelsmithError('WORKSPACE', `There is no workspace at ${name}.`, {
    hint: 'Add images first: labelsmith add FOLDER (or name the workspace with --workspace DIR).',
  });
}

/** Where the blobs of a workspace in PostgreSQL are, as it was said when it was made. */
export const BLOBS_SETTING = 'blobs';
