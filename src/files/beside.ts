/**
 * What a file that we write cannot hold of itself, in a small JSON file beside it: `labels.csv.accuracy.json`. It is there
 * only where there is something to tell, is replaced and deleted with its file, and a file that somebody else has under that
 * name is never touched.
 */
import { readFile, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { writeFileAtomically } from './atomic.ts';

export const BESIDE = '.accuracy.json';

export type Facts = Readonly<Record<string, unknown>>;

/** Longer ones are not ours. */
const MAX_BYTES = 1 << 20;

/** Refuses, while nothing is written, facts that would have to take the place of somebody's file. */
export async function checkBeside(path: string, facts: Facts | null): Promise<void> {
  if (facts === null || (await whatIsThere(path)) !== 'foreign') return;
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
  const bytes = await readFile(`${path}${BESIDE}`).catch((error) => {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return null;
    if (code === 'EISDIR') return Buffer.alloc(0);
    throw error;
  });
  if (bytes === null) return 'nothing';
  if (bytes.length > MAX_BYTES) return 'foreign';
  return /^\{\s*"madeBy": "labelsmith"/.test(bytes.toString('utf8')) ? 'own' : 'foreign';
}
