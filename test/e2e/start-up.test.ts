/** What a command loads before it does anything: each module costs a fifth of a millisecond, and sharp 30. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const dir = mkdtempSync(join(tmpdir(), 'labelsmith-start-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const counter = join(dir, 'count.mjs');
writeFileSync(
  counter,
  `import { registerHooks } from 'node:module';
   const urls = [];
   registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
   process.on('exit', () => process.stderr.write('LOADED ' + JSON.stringify(urls) + '\\n'));`,
);

function loadedBy(...args: string[]): string[] {
  const { stderr } = spawnSync(process.execPath, ['--import', counter, MAIN, ...args], { encoding: 'utf8', cwd: dir });
  const line = stderr.split('\n').find((text) => text.startsWith('LOADED '));
  assert.ok(line, stderr);
  const urls: string[] = JSON.parse(line.slice('LOADED '.length));
  return urls.filter((url) => !url.startsWith('node:'));
}

const packages = (urls: readonly string[]) =>
  new Set(urls.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []));

test('what is asked for most often loads little, and nothing that decodes or infers', () => {
  const version = loadedBy('--version');
  assert.ok(version.length < 180, `--version loads ${version.length} modules`);
  const status = loadedBy('status');
  assert.ok(status.length < 220, `status loads ${status.length} modules`);
  for (const urls of [version, status]) assert.deepEqual([...packages(urls)], ['commander']);
});

test('the help of one command does not load the others', () => {
  const help = loadedBy('status', '--help');
  assert.ok(help.length < 220, `status --help loads ${help.length} modules`);
});
