/**
 * Writes the directions that `discover` turns down, learnt from all labelled sets, a file an embedder, and prints how long each
 * file is, and its digest. What they are worth is scored by `piles`, each pile with directions of other sets.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { sha256Hex } from '../src/core/ids.ts';
import { nuisanceFile, packed } from '../src/stages/discover/nuisance.ts';
import { LEARNT_FOR, nuisanceFrom } from './piles/nuisance.ts';
import { loadSets } from './piles.ts';

export async function run(): Promise<unknown> {
  const written: Record<string, unknown> = {};
  for (const model of LEARNT_FOR) {
    const { sets, blocks } = await loadSets(model);
    const nuisance = nuisanceFrom(sets, blocks)([]);
    if (nuisance === undefined) throw new Error('none of the labelled sets is here');
    const bytes = packed(nuisance);
    const file = nuisanceFile(model);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    written[model] = { directions: nuisance.directions.rows, bytes: bytes.length, sha256: sha256Hex(bytes) };
  }
  return written;
}
