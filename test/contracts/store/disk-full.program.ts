/** Run by a test on a small file system: fills it through the store, then makes room. Prints what happened. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabelsmithError } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import { image, path, startRun } from './fixtures.ts';

const SHARD = 50;
const dir = process.argv[2] ?? '';
const ballast = join(dir, 'ballast');
writeFileSync(ballast, Buffer.alloc(1 << 20));
const store = await openStore(join(dir, 'workspace'));
const runId = await startRun(store);
const commit = (n: number) => {
  const numbers = Array.from({ length: SHARD }, (_, i) => n * SHARD + i);
  const [images, paths] = [numbers.map((i) => image(i)), numbers.map((i) => path(i))];
  return store.commitIngest({ runId, images, paths, quarantine: [] });
};
let committed = 0;
let failure: unknown;
while (failure === undefined) {
  await commit(committed).then(
    () => {
      committed += 1;
    },
    (error: unknown) => {
      failure = error;
    },
  );
}
if (!(failure instanceof LabelsmithError)) throw failure;
assert.equal(await store.countImages(), committed * SHARD);
rmSync(ballast);
await commit(committed);
assert.equal(await store.countImages(), (committed + 1) * SHARD);
assert.deepEqual(await store.check(), []);
await store.close();
process.stdout.write(`${failure.code} after ${committed} shards, all there, sound, went on\n`);
