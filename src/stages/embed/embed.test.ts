/** The stage with a made-up embedder and pictures of one colour: what is done again, what goes aside, what a kill leaves. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { drawn, regionOf, shard, startRun } from '../../../test/contracts/store/fixtures.ts';
import { addPlainImages } from '../../../test/fixtures/plain-images.ts';
import type { Box } from '../../core/boxes.ts';
import { sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ReadPath } from '../../jobs/image-reader.ts';
import { type Workspace, workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { arrowVectorStore } from '../../vectors/folder-vectors.ts';
import { forget } from '../forget/forget.ts';
import { type EmbedOptions, embedIn } from './embed.ts';
import { fitMean, requireRecipe, savedMean } from './recipe.ts';

const OPTIONS = { seed: 0, threads: 1, shardSize: 3 };
const SIDE = 8;

/** A picture of one colour, 40 × 20 pixels; another one a number. */
async function picture(n: number): Promise<Uint8Array> {
  const background = { r: (37 * n) % 256, g: (91 * n) % 256, b: 128 };
  return sharp({ create: { width: 40, height: 20, channels: 3, background } })
    .png()
    .toBuffer();
}

function addImages(store: Store, pictures: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const images = [...pictures].map(([path, bytes]) => ({ path, id: sha256Hex(bytes) }));
  return addPlainImages(store, images, { format: 'png', width: 40, height: 20 });
}

async function prepare(t: TestContext, count: number) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-embed-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const files = new Map<string, Uint8Array>();
  for (let n = 0; n < count; n++) files.set(`/photos/${n}.png`, await picture(n));
  await addImages(store, files);
  let calls = 0;
  const embedder: Parameters<typeof embedIn>[1] = {
    id: 'colours',
    key: 'colours@1',
    blocks: [{ columns: 3, weight: 1 }],
    input: { width: SIDE, height: SIDE, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
    votes: 'imagenet-1000',
    // The first pixel, from 0 to 1, and a class that is its red.
    look: async (pixels) => {
      calls++;
      assert.equal(pixels.length, SIDE * SIDE * 3);
      const embeddings = Float32Array.from(pixels.subarray(0, 3), (value) => value / 255);
      return { embeddings, votes: Float32Array.of(pixels[0], 0.75) };
    },
  };
  const readBytes: ReadPath = async ({ path }) => {
    const bytes = files.get(path);
    if (!bytes) throw new LabelsmithError('NOT_FOUND', `${path} is gone`, { details: { reason: 'missing' } });
    return Uint8Array.from(bytes);
  };
  const vectors = arrowVectorStore(dir);
  const embed = (
    options: EmbedOptions,
    other: Partial<Pick<Workspace, 'store' | 'vectors'> & { embedder: typeof embedder }> = {},
  ) => {
    const workspace = workspaceOf(dir, other.store ?? store, { vectors: other.vectors ?? vectors });
    return embedIn(workspace, other.embedder ?? embedder, options, readBytes);
  };
  const all = async (items: ItemKind = 'images') => {
    const { space } = await requireRecipe(store, items);
    const { ids, vectors: matrix } = await vectors.readAll(await store.vectorShards(space, items));
    return new Map(ids.map((id, i) => [id, [...matrix.data.subarray(3 * i, 3 * i + 3)]]));
  };
  const workspace = workspaceOf(dir, store, { vectors });
  return { store, vectors, files, embedder, embed, all, workspace, calls: () => calls };
}

test('what the model says of an image stays beside its vector, also where that is not made again', async (t) => {
  const { store, vectors, embed, files } = await prepare(t, 5);
  const { space } = await embed(OPTIONS);
  const votes = async () => {
    const found = await vectors.lookupVotes(await store.vectorShards(space, 'images'), [...ids.keys()]);
    return new Map([...found].map(([id, row]) => [id, [...row]]));
  };
  const ids = new Map([...files.values()].map((bytes, n) => [sha256Hex(bytes), [(37 * n) % 256, 0.75]]));
  assert.deepEqual(await votes(), new Map([...ids].sort(([a], [b]) => (a < b ? -1 : 1))));
  assert.equal((await requireRecipe(store, 'images')).votes, 'imagenet-1000');
  files.delete('/photos/3.png');
  await embed({ ...OPTIONS, force: true });
  assert.equal((await votes()).size, 5);
});

test('no vector is left of an image that was forgotten, and one that was left by an earlier build goes', async (t) => {
  const { store, vectors, embed, all, files, workspace } = await prepare(t, 7);
  const { blobs } = workspace;
  await blobs.put('samples/kept.sample', Uint8Array.of(1));
  const { space } = await embed(OPTIONS);
  const ids = [...files.values()].map((bytes) => sha256Hex(bytes)).sort();
  const [first, second, ...others] = ids;
  const before = await all();
  const votes = async () => [...(await vectors.lookupVotes(await store.vectorShards(space, 'images'), ids)).keys()];
  await forget(workspace, [first], OPTIONS);
  assert.equal(await blobs.stat('samples/kept.sample'), undefined, 'what is kept of the sample holds vectors too');
  assert.deepEqual([...(await all()).keys()], [second, ...others]);
  assert.deepEqual((await votes()).sort(), [second, ...others]);
  await store.forgetImages([second]);
  assert.equal((await embed(OPTIONS)).counts.total, 5);
  before.delete(first);
  before.delete(second);
  assert.deepEqual(await all(), before);
  const [third, ...rest] = others;
  await store.forgetImages([third]);
  assert.equal((await embed({ ...OPTIONS, force: true })).counts.total, 4);
  assert.deepEqual([...(await all()).keys()], rest);
  await forget(workspace, rest, OPTIONS);
  assert.deepEqual(await store.vectorShards(space, 'images'), []);
});

test('regions that a detector did not find again leave no vector behind', async (t) => {
  const { store, embed, all, files } = await prepare(t, 1);
  const [image] = [...files.values()].map((bytes) => sha256Hex(bytes));
  const found = [
    [0, 0, 10, 10],
    [10, 0, 30, 20],
  ] as const;
  const detect = async (...boxes: readonly Box[]) => {
    const of = boxes.map((box) => ({ box, className: 'dog' }));
    await store.commitDetections(shard(await startRun(store, 'detect'), [[image, of]]));
  };
  await detect(...found);
  await embed({ ...OPTIONS, items: 'regions' });
  assert.equal((await all('regions')).size, 2);
  await detect(found[1]);
  await embed({ ...OPTIONS, items: 'regions' });
  assert.deepEqual([...(await all('regions')).keys()], [regionOf(image, { box: found[1], className: 'dog' })]);
});

test('every image gets its vector, a second run does nothing, force does all again', async (t) => {
  const { embed, all, files, calls } = await prepare(t, 8);
  const first = await embed(OPTIONS);
  assert.deepEqual(first.counts, { embedded: 8, images: 8, quarantined: 0, away: 0, shards: 3, total: 8 });
  const vectors = await all();
  for (const [n, bytes] of [...files.values()].entries()) {
    const expected = [(37 * n) % 256, (91 * n) % 256, 128].map((value) => value / 255);
    const vector = vectors.get(sha256Hex(bytes)) ?? [];
    for (const [j, value] of expected.entries()) assert.ok(Math.abs(vector[j] - value) < 1e-3);
  }
  assert.deepEqual((await embed(OPTIONS)).counts, {
    embedded: 0,
    images: 0,
    quarantined: 0,
    away: 0,
    shards: 0,
    total: 8,
  });
  assert.equal(calls(), 8);
  assert.equal((await embed({ ...OPTIONS, force: true })).counts.total, 8);
  assert.equal(calls(), 16);
});

test('images that come later are added; the mean stays that of the first whole run', async (t) => {
  const { store, embed, files, all } = await prepare(t, 4);
  const { space } = await embed({ ...OPTIONS, limit: 2 });
  assert.equal(await savedMean(store, space), undefined, 'a pilot says nothing of the whole');
  await embed(OPTIONS);
  const before = await savedMean(store, space);
  assert.equal(before?.count, 4);
  const later = new Map([['/photos/90.png', await picture(90)]]);
  for (const [path, bytes] of later) files.set(path, bytes);
  await addImages(store, later);
  assert.deepEqual((await embed(OPTIONS)).counts, {
    embedded: 1,
    images: 1,
    quarantined: 0,
    away: 0,
    shards: 1,
    total: 5,
  });
  assert.equal((await all()).size, 5);
  assert.equal((await savedMean(store, space))?.key, before?.key);
});

test('by force, with images gone and others there, the mean stays; that of a pilot does not', async (t) => {
  const { store, vectors, embed, files } = await prepare(t, 6);
  const { space } = await embed({ ...OPTIONS, limit: 4 });
  const recipe = await requireRecipe(store, 'images');
  const shards = await store.vectorShards(space, 'images');
  await fitMean(store, vectors, recipe, shards, { subset: true });
  await embed(OPTIONS);
  const whole = await savedMean(store, space);
  assert.deepEqual([whole?.count, whole?.subset], [6, false]);
  files.delete('/photos/1.png');
  const { counts } = await embed({ ...OPTIONS, force: true });
  assert.deepEqual([counts.total, counts.quarantined], [6, 1]);
  assert.deepEqual(await savedMean(store, space), whole);
});

test('a broken file goes aside, one that is away is tried again, the rest goes on; a broken model stops the run', async (t) => {
  const { store, embedder, embed, files } = await prepare(t, 5);
  files.delete('/photos/1.png');
  const cut = new Map([['/photos/cut.png', (await picture(50)).slice(0, 60)]]);
  for (const [path, bytes] of cut) files.set(path, bytes);
  await addImages(store, cut);
  const { counts } = await embed(OPTIONS);
  assert.deepEqual([counts.embedded, counts.quarantined, counts.away], [4, 2, 1]);
  const quarantined = async () => {
    const rows = [];
    for await (const page of store.quarantine()) rows.push(...page);
    return rows.map(({ path, stage }) => [path, stage]).sort();
  };
  assert.deepEqual(await quarantined(), [
    ['/photos/1.png', 'embed'],
    ['/photos/cut.png', 'embed'],
  ]);
  files.set('/photos/1.png', await picture(1));
  const again = await embed(OPTIONS);
  assert.deepEqual([again.counts.embedded, again.counts.away, again.counts.total], [1, 0, 5]);
  assert.deepEqual(await quarantined(), [['/photos/cut.png', 'embed']]);
  const broken = {
    ...embedder,
    key: 'broken@1',
    look: () => Promise.reject(new LabelsmithError('UNSUPPORTED', 'died')),
  };
  await assert.rejects(embed(OPTIONS, { embedder: broken }), /died/);
});

test('force keeps the vectors of what cannot be read now, and all of them where it ends before its end', async (t) => {
  const { store, embed, files, all } = await prepare(t, 8);
  await embed({ ...OPTIONS, limit: 2 });
  await embed(OPTIONS);
  const before = await all();
  const kept = new Map(files);
  for (const n of [1, 4, 5]) files.delete(`/photos/${n}.png`);
  files.set('/photos/6.png', (await picture(6)).slice(0, 60));
  const { counts } = await embed({ ...OPTIONS, force: true });
  assert.deepEqual([counts.embedded, counts.away, counts.quarantined, counts.total], [4, 3, 4, 8]);
  assert.deepEqual(await all(), before);
  assert.equal((await embed({ ...OPTIONS, force: true, limit: 1 })).counts.total, 8, 'a pilot too');
  files.clear();
  const away = await embed({ ...OPTIONS, force: true });
  assert.deepEqual([away.counts.embedded, away.counts.total], [0, 8]);
  assert.deepEqual(await all(), before);

  for (const [path, bytes] of kept) files.set(path, bytes);
  const end = () => Promise.reject(new Error('killed'));
  await assert.rejects(embed({ ...OPTIONS, force: true }, { store: { ...store, replaceVectorShards: end } }), /killed/);
  assert.deepEqual(await all(), before);
});

test('ended at any write, run again: every vector once, the same as undisturbed', async (t) => {
  const undisturbed = await prepare(t, 10);
  await undisturbed.embed(OPTIONS);
  const expected = await undisturbed.all();
  for (const at of ['file', 'row'] as const) {
    for (let writes = 0; writes < 4; writes++) {
      const { store: whole, vectors: files, embed, all, calls } = await prepare(t, 10);
      let left = writes;
      const end = () => {
        if (left-- === 0) throw new Error('killed');
      };
      const vectors = { ...files };
      const store = { ...whole };
      if (at === 'file') {
        vectors.write = async (shard) => {
          end();
          return files.write(shard);
        };
      } else {
        store.putVectorShard = async (shard) => {
          end();
          return whole.putVectorShard(shard);
        };
      }
      await assert.rejects(embed(OPTIONS, { vectors, store }), /killed/);
      const there = (await all()).size;
      // Shards come into the record in their order; whose file is written first is open.
      if (at === 'row') assert.equal(there, 3 * writes);
      const { counts } = await embed(OPTIONS);
      assert.equal(counts.total, 10);
      assert.equal(counts.embedded, 10 - there, `${at} ${writes}: only what was missing`);
      assert.ok(calls() <= 20);
      assert.deepEqual(await all(), expected);
    }
  }
});

test('regions: each is cut out with its surroundings, deleted ones are left out', async (t) => {
  const { store, embed, files, all } = await prepare(t, 1);
  const left = { r: 255, g: 0, b: 0 };
  const half = await sharp({ create: { width: 40, height: 40, channels: 3, background: left } })
    .png()
    .toBuffer();
  const wide = sharp({ create: { width: 200, height: 100, channels: 3, background: { r: 0, g: 0, b: 255 } } });
  const bytes = new Uint8Array(
    await wide
      .composite([{ input: half, left: 0, top: 0 }])
      .png()
      .toBuffer(),
  );
  files.set('/photos/two.png', bytes);
  await addImages(store, new Map([['/photos/two.png', bytes]]));
  const imageId = sha256Hex(bytes);
  const region = (id: string, box: Box) => drawn(imageId, box, { id: id.repeat(32) });
  await store.putRegions([region('a', [0, 0, 30, 20]), region('b', [100, 40, 150, 60]), region('c', [0, 0, 9, 9])]);
  await store.deleteRegionsAsHuman(['c'.repeat(32)]);
  const { counts } = await embed({ ...OPTIONS, items: 'regions' });
  assert.deepEqual([counts.embedded, counts.images, counts.total], [2, 1, 2]);
  const vectors = await all('regions');
  assert.deepEqual(vectors.get('a'.repeat(32)), [1, 0, 0]);
  assert.deepEqual(vectors.get('b'.repeat(32)), [0, 0, 1]);
});
