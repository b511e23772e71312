/**
 * Nothing phones home, from the built package: the app's server and the processes of its jobs, a program that imports the library, and
 * the process in which a model is tried. All under strace: no name is looked up, nothing but this machine is connected to, and
 * ONNX Runtime's telemetry leaves no file (src/onnx/runtime.test.ts has the main thread and the pool).
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { bringMobileNetV2, MOBILENET_V2_FILE, noMobileNetV2 } from '../model-files.ts';
import { inSlowRuns } from '../thorough.ts';

const LIBRARY = resolve(CLI, '../../index.js');
/** The first look-up of the runtime's own uploader was seen 9 to 12 s after its start. */
const FIRST_LOOK_UP_MS = 14_000;

const PROGRAM = `
import { embedIn, openEmbedder, openWorkspace } from ${JSON.stringify(LIBRARY)};
const workspace = await openWorkspace('.labelsmith', { create: false });
const embedder = await openEmbedder('mobilenetv2-12-qdq', { threads: 1 });
const { counts } = await embedIn(workspace, embedder, { items: 'images', force: true, seed: 0, threads: 1 });
console.log('ran', counts.embedded);
setTimeout(async () => { await embedder.close(); await workspace.close(); }, ${FIRST_LOOK_UP_MS});
`;

const strace = spawnSync('strace', ['-V']).status === 0;
const skip = noMobileNetV2 || (!strace && 'strace is not here');

test('the app, the library and processes of its own look up no name and leave no file', {
  skip: inSlowRuns || skip,
}, async (t) => {
  const dir = await scratch(t);
  const home = join(dir, 'home');
  await mkdir(join(dir, 'photos'));
  await mkdir(home);
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  bringMobileNetV2(join(dir, 'cache'));
  // As a user has it: the runtime is silent by itself where `CI` is set.
  const { PATH } = process.env;
  const homes = { HOME: home, XDG_CACHE_HOME: join(home, '.cache'), TMPDIR: home };
  const env = {
    PATH,
    ...homes,
    LABELSMITH_CACHE: join(dir, 'cache'),
    LABELSMITH_OFFLINE: '1',
    LABELSMITH_QUALITY: 'fast',
  };
  const traced = (name: string, args: readonly string[]) => {
    const node = ['-f', '-e', 'trace=network,openat', '-o', join(dir, `${name}.trace`), process.execPath, ...args];
    const child = spawn('strace', node, { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    t.after(() => endGroup(child));
    return child;
  };
  assert.deepEqual(spawnSync(process.execPath, [CLI, 'add', 'photos'], { cwd: dir, env }).status, 0);

  assert.match(
    await textOf(traced('check', [CLI, 'models', 'import', MOBILENET_V2_FILE, '--name', 'own', '--role', 'embedder'])),
    /own/,
  );
  await writeFile(join(dir, 'program.mjs'), PROGRAM);
  assert.match(await textOf(traced('library', [join(dir, 'program.mjs')])), /^ran 3$/m);
  const app = traced('app', [CLI, 'review', '--no-open', '--port', '0']);
  await embeddedByApp(app);
  await sleep(FIRST_LOOK_UP_MS);
  const ended = new Promise((done) => app.on('close', done));
  endGroup(app);
  await ended;

  for (const name of ['check', 'library', 'app']) {
    const calls = (await readFile(join(dir, `${name}.trace`), 'utf8')).split('\n');
    assert.ok(
      calls.some((call) => call.includes('libonnxruntime')),
      `${name}: the trace sees the runtime being opened`,
    );
    // Who looks up a name reads the hosts first. Node reads resolv.conf, and the system its users, without looking up any.
    const telling = calls.filter((call) => /\/etc\/hosts|Microsoft/.test(call));
    const outside = calls.filter((call) => /\b(connect|sendto|sendmsg)\(.*AF_INET/.test(call));
    assert.deepEqual([telling, outside], [[], []], name);
  }
  assert.deepEqual(
    globSync(['**/*', '**/.*'], { cwd: home }).filter((path) => /Microsoft|1ds|device|\.db/i.test(path)),
    [],
  );
});

/** Strace and what it watches. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (part) => {
    text += part;
  });
  await new Promise((done) => child.on('close', done));
  return text;
}

/** Has the app embed the images in a process of its own. */
async function embeddedByApp(app: ChildProcess): Promise<void> {
  if (!app.stdout) throw new Error('it prints nowhere');
  const address = new URL(
    await new Promise<string>((line) => createInterface({ input: app.stdout! }).once('line', line)),
  );
  const headers = {
    authorization: `Bearer ${address.searchParams.get('token') ?? address.hash.slice(1)}`,
    'content-type': 'application/json',
  };
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(new URL(path, address), { headers, ...init });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };
  await ask('/api/jobs', { method: 'POST', body: JSON.stringify({ kind: 'embed' }) });
  for (let state = 'running'; state === 'running'; await sleep(200)) {
    const { jobs } = (await ask('/api/jobs')) as { jobs: { state: string; error: unknown }[] };
    state = jobs[0]?.state ?? 'running';
    if (state === 'failed') assert.fail(JSON.stringify(jobs[0]?.error));
  }
}
