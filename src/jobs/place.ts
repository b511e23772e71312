/** Where a workspace is: a folder of this machine, or a schema in PostgreSQL with blobs beside it that all machines share. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type OpenBlobs, openBlobs } from '../blobs/open.ts';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { DATABASE_FILE } from '../store/open.ts';
import { isPostgresAddress, postgresAddress } from '../store/postgres/address.ts';
import type { HousekeepingStore } from '../store/store.ts';

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

/** Whether there is a workspace in a folder. One in PostgreSQL is taken to be there; opening it tells. */
export function hasWorkspace(text: string): boolean {
  const { dir, isShared } = placeOfWorkspace(text);
  return isShared || existsSync(join(dir, DATABASE_FILE));
}

/** Fails where there is no workspace; for what should not even be begun then. */
export function requireWorkspace(text: string): void {
  if (!hasWorkspace(text)) throw noWorkspace(placeOfWorkspace(text).name);
}

function noWorkspace(name: string): LabelsmithError {
  return new LabelsmithError('WORKSPACE', `There is no workspace at ${name}.`, {
    hint: 'Add images first: labelsmith add FOLDER (or name the workspace with --workspace DIR).',
  });
}

export const BLOBS_SETTING = 'blobs';

/** The blobs of a shared workspace: named when it is made, and known to it from then on. */
export async function sharedBlobs(
  store: Pick<HousekeepingStore, 'getSetting' | 'putSetting'>,
  { name }: WorkspacePlace,
  asked: string | undefined,
): Promise<OpenBlobs> {
  const known = await store.getSetting(BLOBS_SETTING);
  const given = asked === undefined ? undefined : openBlobs(asked);
  if (known === undefined) {
    if (given === undefined) {
      throw new LabelsmithError(
        'USAGE',
        `The workspace ${name} does not know yet where its vectors and other files go.`,
        {
          hint: 'Say it once with --blobs s3://BUCKET/PREFIX, or a folder that every machine finds at the same path.',
        },
      );
    }
    await store.putSetting(BLOBS_SETTING, given.address);
    return given;
  }
  if (given !== undefined && given.address !== known) {
    throw new LabelsmithError('USAGE', `The workspace ${name} has its blobs at ${known}, not at ${given.address}.`, {
      hint: 'Leave --blobs away. To move a workspace: labelsmith workspace copy.',
    });
  }
  return given ?? openBlobs(known);
}
