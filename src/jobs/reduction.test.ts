/** What is kept of reductions that were stopped: `reduction.ts`. Sums of whole numbers, whose right values are plain to see. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { startRun } from '../../test/contracts/store/fixtures.ts';
import { LabelsmithError } from '../errors.ts';
import { dropParts, type Merging, reduce, reductionStage } from './reduction.ts';
import { openWorkspace } from './workspace.ts';

const PARTS = 6;
const SETTINGS = z.strictObject({ times: z.int() });
const PART = z.object({ from: z.int() });

interface SumContext extends Merging<Float64Array> {
  readonly times: number;
  /** Parts that were worked out. */
  readonly mapped?: number[];
}

function sumStage(isKept: boolean) {
  return reductionStage<z.infer<typeof SETTINGS>, SumContext, z.infer<typeof PART>, Float64Array>({
    name: 'sum',
    isKept,
    settings: SETTINGS,
    shard: PART,
    open: async ({ settings }) => settings,
    async *plan() {
      for (let from = 0; from < PARTS; from++) yield { from };
    },
    async map({ times, mapped }, { from }) {
      mapped?.push(from);
      return Float64Array.of(times * from, 0.1 * from);
    },
  });
}

async function place(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-reduction-'));
  const workspace = await openWorkspace(dir, { create: true });
  t.after(async () => {
    await workspace.close();
    await rm(dir, { recursive: true, force: true });
  });
  const runId = await startRun(workspace.store, 'discover');

  /** @param stopAfter parts that are merged before it is told to stop */
  async function run(times: number, { isKept = true, stopAfter = PARTS + 1, seed = 0 } = {}) {
    const mapped: number[] = [];
    const merged: number[][] = [];
    const stop = new AbortController();
    const merge = (part: Float64Array) => {
      merged.push([...part]);
      if (merged.length === stopAfter) stop.abort();
    };
    const settings = { times };
    const job = { workspace, runId, seed, threads: 1, settings, signal: stop.signal };
    const error = await reduce(sumStage(isKept), job, { times, mapped, merge }).then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof LabelsmithError ? [thrown.code, thrown.hint] : thrown),
    );
    return { mapped: mapped.sort(), merged, error };
  }

  async function kept(): Promise<number> {
    let count = 0;
    for await (const _ of workspace.blobs.list('reductions/')) count++;
    return count;
  }
  return { workspace, run, kept };
}

const NUMBERS = Array.from({ length: PARTS }, (_, n) => n);
const sums = (times: number) => NUMBERS.map((n) => [times * n, 0.1 * n]);

test('stopped and run again, it does what is missing, and merges the same bits in the same order', async (t) => {
  const { workspace, run, kept } = await place(t);
  const first = await run(3, { stopAfter: 2 });
  assert.deepEqual(first.error, ['INTERRUPTED', 'Run it again: it goes on where it stopped.']);
  assert.ok(first.mapped.length >= 2 && first.mapped.length < PARTS, `${first.mapped}`);
  const second = await run(3);
  assert.equal(second.error, undefined);
  assert.deepEqual(second.mapped, NUMBERS.slice(first.mapped.length));
  assert.deepEqual(second.merged, sums(3));
  // Kept until whoever runs it has written down what came of it.
  assert.deepEqual((await run(3)).mapped, []);
  await dropParts(workspace.blobs, ['sum']);
  assert.equal(await kept(), 0);
  assert.deepEqual((await run(3)).mapped, NUMBERS);
});

test('of other settings or another seed nothing is taken, and what was kept of them goes', async (t) => {
  const { run, kept } = await place(t);
  await run(3);
  const other = await run(4);
  assert.deepEqual([other.mapped, other.merged], [NUMBERS, sums(4)]);
  assert.equal(await kept(), PARTS);
  assert.deepEqual((await run(4, { seed: 1 })).mapped, NUMBERS);
  assert.equal(await kept(), PARTS);
});

test('a part that is damaged, or cannot be kept, is done', async (t) => {
  const { workspace, run, kept } = await place(t);
  await run(3);
  for await (const { key } of workspace.blobs.list('reductions/')) {
    const bytes = (await workspace.blobs.get(key)) ?? assert.fail(key);
    bytes[bytes.length - 1] ^= 1;
    await workspace.blobs.put(key, bytes);
    break;
  }
  const again = await run(3);
  assert.deepEqual([again.mapped.length, again.merged], [1, sums(3)]);
  await dropParts(workspace.blobs);
  assert.equal(await kept(), 0);
  workspace.blobs.put = () => Promise.reject(new Error('the disk is full'));
  assert.deepEqual((await run(3)).merged, sums(3));
});

test('of one whose data are not named by its parts nothing is kept', async (t) => {
  const { run, kept } = await place(t);
  const { error } = await run(3, { isKept: false, stopAfter: 2 });
  assert.deepEqual(error, ['INTERRUPTED', 'Run it again: what is in the record is kept.']);
  assert.deepEqual((await run(3, { isKept: false })).mapped, NUMBERS);
  assert.equal(await kept(), 0);
});
