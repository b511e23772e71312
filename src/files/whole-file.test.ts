import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readWholeFile } from './whole-file.ts';

test('files are read, and pipes and devices are not opened', { skip: process.platform === 'win32' }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'whole-file-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'a.txt'), 'cat\n');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  assert.equal(`${await readWholeFile(join(dir, 'a.txt'))}`, 'cat\n');
  await assert.rejects(readWholeFile(join(dir, 'pipe')), { code: 'BAD_FILE', message: /is a pipe and no file/ });
  await assert.rejects(readWholeFile('/dev/zero'), { code: 'BAD_FILE', message: /is a device and no file/ });
  await assert.rejects(readWholeFile(dir), { code: 'EISDIR' });
  await assert.rejects(readWholeFile(join(dir, 'nothing')), { code: 'ENOENT' });
});

test('what a shell hands over as a pipe is read', { skip: process.platform !== 'linux' }, () => {
  const module = new URL('./whole-file.ts', import.meta.url);
  const script = `import { readWholeFile } from '${module}'; console.log(String(await readWholeFile(process.argv[1])));`;
  const command = `"$0" --input-type=module -e "$1" -- <(echo cat)`;
  assert.equal(`${execFileSync('bash', ['-c', command, process.execPath, script])}`, 'cat\n\n');
});
