/**
 * What a file that we write cannot hold of itself, in a small JSON file beside it: `labels.csv.accuracy.json`. It is there
 * only where there is something to tell, is replaced and deleted with its file, and a file that somebody else has under that
 * name is never touched.
 */
import { lstat, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { flushFile } from './flush.ts';
import { hasSignature, type Signature } from './own.ts';
import { renameOver } from './rename.ts';

export const BESIDE = '.accuracy.json';

export type Facts = Readonly<Record<string, unknown>>;

/** Of the 255 that file systems take, less {@link BESIDE} and what a name under way ends in (atomic.ts). */
const MAX_NAME_BYTES = 200;

const OWN: Signature = { begins: '{\n  "madeBy": "labelsmith"' };

/** Refuses, while nothing is written, facts that have no place: their name is too long, or somebody's. */
export async function checkBeside(path: string, facts: Facts | null): Promise<void> {
  if (facts === null) return;
  if (Buffer.byteLength(basename(path)) > MAX_NAME_BYTES) {
    throw new LabelsmithError('REFUSED', `the name of ${path} has no room for "${BESIDE}", which stands beside it`, {
      hint: `Choose a name of at most ${MAX_NAME_BYTES} bytes.`,
    });
  }
  if ((await whatIsThere(path)) !== 'foreign') return;
  throw new LabelsmithError('REFUSED', `${path}${BESIDE} is not replaced: labelsmith did not write it`, {
    hint: 'It would say how accurate the labels are. Choose another place, or move away what is there.',
  });
}

/** An old one says nothing of the file that comes now. */
export async function removeBeside(path: string): Promise<void> {
  if ((await whatIsThere(path)) === 'own') await rm(`${path}${BESIDE}`, { force: true });
}

/** Writes what is to stand beside `path` under another name, until its file is there. */
export async function prepareBeside(pending: string, path: string, what: string, facts: Facts): Promise<void> {
  const content = { madeBy: 'labelsmith', what, file: basename(path), ...facts };
  await writeFile(pending, `${JSON.stringify(content, null, 2)}\n`);
  await flushFile(pending);
}

export async function placeBeside(pending: string, path: string): Promise<void> {
  await renameOver(pending, `${path}${BESIDE}`);
}

/**
 * What a killed process had prepared: it goes beside its file where that was swapped in, and nobody has written there since.
 * @param isSwapped whether the file is no longer under the name that it was written under
 */
export async function recoverBeside(pending: string, path: string, isSwapped: boolean): Promise<void> {
  const [prepared, file] = await Promise.all([lstat(pending), lstat(path).catch(() => null)]);
  const belongs = isSwapped && file?.isFile() && file.mtimeMs <= prepared.mtimeMs;
  if (belongs && (await whatIsThere(path)) === 'nothing') await placeBeside(pending, path);
  else await rm(pending, { force: true });
}

async function whatIsThere(path: string): Promise<'nothing' | 'own' | 'foreign'> {
  const stats = await lstat(`${path}${BESIDE}`).catch((error) => {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return null;
    throw error;
  });
  if (stats === null) return 'nothing';
  return stats.isFile() && (await hasSignature(`${path}${BESIDE}`, OWN)) ? 'own' : 'foreign';
}
