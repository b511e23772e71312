/**
 * One of several processes that write to one workspace at once, each doing what people do.
 * `node together.program.ts MODULE DIR WORK`; MODULE exports `openStore`. Says `ready`, and begins at the first line that
 * it reads, so that all are at it together.
 */
import { once } from 'node:events';
import { change } from '../../../src/corpus/corpus.ts';
import type { Store } from '../../../src/store/store.ts';
import type { OpenStore } from './fixtures.ts';
import { imageId, said } from './fixtures.ts';

/** Steps of each process; a step labels an image, holds two out or renames a class. */
export const STEPS = 40;
/** Images that a process may speak of. */
export const IMAGES = 4 * STEPS;

export const WORKS = {
  /** Halves of the same images, in turn. */
  'hold out even': (store: Store, n: number) => holdOut(store, [4 * n, 4 * n + 2]),
  'hold out odd': (store: Store, n: number) => holdOut(store, [4 * n + 1, 4 * n + 3]),
  import: async (store: Store, n: number) => {
    const operation = await store.beginOperation({ name: 'import', arguments: { step: n } });
    await store.putLabels([said(imageId(n), `class ${n}`)], { operation });
    await store.putLabels([said(imageId(n + STEPS), `class ${n}`, { origin: 'imported' })], { operation });
  },
  /** Classes that are there already, and labels of which are imported meanwhile. */
  rename: async (store: Store, n: number) => {
    await change(store, { kind: 'rename', from: `class ${n}`, to: `new ${n}` });
  },
} as const;
export type Work = keyof typeof WORKS;

function holdOut(store: Store, images: readonly number[]): Promise<void> {
  return store.holdOut({ task: 'class', atMs: 0, seed: 0, items: images.map(imageId) });
}

async function main(module: string, dir: string, work: Work): Promise<void> {
  const { openStore } = (await import(module)) as { openStore: OpenStore };
  const store = await openStore(dir);
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  for (let n = 0; n < STEPS; n++) await WORKS[work](store, n);
  await store.close();
  process.stdin.destroy();
}

if (import.meta.main) {
  const [module = '', dir = '', work = ''] = process.argv.slice(2);
  await main(module, dir, work as Work);
}
