import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../../test/cli.ts';
import { QuickDisk } from './quick-disk.ts';

test('files of all sizes are read whole; one that grew is a byte longer than it was found, one that shrank is what it is', async (t) => {
  const dir = await scratch(t);
  for (const size of [0, 1, 4096, 65_536, 65_537, 200_000]) {
    const path = join(dir, `${size}`);
    const bytes = Buffer.alloc(size, 'labels');
    writeFileSync(path, bytes);
    assert.deepEqual(await new QuickDisk().read(path, size), bytes);
    assert.deepEqual(await new QuickDisk().stat(path), await stat(path, { bigint: true }));
  }
  assert.equal((await new QuickDisk().read(join(dir, '4096'), 10)).length, 11);
  assert.equal((await new QuickDisk().read(join(dir, '1'), 10)).length, 1);
});

test('a file that is gone fails as the file system says it, and a pipe is not waited for', async (t) => {
  const dir = await scratch(t);
  const disk = new QuickDisk();
  assert.throws(() => disk.stat(join(dir, 'gone')), { code: 'ENOENT' });
  assert.throws(() => disk.read(join(dir, 'gone'), 10), { code: 'ENOENT' });
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  // It is left to a thread, which nobody waits for here: the pipe is opened for writing so that it ends.
  const reading = disk.read(join(dir, 'pipe'), 10);
  assert.ok(reading instanceof Promise);
  writeFileSync(join(dir, 'pipe'), 'x');
  assert.equal((await reading).toString(), 'x');
});
