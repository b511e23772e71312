/**
 * The packed package installed by every package manager that is in use, with no flag, in an empty folder: it installs,
 * says its version, and its numeric engine computes. None of them runs an install script that asks another registry.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'labelsmith-managers-'));
after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));

const MANAGERS = [
  { name: 'npm', version: '10', add: 'install' },
  { name: 'npm', version: '11', add: 'install' },
  { name: 'npm', version: '12', add: 'install' },
  { name: 'pnpm', version: '10', add: 'add' },
  { name: 'pnpm', version: 'latest', add: 'add' },
  { name: 'yarn', version: '1', add: 'add' },
] as const;

/** Runs a program with none of the settings that npm gives its scripts, and fails where it does. */
function run(command: string, args: readonly string[], cwd: string): string {
  const own = /^(npm_|NODE_(?!EXTRA_CA_CERTS$)|INIT_CWD|ONNXRUNTIME_)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  const path = (env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'));
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...env, PATH: [dirname(process.execPath), ...path].join(delimiter) },
    timeout: 300_000,
    shell: process.platform === 'win32',
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stderr}\n${stdout}`);
  return stdout;
}

let tarball = '';
before(() => {
  const printed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', dir], ROOT);
  const [made] = JSON.parse(printed) as [{ filename: string }];
  tarball = join(dir, made.filename);
});

for (const { name, version, add } of MANAGERS) {
  test(`${name} ${version}`, () => {
    const tools = join(dir, `${name}-${version}`);
    const user = join(dir, `user-of-${name}-${version}`);
    for (const folder of [tools, user]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
    }
    run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], tools);
    run(join(tools, 'node_modules', '.bin', name), [add, tarball], user);
    const labelsmith = join(user, 'node_modules', '.bin', 'labelsmith');
    assert.match(run(labelsmith, ['--version'], user), /^\d+\.\d+\.\d+\n$/);
    assert.match(run(labelsmith, ['doctor'], user), /✓ ONNX Runtime .*the right numbers/);
  });
}
