/**
 * What a file that we write cannot hold of itself, in a small JSON file beside it: `labels.csv.accuracy.json`. It is there
 * only where there is something to tell, is replaced and deleted with its file, and a file that somebody else has under that
 * name is never touched.
 */
import { lstat, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { writeFileAtomically } from './atomic.ts';
import { hasSignature, type Signature } from './own.ts';

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

export async function writeBeside(path: string, what: string, facts: Facts | null): Promise<void> {
  if (facts === null) return;
  const content = { madeBy: 'labelsmith', what, file: basename(path), ...facts };
  await writeFileAtomically(`${path}${BESIDE}`, `${JSON.stringify(content, null, 2)}\n`);
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
