/**
 * The benchmark's labelled sets under any embedder: vectors, votes, classes and groups, by the stages themselves. Each set
 * has a workspace that stays, in the folder `LABELSMITH_BENCH_CACHE` or one in the user's cache, so another run embeds nothing.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { LabelsmithError } from '../../src/errors.ts';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { type Embedder, openEmbedder } from '../../src/models/embedder.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { embedIn } from '../../src/stages/embed/embed.ts';
import type { LabelledVectors } from '../labelled-sets.ts';
import { DATA, dataSet } from '../photos.ts';

const THREADS = 2;

/** Sets whose classes are folders. The photographs of CIFAR-10 have 32 × 32 pixels: they are for scale and speed. */
const SETS = [
  ...['caltech-30', 'cartons', 'electronics', 'euro-coins', 'flowers', 'household', 'monkeys', 'pc-parts'],
  ...['plankton', 'satellite', 'steel-strip', 'trash'],
];

export interface EmbeddedSet extends LabelledVectors {
  readonly name: string;
  /** Of {@link LabelledVectors.truth}. */
  readonly classNames: readonly string[];
  /** Shape [n]; undefined where the embedder does not vote. */
  readonly votes: readonly (Float32Array | undefined)[];
}

export function setsHere(): string[] {
  const asked = process.env.LABELSMITH_BENCH_SETS?.split(',');
  const here = (asked ?? SETS).filter((name) => existsSync(join(DATA, name)));
  const absent = (asked ?? SETS).filter((name) => !here.includes(name));
  if (absent.length > 0) process.stderr.write(`sets that are not at ${DATA}: ${absent.join(', ')}\n`);
  return here;
}

/** Opens an embedder with what is on this machine, the folder of models beside the data included; undefined where it is not. */
export async function openIfHere(id: string, threads = THREADS): Promise<Embedder | undefined> {
  const folders = [resolve(DATA, '..', 'models'), ...(process.env.LABELSMITH_MODELS?.split(':') ?? [])];
  try {
    return await openEmbedder(id, { threads, offline: true, folders });
  } catch (error) {
    if (error instanceof LabelsmithError && error.code === 'NETWORK') return undefined;
    throw error;
  }
}

/** Those of the catalogue's embedders that are on this machine, but for parts of others; or those that are named. */
export async function backbonesHere(): Promise<string[]> {
  const asked = process.env.LABELSMITH_BACKBONES?.split(',');
  const ids = asked ?? CATALOGUE.filter(({ role }) => role === 'embedder').map(({ id }) => id);
  const here: string[] = [];
  for (const id of ids) {
    const embedder = await openIfHere(id, 1);
    await embedder?.close();
    if (embedder) here.push(id);
  }
  process.stderr.write(`embedders that are not on this machine: ${ids.filter((id) => !here.includes(id)).length}\n`);
  return here;
}

export async function embeddedSet(name: string, embedder: Embedder): Promise<EmbeddedSet> {
  const cache = process.env.LABELSMITH_BENCH_CACHE ?? join(homedir(), '.cache', 'labelsmith-bench', 'backbones');
  const dir = join(cache, name);
  mkdirSync(dir, { recursive: true });
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  try {
    const { store, vectors } = workspace;
    const run = { seed: 0, threads: THREADS };
    if ((await store.countImages()) === 0) {
      await addTo(workspace, await openSources(workspace, [dataSet(name)]), { ...run, sync: false });
    }
    const { space } = await embedIn(workspace, embedder, run);
    const shards = await store.vectorShards(space, 'images');
    const all = await vectors.readAll(shards);
    const votes = await vectors.lookupVotes(shards, all.ids);
    const known = new Map<string, { readonly className: string; readonly group: string }>();
    for await (const { id, file, groupId } of store.dataset({ unlabelled: true })) {
      known.set(id, { className: file.split('/').at(-2) ?? '', group: groupId });
    }
    const rows = all.ids.map((id) => known.get(id) ?? { className: '', group: id });
    const classNames = [...new Set(rows.map(({ className }) => className))].sort();
    return {
      name,
      vectors: all.vectors,
      blocks: embedder.blocks,
      truth: Int32Array.from(rows, ({ className }) => classNames.indexOf(className)),
      groups: rows.map(({ group }) => group),
      classes: classNames.length,
      classNames,
      votes: all.ids.map((id) => votes.get(id)),
    };
  } finally {
    await workspace.close();
  }
}
