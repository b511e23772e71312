/**
 * Writes the directions that `discover` turns down, learnt from all labelled sets, a file an embedder, and prints how long each
 * file is and what the int8 steps change. What they are worth is scored by `piles`, each pile with directions of other sets.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { sha256Hex } from '../src/core/ids.ts';
import { MOBILENET_V2 } from '../src/models/backbones.ts';
import { nuisanceFile, packed } from '../src/stages/discover/nuisance.ts';
import { backbones, DEFAULT_BACKBONE } from './piles/backbones.ts';
import { nuisanceFrom } from './piles/nuisance.ts';
import { loadSets } from './piles.ts';

export async function run(): Promise<unknown> {
  const written: Record<string, unknown> = {};
  for (const name of backbones()) {
    const { sets, blocks } = await loadSets(name);
    const nuisance = nuisanceFrom(sets, blocks)([]);
    if (nuisance === undefined) throw new Error('none of the labelled sets is here');
    const bytes = packed(nuisance);
    const model = name === DEFAULT_BACKBONE ? name : MOBILENET_V2.id;
    const file = nuisanceFile(model);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    written[model] = { directions: nuisance.directions.rows, bytes: bytes.length, sha256: sha256Hex(bytes) };
  }
  return written;
}
