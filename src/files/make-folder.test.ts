import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeFolder } from './make-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'labelsmith-make-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is made with those above it, by many at once, and one that is there stays', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(deep)));
  writeFileSync(join(deep, 'kept'), '');
  await makeFolder(deep);
  await makeFolder('.');
  await makeFolder('/');
  assert.ok(existsSync(join(deep, 'kept')));
});

test('a link to a folder is one; a file in the way is told', async () => {
  symlinkSync(folder, join(folder, 'link'));
  await makeFolder(join(folder, 'link', 'below'));
  assert.ok(statSync(join(folder, 'below')).isDirectory());
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
});

test('where nothing can be made, it ends', { skip: process.platform !== 'linux' && 'only Linux has /proc' }, () => {
  const module = pathToFileURL(join(import.meta.dirname, 'make-folder.ts')).href;
  const program = `import { makeFolder } from ${JSON.stringify(module)};
    await makeFolder('/proc/nothing/here').catch(({ code, path }) => console.log(code, path));`;
  // A process of its own: one that runs for ever takes signals no more.
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  assert.equal(stdout, 'ENOENT /proc/nothing\n');
});
