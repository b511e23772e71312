import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { Graph } from './ops.ts';
import { InferencePool } from './pool.ts';
import { Session } from './session.ts';
import { float32, uint8 } from './tensor.ts';

function times(factor: number): Uint8Array {
  const g = new Graph();
  g.output(g.mul(g.cast(g.input('x', 'uint8', ['n']), 'float32'), g.scalar(factor)), 'y');
  return g.toModel();
}

/** A graph heavy enough that its summation order would show in the last bits. */
function heavy(): Uint8Array {
  const g = new Graph();
  const x = g.input('x', 'float32', [64, 512]);
  const weights = Float32Array.from({ length: 512 * 512 }, (_, i) => Math.sin(i));
  g.output(g.softmax(g.matmul(x, g.constant(float32(weights, [512, 512])))), 'y');
  return g.toModel();
}

test('many runs on few workers come back each with its own result, inputs untouched', async () => {
  await using pool = await InferencePool.create({ threads: 2 });
  const [double, triple] = await Promise.all([
    pool.load(times(2), { key: 'double' }),
    pool.load(times(3), { key: 'triple' }),
  ]);
  assert.equal(await pool.load(times(2), { key: 'double' }), double);
  assert.deepEqual([double.inputs, double.outputs], [['x'], ['y']]);
  const data = Uint8Array.of(1, 2, 3);
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set([4, 5, 6]);
  const runs = Array.from({ length: 40 }, async (_, i) => {
    const model = i % 2 ? triple : double;
    const input = i % 3 === 0 ? uint8(shared, [3]) : i % 3 === 1 ? uint8(data) : uint8(Buffer.from([i, 0, 0]));
    const first = i % 3 === 0 ? 4 : i % 3 === 1 ? 1 : i;
    const result = await pool.run(model, { x: input });
    assert.equal(result.y?.data[0], first * (i % 2 ? 3 : 2));
  });
  await Promise.all(runs);
  assert.deepEqual([...data], [1, 2, 3]);
});

test('results do not depend on the number of threads', async () => {
  const model = heavy();
  const x = float32(
    Float32Array.from({ length: 64 * 512 }, (_, i) => Math.cos(i)),
    [64, 512],
  );
  const session = await Session.create(model);
  const expected = (await session.run({ x })).y?.data;
  for (const threads of [1, 3]) {
    await using pool = await InferencePool.create({ threads });
    const loaded = await pool.load(model, { key: 'heavy' });
    const results = await Promise.all(Array.from({ length: 6 }, () => pool.run(loaded, { x })));
    for (const result of results) assert.deepEqual(result.y?.data, expected);
  }
});

test('a model that cannot be loaded and a feed that does not fit fail with their reason; the pool goes on', async () => {
  await using pool = await InferencePool.create({ threads: 2 });
  await assert.rejects(pool.load(new Uint8Array([1, 2, 3]), { key: 'broken' }), { code: 'BAD_MODEL' });
  await assert.rejects(pool.load('/no/such/model.onnx', { key: 'absent' }), { code: 'BAD_MODEL', message: /no\/such/ });
  const model = await pool.load(times(2), { key: 'double' });
  await assert.rejects(pool.run(model, { x: float32([1]) }), { code: 'BAD_MODEL' });
  assert.deepEqual((await pool.run(model, { x: uint8([7]) })).y?.data, Float32Array.of(14));
  await pool.unload(model);
  await assert.rejects(pool.run(model, { x: uint8([7]) }), { code: 'UNSUPPORTED', message: /not loaded/ });
  await assert.rejects(InferencePool.create({ threads: 0 }), { code: 'USAGE' });
});

test('a worker that dies fails its requests with a reason and is replaced', async () => {
  const workers: Worker[] = [];
  const note = (worker: Worker) => workers.push(worker);
  process.on('worker', note);
  await using pool = await InferencePool.create({ threads: 1 });
  const model = await pool.load(times(2), { key: 'double' });
  // Ended while it is idle: inside a native call that would end the test's process too.
  void workers[0]?.terminate();
  await assert.rejects(pool.run(model, { x: uint8([7]) }), { code: 'UNSUPPORTED', message: /thread died/ });
  assert.deepEqual((await pool.run(model, { x: uint8([7]) })).y?.data, Float32Array.of(14));
  assert.equal(workers.length, 2);
  process.off('worker', note);
});

test('a closed pool refuses work, and closing twice is harmless', async () => {
  const pool = await InferencePool.create({ threads: 1, queuePerThread: 1 });
  const model = await pool.load(times(2), { key: 'double' });
  const runs = Array.from({ length: 5 }, () => pool.run(model, { x: uint8([7]) }));
  const settled = Promise.allSettled(runs);
  await pool.close();
  await pool.close();
  const outcomes = (await settled).map(({ status }) => status);
  assert.equal(outcomes[0], 'fulfilled');
  assert.equal(outcomes[4], 'rejected');
  await assert.rejects(pool.run(model, { x: uint8([7]) }), { code: 'INTERRUPTED' });
  await assert.rejects(pool.load(times(5), { key: 'five' }), { code: 'INTERRUPTED' });
});

/** Runs a script in a process of its own, with `pool` and `model` (twice its input) at hand. */
async function runScript(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const source = `
    import { InferencePool } from ${JSON.stringify(new URL('./pool.ts', import.meta.url).href)};
    const pool = await InferencePool.create({ threads: 2 });
    const model = await pool.load(Buffer.from('${Buffer.from(times(2)).toString('base64')}', 'base64'), { key: 'm' });
    const run = (data) => pool.run(model, { x: { dtype: 'uint8', dims: [data.length], data } });
    ${script}`;
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], { timeout: 60_000 });
  return child.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

test('a process that forgets to close its pool still ends, and cleanly', async () => {
  const { code, stdout } = await runScript('console.log((await run(Uint8Array.of(21))).y.data[0]);');
  assert.deepEqual([code, stdout.trim()], [0, '42']);
});

test('a process that ends in the middle of inference ends with its own exit code', async () => {
  const busy = `
    const data = new Uint8Array(8_000_000);
    const loop = async () => { for (;;) await run(data); };
    for (let i = 0; i < 4; i++) loop().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 150));`;
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await runScript(`${busy} process.exit(7);`), { code: 7, stdout: '', stderr: '' });
  }
  const { code, stderr } = await runScript(`${busy} throw new Error('nobody catches this');`);
  assert.equal(code, 1);
  assert.match(stderr, /nobody catches this/);
  assert.doesNotMatch(stderr, /terminate called/);
});
