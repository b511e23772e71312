/**
 * Whether a target is the folder itself that is pushed, or a file of it the local one under another name (by a link, or
 * a folder that is mounted twice). Files are told apart by device and number, as names do not tell. Addresses that are no
 * files of this machine are never the same.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { pathOfFileUri } from '../../sources/uri.ts';

/** A push into itself would take in its own copies, and deleting what is there would delete the only one. */
export async function refuseOwnFolder(folder: string, targetUri: string): Promise<void> {
  const own = await identityOf(folder);
  for (let path = localPath(targetUri); path !== undefined; path = parentOf(path)) {
    if (own === undefined || (await identityOf(path)) !== own) continue;
    throw new LabelsmithError('REFUSED', `the target ${localPath(targetUri)} lies in the folder that is pushed`, {
      hint: `Name a target outside of ${folder}.`,
    });
  }
}

export async function isSameFile(path: string, targetUri: string): Promise<boolean> {
  const there = localPath(targetUri);
  if (there === undefined) return false;
  const [own, other] = await Promise.all([identityOf(path), identityOf(there)]);
  return own !== undefined && own === other;
}

function localPath(uri: string): string | undefined {
  return uri.startsWith('file:') ? pathOfFileUri(uri).toString() : undefined;
}

function parentOf(path: string): string | undefined {
  const parent = dirname(path);
  return parent === path ? undefined : parent;
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
