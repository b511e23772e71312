/** The files of this platform as they are installed here stand in for the registry: what is in the cache is not fetched. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { sourcePath } from '../fetch/cache.ts';
import { COMMON_FILES, NATIVE_FILES, NODE_FILES, ONNX_RUNTIME_VERSION } from './runtime-files.ts';
import { fetchRuntime, findRuntime, installedRuntime } from './runtime-package.ts';

const PLATFORM = `${process.platform}-${process.arch}`;
const NODE_MODULES = join(import.meta.dirname, '../../node_modules');
const NEEDED = [
  ...Object.entries(COMMON_FILES).map(([file, sha256]) => ({ path: `onnxruntime-common/${file}`, sha256 })),
  ...Object.entries({ ...NODE_FILES, ...NATIVE_FILES[PLATFORM] }).map(([file, sha256]) => ({
    path: `onnxruntime-node/${file}`,
    sha256,
  })),
];

/** A cache that has downloaded all it needs, but for `without`. */
function cacheOf(t: TestContext, without?: RegExp): string {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-runtime-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  mkdirSync(join(cacheDir, 'sources'));
  for (const { path, sha256 } of NEEDED) {
    if (!without?.test(path)) cpSync(join(NODE_MODULES, path), sourcePath(cacheDir, sha256));
  }
  return cacheDir;
}

test('the package beside this one is used where it has the tested version', () => {
  const installed = installedRuntime();
  assert.equal(installed?.version, ONNX_RUNTIME_VERSION, 'npm run build puts it there');
  assert.deepEqual(findRuntime(), { folder: installed?.folder, from: 'installed' });
});

test('what is fetched is whole, is made once, and computes', async (t) => {
  const cacheDir = cacheOf(t);
  const [one, other] = await Promise.all([1, 2].map(() => fetchRuntime({ cacheDir, offline: true })));
  assert.deepEqual(one, other);
  assert.equal(one?.from, 'cache');
  const runtimes = join(cacheDir, 'onnxruntime');
  assert.deepEqual(readdirSync(runtimes), [`${ONNX_RUNTIME_VERSION}-${PLATFORM}`], 'nothing half-made is left');
  const modules = join(runtimes, `${ONNX_RUNTIME_VERSION}-${PLATFORM}`, 'node_modules');
  const files = globSync('**/*', { cwd: modules }).filter((file) => statSync(join(modules, file)).isFile());
  assert.deepEqual(files.sort(), NEEDED.map(({ path }) => path.replaceAll('/', sep)).sort());

  // In a process of its own: this one may have the installed runtime loaded.
  const code = `const ort = require(${JSON.stringify(one?.folder)});
    process.stdout.write(JSON.stringify([ort.env.versions.node, ort.listSupportedBackends().map(({ name }) => name)]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], {
    encoding: 'utf8',
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  });
  const [version, providers] = JSON.parse(stdout || `["${stderr}", []]`) as [string, string[]];
  assert.equal(version, ONNX_RUNTIME_VERSION);
  assert.ok(providers.includes('cpu'));
});

test('a runtime that cannot be fetched leaves nothing behind, and says what to do', async (t) => {
  const cacheDir = cacheOf(t, /\.node$/);
  const error = await fetchRuntime({ cacheDir, offline: true }).then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError);
  assert.equal(error.code, 'NETWORK');
  assert.match(error.message, /^npm:onnxruntime-node@.*\.node is not in the model cache/);
  assert.match(error.hint ?? '', /labelsmith models pull onnxruntime/);
  assert.deepEqual(globSync('onnxruntime/*', { cwd: cacheDir }), []);
});

test('every platform that Node and ONNX Runtime share is pinned', () => {
  assert.deepEqual(Object.keys(NATIVE_FILES), ['darwin-arm64', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64']);
  for (const [platform, files] of Object.entries(NATIVE_FILES)) {
    const folder = `bin/napi-v6/${platform.replace('-', '/')}/`;
    assert.ok(Object.keys(files).includes(`${folder}onnxruntime_binding.node`));
    for (const file of Object.keys(files)) assert.ok(file.startsWith(folder), file);
  }
});
