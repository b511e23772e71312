/**
 * Vectors of words in the model cache, `words/KEY.f32`: 32 bytes of SHA-256, then the numbers. A file that is not what its digest
 * says counts as absent, and one that cannot be written is made anew the next time: words cost seconds, and nothing else.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../files/atomic.ts';
import { makeFolder } from '../files/make-folder.ts';

const DIGEST_BYTES = 32;

/** @param key names all that the numbers depend on. @param make gives them where they are not there */
export async function keptNumbers(
  cacheDir: string,
  key: string,
  make: () => Promise<Float32Array>,
): Promise<Float32Array> {
  const folder = join(cacheDir, 'words');
  const path = join(folder, `${key}.f32`);
  const kept = await readFile(path).catch(() => undefined);
  const numbers = kept && kept.length % 4 === 0 ? kept.subarray(DIGEST_BYTES) : undefined;
  if (kept && numbers && numbers.length > 0 && digestOf(numbers).equals(kept.subarray(0, DIGEST_BYTES))) {
    return new Float32Array(Uint8Array.from(numbers).buffer);
  }
  const made = await make();
  const bytes = new Uint8Array(made.buffer, made.byteOffset, made.byteLength);
  try {
    await makeFolder(folder);
    await writeFileAtomically(path, Buffer.concat([digestOf(bytes), bytes]));
  } catch {
    // A full disk or a cache that may not be written to stops nobody.
  }
  return made;
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
