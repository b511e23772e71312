/**
 * Whether a target is the folder itself that is pushed, or a file of it the local one under another name. Addresses that
 * are no files of this machine are never the same.
 */
import { LabelsmithError } from '../../errors.ts';
import { isSameFile, liesIn } from '../../files/identity.ts';
import { pathOfFileUri } from '../../sources/uri.ts';

/** A push into itself would take in its own copies, and deleting what is there would delete the only one. */
export async function refuseOwnFolder(folder: string, targetUri: string): Promise<void> {
  const target = localPath(targetUri);
  if (target === undefined || !(await liesIn(target, folder))) return;
  throw new LabelsmithError('REFUSED', `the target ${target} lies in the folder that is pushed`, {
    hint: `Name a target outside of ${folder}.`,
  });
}

export async function isOwnFile(path: string, targetUri: string): Promise<boolean> {
  const target = localPath(targetUri);
  return target !== undefined && (await isSameFile(path, target));
}

function localPath(uri: string): string | undefined {
  return uri.startsWith('file:') ? pathOfFileUri(uri).toString() : undefined;
}
