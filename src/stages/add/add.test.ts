/** `add` with sources of the test's own: which of several like bytes is new, what is read again, what a listing tells. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { openWorkspace } from '../../jobs/workspace.ts';
import type { Source, SourceItem } from '../../sources/source.ts';
import { addTo } from './add.ts';

const OPTIONS = { seed: 0, threads: 2, shardSize: 2, sync: false };

async function picture(red: number): Promise<Uint8Array> {
  return sharp({ create: { width: 40, height: 30, channels: 3, background: { r: red, g: 9, b: 80 } } })
    .png()
    .toBuffer();
}

/** Bytes that are in no file, and names that cannot be opened (null). */
function sourceOf(files: ReadonlyMap<string, Uint8Array | null>): Source {
  async function* list(): AsyncGenerator<SourceItem> {
    for (const [name, bytes] of files) {
      const path = `/made-up/${name}`;
      if (bytes === null) {
        yield { kind: 'problem', problem: { path, sourceRoot: '/made-up', reason: 'broken-link', message: 'broken' } };
        continue;
      }
      const facts = { uri: `file://${path}`, path, pathBytes: null, sourceRoot: '/made-up', version: '1' };
      const size = { byteSize: bytes.length, modifiedAtMs: 1 };
      const read = { read: async () => Uint8Array.from(bytes), open: () => Readable.from([bytes]) };
      yield { kind: 'entry', entry: { ...facts, ...size, ...read } };
    }
  }
  return { spec: 'made-up', root: '/made-up', list };
}

async function fresh(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-add-'));
  const workspace = await openWorkspace(dir, { create: true });
  t.after(async () => {
    await workspace.close();
    rmSync(dir, { recursive: true });
  });
  return workspace;
}

test('the same bytes are one image, within a shard and in shards that are under way at once', async (t) => {
  const workspace = await fresh(t);
  const [a, b] = [await picture(10), await picture(200)];
  const files = new Map([...'123456'].map((name) => [`${name}.png`, name === '6' ? b : a]));
  const { counts } = await addTo(workspace, [sourceOf(files)], OPTIONS);
  assert.deepEqual([counts.files, counts.images, counts.duplicates, counts.shards], [6, 2, 4, 3]);
  assert.equal(await workspace.store.countImages(), 2);
});

test('what is known is not read again and counted; what could not be opened is tried every time', async (t) => {
  const workspace = await fresh(t);
  const files = new Map<string, Uint8Array | null>();
  for (let n = 0; n < 5; n++) files.set(`${n}.png`, await picture(40 * n));
  files.set('cut.png', (await picture(7)).slice(0, 50));
  files.set('link.png', null);
  const first = await addTo(workspace, [sourceOf(files)], OPTIONS);
  assert.deepEqual([first.counts.images, first.counts.quarantined, first.counts.unchanged], [5, 2, 0]);
  const { counts } = await addTo(workspace, [sourceOf(files)], OPTIONS);
  assert.deepEqual(
    [counts.files, counts.unchanged, counts.stillQuarantined, counts.quarantined, counts.shards],
    [1, 6, 1, 1, 1],
  );
  files.delete('link.png');
  const third = await addTo(workspace, [sourceOf(files)], OPTIONS);
  assert.deepEqual([third.counts.files, third.counts.unchanged, third.counts.shards], [0, 6, 0]);
});

test('a limit takes the first of a listing, and the next run the others', async (t) => {
  const workspace = await fresh(t);
  const files = new Map<string, Uint8Array>();
  for (let n = 0; n < 5; n++) files.set(`${n}.png`, await picture(40 * n));
  assert.equal((await addTo(workspace, [sourceOf(files)], { ...OPTIONS, limit: 3 })).counts.images, 3);
  const { counts } = await addTo(workspace, [sourceOf(files)], OPTIONS);
  assert.deepEqual([counts.images, counts.unchanged], [2, 3]);
});
