import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openWorkspace } from './workspace.ts';

test('a workspace whose folders are links to elsewhere is not opened; links within it are its own', {
  skip: process.platform === 'win32',
}, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'workspace-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const place = join(dir, '.labelsmith');
  const outside = join(dir, 'outside');
  await mkdir(join(outside, 'archives'), { recursive: true });
  await (await openWorkspace(place, { create: true })).close();
  for (const name of ['models', 'vectors', 'cache', 'cache/archives', 'cache/blobs', 'cache/fine-tune']) {
    const link = join(place, name);
    await rm(link, { recursive: true, force: true });
    await mkdir(dirname(link), { recursive: true });
    await symlink(outside, link);
    await assert.rejects(
      openWorkspace(place, { create: false }),
      { code: 'WORKSPACE', message: /leads to a file outside of itself/ },
      name,
    );
    await rm(link);
  }
  await mkdir(join(place, 'kept'));
  await symlink(join(place, 'kept'), join(place, 'models'));
  await (await openWorkspace(place, { create: false })).close();
  assert.deepEqual(await readdir(outside, { recursive: true }), ['archives']);
});
