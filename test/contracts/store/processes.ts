/** Several processes at one workspace, and processes that die. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OpenStore } from './fixtures.ts';
import { all, image, imageId, list, path, said, scratch, startRun } from './fixtures.ts';
import { IMAGES_A_SHARD } from './writer.program.ts';

const PROGRAM = fileURLToPath(new URL('./writer.program.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  /** Shards the process said it had committed. */
  readonly committed: number[];
  readonly ended: Promise<{ code: number | null; errors: string }>;
}

function startWriter(module: string, dir: string, name: string, from: number, to: number): Writer {
  const child = spawn(process.execPath, [PROGRAM, module, dir, name, String(from), String(to)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const committed: number[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) committed.push(Number(line));
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, errors }));
  return { child, committed, ended };
}

export function processCases(open: OpenStore, module: string): void {
  test('two processes write to one new workspace at once: both get all of their shards in', async (t) => {
    const dir = scratch(t);
    const shards = 25;
    const writers = ['a', 'b'].map((name) => startWriter(module, dir, name, 0, shards));
    for (const { ended } of writers) assert.deepEqual(await ended, { code: 0, errors: '' });
    const store = await open(dir);
    // Both ingest the same images under names of their own, so images meet and paths do not.
    const images = shards * IMAGES_A_SHARD;
    const summary = await store.summary();
    assert.equal(summary.images, images);
    assert.equal(summary.paths, 2 * images);
    assert.equal((await store.runs()).filter((run) => run.status === 'done').length, 2);
    const labels = [...(await store.labelsOf((await all(store.images())).map((i) => i.id))).values()].flat();
    const clusters = labels.filter((label) => label.origin === 'cluster');
    assert.equal(clusters.length, 2 * images);
    assert.equal(new Set(labels.map((label) => label.sequence)).size, labels.length, 'no two writes share a sequence');
    assert.deepEqual(await store.check(), []);
    await store.close();
  });

  test('readers go on while another process writes', async (t) => {
    const dir = scratch(t);
    const store = await open(dir, { pageSize: 5 });
    const writer = startWriter(module, dir, 'a', 0, 20);
    let ended = false;
    void writer.ended.then(() => {
      ended = true;
    });
    let rounds = 0;
    do {
      const before = writer.committed.at(-1) ?? -1;
      const labelled = (await list(store.dataset({ task: 'objects' }))).length;
      assert.ok(labelled >= (before + 1) * IMAGES_A_SHARD, 'what the writer said it committed is seen');
      rounds += 1;
    } while (!ended);
    assert.ok(rounds > 1);
    assert.deepEqual(await writer.ended, { code: 0, errors: '' });
    await store.close();
  });

  test('SIGKILL at any moment: the database is sound, shards are whole, what was acknowledged is there', async (t) => {
    const dir = scratch(t);
    let from = 0;
    let killedMidway = 0;
    for (let round = 0; round < 8; round++) {
      const writer = startWriter(module, dir, 'a', from, 10_000);
      const first = from;
      // The first shard shows that it is at work; then it is killed at another moment each time.
      while (writer.committed.length === 0 && writer.child.exitCode === null)
        await new Promise((done) => setTimeout(done, 5));
      await new Promise((done) => setTimeout(done, round * 7));
      writer.child.kill('SIGKILL');
      assert.equal((await writer.ended).code, null);
      const acknowledged = (writer.committed.at(-1) ?? -1) + 1;
      assert.ok(acknowledged > first);

      const store = await open(dir);
      assert.deepEqual(await store.check(), []);
      const images = await store.countImages();
      assert.equal(images % IMAGES_A_SHARD, 0, 'shards are whole');
      const ingested = images / IMAGES_A_SHARD;
      const left = await store.countDetectionWork('model', 'key');
      assert.ok(left === 0 || left === IMAGES_A_SHARD, 'at most one shard is ingested and not detected');
      if (left > 0) killedMidway += 1;
      assert.ok(ingested >= acknowledged && ingested <= acknowledged + 1);
      const labelled = await list(store.dataset({ task: 'objects' }));
      assert.equal(labelled.length, images - left);
      assert.ok(labelled.every((entry) => entry.regions.length === 2 && entry.labels.length === 1));
      const runs = await store.runs();
      assert.deepEqual(new Set(runs.map((run) => run.status)), new Set(['interrupted']), 'long before its lease ends');
      await store.close();
      from = acknowledged;
    }
    t.diagnostic(`killed between ingest and detection of a shard: ${killedMidway} of 8`);
  });

  test('two open stores learn of each other’s runs, classes and tasks', async (t) => {
    const dir = scratch(t);
    const store = await open(dir);
    const other = await open(dir);
    const runId = await startRun(store);
    await other.commitIngest({ runId, images: [image(0)], paths: [path(0)], quarantine: [] });
    assert.equal((await store.image(imageId(0)))?.id, imageId(0));
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const label = { origin: 'model', confidence: 0.5, runId } as const;
        return (i % 2 === 0 ? store : other).putLabels([said(imageId(0), `class ${i}`, label)]);
      }),
    );
    assert.equal((await store.classes()).length, 40);
    assert.deepEqual(await store.labelsOf([imageId(0)]), await other.labelsOf([imageId(0)]));
    await other.ensureTask({ name: 'late', rule: 'multi', items: 'images' });
    await store.putLabels([said(imageId(0), 'class 1', { task: 'late' })]);
    assert.deepEqual(await store.tasks(), await other.tasks());
    await store.close();
    await other.close();
  });

  test('an open store keeps no process alive', async (t) => {
    const program = `const { openStore } = await import(${JSON.stringify(module)});
      const store = await openStore(process.argv[1]);
      await store.putSetting('k', 'v');
      await store.summary();`;
    const child = spawnSync(process.execPath, ['-e', program, scratch(t)], { timeout: 30_000 });
    assert.deepEqual([child.status, String(child.stderr)], [0, '']);
  });
}
