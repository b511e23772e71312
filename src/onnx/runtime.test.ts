import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';

const SESSION = new URL('./session.ts', import.meta.url).href;
const DEVICE = new URL('./device.ts', import.meta.url).href;
const POOL = new URL('./pool.ts', import.meta.url).href;
const OPS = new URL('./ops.ts', import.meta.url).href;

/** Runs a graph in the main thread and in a pool, and then waits. */
const PROGRAM = `
import { InferencePool } from '${POOL}';
import { Session } from '${SESSION}';
import { Graph } from '${OPS}';
const g = new Graph();
g.output(g.relu(g.input('x', 'float32', [1])), 'y');
const session = await Session.create(g.toModel());
const pool = await InferencePool.create({ threads: 1 });
const model = await pool.load(g.toModel(), { key: 'relu' });
const feeds = { x: { dtype: 'float32', dims: [1], data: Float32Array.of(-1) } };
await session.run(feeds);
await pool.run(model, feeds);
console.log('ran');
setTimeout(() => pool.close(), Number(process.env.WAIT_MS));
`;

/** The first look-up of the runtime's own uploader was seen 9 to 12 s after its start. */
const FIRST_LOOK_UP_MS = 14_000;

/** The environment of a user, as far as the runtime can tell: it is silent by itself where `CI` is set. */
function userEnvironment(dir: string, waitMs: number): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  const homes = { HOME: dir, XDG_CACHE_HOME: join(dir, '.cache'), TMPDIR: dir, TMP: dir, TEMP: dir, USERPROFILE: dir };
  return { PATH, SystemRoot: process.env.SystemRoot, ...homes, WAIT_MS: String(waitMs) };
}

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'telemetry-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs the program, under strace's eyes where `trace` names a file for it. */
function run(dir: string, waitMs: number, trace?: string): Promise<{ code: number | null; out: string; err: string }> {
  const node = [process.execPath, '--input-type=module', '-e', PROGRAM];
  const [command = '', ...args] = trace ? ['strace', '-f', '-e', 'trace=network,openat', '-o', trace, ...node] : node;
  const child = spawn(command, args, { env: userEnvironment(dir, waitMs) });
  const done = { code: null as number | null, out: '', err: '' };
  child.stdout.on('data', (text) => {
    done.out += text;
  });
  child.stderr.on('data', (text) => {
    done.err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...done, code })));
}

test('a run leaves nothing in the home, the cache and the folder for temporary files', async (t) => {
  const dir = scratch(t);
  const { code, out, err } = await run(dir, 0);
  assert.deepEqual([code, out, err], [0, 'ran\n', '']);
  assert.deepEqual(globSync('**/*', { cwd: dir, exclude: [] }), []);
  assert.deepEqual(globSync('.*', { cwd: dir }), []);
});

const strace = spawnSync('strace', ['-V']).status === 0;
test('no name is looked up and nothing is connected to', { skip: !strace && 'strace is not here' }, async (t) => {
  const dir = scratch(t);
  const trace = join(dir, 'trace');
  const { code, out } = await run(dir, FIRST_LOOK_UP_MS, trace);
  assert.deepEqual([code, out], [0, 'ran\n']);
  const calls = readFileSync(trace, 'utf8').split('\n');
  assert.ok(
    calls.some((call) => call.includes('libonnxruntime')),
    'the trace sees files being opened',
  );
  const telling = /AF_INET|AF_NETLINK|resolv\.conf|nsswitch\.conf|\/etc\/hosts|Microsoft/;
  assert.deepEqual(
    calls.filter((call) => telling.test(call)),
    [],
  );
});

test('a thread that did not inherit the opt-out is refused, not let through', async () => {
  const code = `const { parentPort } = require('node:worker_threads');
    import('${DEVICE}').then(({ listedDevices }) => parentPort.postMessage(listedDevices()))
      .catch((error) => parentPort.postMessage([error.code, error.message, error.hint]));`;
  const worker = new Worker(code, { eval: true, env: {} });
  const [errorCode, message, hint] = await new Promise<string[]>((resolve) => worker.once('message', resolve));
  assert.equal(errorCode, 'UNSUPPORTED');
  assert.match(message ?? '', /telemetry would be on/);
  assert.match(hint ?? '', /Import labelsmith in the main thread/);
});

test('nothing imports the runtime: it is loaded from where it is found', () => {
  const named = /(?:from\s*|import\s*|\(\s*)['"]onnxruntime-(?:node|common)['"]/;
  const types = /^import type .*;$/gm;
  const found = globSync('{src,test,bench}/**/*.ts').filter((file) =>
    named.test(readFileSync(file, 'utf8').replace(types, '')),
  );
  // Runs on a device, out of a pack that holds nothing of this but what it needs; it turns the telemetry off by itself.
  assert.deepEqual(found, ['src/stages/edge/runner/edge-model.ts']);
});
