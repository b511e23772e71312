/**
 * A process that commits shards until it is done or killed, for the tests of several processes.
 * `node writer.program.ts MODULE DIR NAME FROM TO`; MODULE exports `openStore`. Prints the number of each shard once its
 * two transactions (ingest, then detection) are committed.
 */

import type { OpenStore } from './fixtures.ts';
import { image, imageId, path, said, shard } from './fixtures.ts';

export const IMAGES_A_SHARD = 7;

async function main(module: string, dir: string, name: string, from: number, to: number): Promise<void> {
  const { openStore } = (await import(module)) as { openStore: OpenStore };
  const store = await openStore(dir, { leaseMs: 45_000 });
  const runId = await store.startRun({
    stage: 'test',
    settings: {},
    modelKey: null,
    seed: 0,
    threads: 1,
    versions: {},
  });
  for (let n = from; n < to; n++) {
    const numbers = Array.from({ length: IMAGES_A_SHARD }, (_, i) => n * IMAGES_A_SHARD + i);
    await store.commitIngest({
      runId,
      images: numbers.map((i) => image(i)),
      paths: numbers.map((i) => path(i, { path: `/photos/${name}/${i}.jpg` })),
      quarantine: [],
    });
    const work = numbers.map(
      (i) =>
        [
          imageId(i),
          [
            { className: 'dog', box: [0, 0, 10 + (i % 5), 10] },
            { className: 'dog', box: [20, 20, 40, 40] },
          ],
        ] as const,
    );
    await store.commitDetections(shard(runId, work, { modelKey: 'model', acceptKey: 'key' }));
    const machine = { origin: 'cluster', confidence: 0.5, runId } as const;
    await store.putLabels(numbers.map((i) => said(imageId(i), `cluster of ${name}`, machine)));
    process.stdout.write(`${n}\n`);
  }
  await store.finishRun(runId, { status: 'done', counts: { shards: to - from } });
  await store.close();
}

if (import.meta.main) {
  const [module = '', dir = '', name = '', from = '0', to = '0'] = process.argv.slice(2);
  await main(module, dir, name, Number(from), Number(to));
}
