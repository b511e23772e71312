import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CompiledQuery } from 'kysely';
import {
  addImages,
  all,
  drawn,
  imageId,
  path,
  said,
  scratch,
  shard,
  sortedIds,
} from '../../test/contracts/store/fixtures.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../test/postgres/server.ts';
import { matrix } from '../math/matrix.ts';
import { COPIED } from '../store/copy.ts';
import { openDriver } from '../store/open.ts';
import type { Query } from '../store/sql/driver.ts';
import type { SqlValue } from '../store/sql/sql-value.ts';
import { snake } from '../store/sql/table.ts';
import { STAGING_TABLES, TABLES } from '../store/sql/tables.ts';
import { copyWorkspace } from './copy.ts';
import { openWorkspace } from './workspace.ts';

const found = postgresPrograms();

/** Something in every table. */
async function fill(location: string): Promise<void> {
  const workspace = await openWorkspace(location, { create: true });
  const { store, vectors } = workspace;
  const runId = await addImages(store, 9);
  const ids = sortedIds(9);
  await store.commitDetections({
    ...shard(
      runId,
      ids.map((id) => [
        id,
        [
          { className: 'dog', box: [0, 0, 9, 9.25] },
          { className: 'car', box: [2, 2, 5, 5] },
        ],
      ]),
    ),
    quarantine: [
      {
        path: '/photos/broken.jpg',
        sourceRoot: '/photos',
        reason: 'truncated',
        message: 'ä "\\',
        byteSize: 1,
        modifiedAtMs: 0.5,
        stage: 'detect',
      },
    ],
  });
  await store.putLabels([said(imageId(0), 'puppy', { annotator: 'Zoë' }), said(imageId(1), 'hound')]);
  await store.setLabels({ task: 'class', className: 'hound' }, { className: 'hound' });
  await store.putLabels([said(imageId(2), 'cluster 1', { origin: 'cluster', confidence: 1 / 3, runId })]);
  await store.putLabels([said(imageId(6), 'puppy', { origin: 'cluster', runId })]);
  const [dog, puppy] = ['dog', 'puppy'].map((name) =>
    store.corpus().then(({ classes }) => [...classes.values()].find((one) => one.name === name)),
  );
  const [a, b] = [await dog, await puppy];
  assert.ok(a && b);
  await store.changeCorpus({ name: 'merge', arguments: { into: 'dog' }, atMs: 7 }, ({ classes, synonyms }) => ({
    state: {
      classes: new Map([...classes, [b.id, { ...b, rootId: a.id }]]),
      synonyms: new Map([...synonyms, ['hund', a.id]]),
    },
  }));
  // What is cleared of a merged class is remembered for undoing the merge.
  await store.clearMachineLabels('class', 'cluster', [imageId(6)]);
  await store.putRegions([drawn(imageId(3), [1, 2, 3, 4], { polygons: [[1, 2, 3]] })]);
  const regions = [...(await store.regionsOf([imageId(4)])).values()].flat();
  await store.deleteRegionsAsHuman([regions[0].id]);
  await store.startAudit({
    task: 'class',
    atMs: 5,
    seed: 1,
    design: '{}',
    items: [
      {
        itemId: imageId(2),
        imageId: imageId(2),
        className: 'cluster 1',
        origin: 'cluster',
        confidence: 0.5,
        stratum: 0,
      },
    ],
  });
  await store.holdOut({ task: 'class', atMs: 6, seed: 2, items: [imageId(5)] });
  await store.putSplits(runId, new Map([[imageId(1), 'val']]));
  await store.putImageAttributes(new Map([[imageId(1), { weather: 'rain' }]]));
  await store.putSimilarPairs([{ a: ids[0], b: ids[1], kind: 'near-duplicate', distance: 3 }]);
  await store.markMissing([path(8).path], true);
  await store.putSetting('greeting', 'hello');
  const exportId = await store.beginExport({ series: 'coco', format: 'coco', task: 'objects', atMs: 8 });
  await store.putExportStates({ exportId, after: null, upTo: null }, new Map([[imageId(1), '{}']]));
  await store.finishExport(exportId, 'abc');
  const given = {
    space: 's',
    items: 'images',
    shard: '0',
    runId,
    ids: ids.slice(0, 2),
    vectors: matrix(Float32Array.of(1, 2, 3, 4), 2, 2),
  } as const;
  await store.putVectorShard(await vectors.write(given));
  await workspace.blobs.put('lsh/a.lsh', Uint8Array.of(1, 2, 3));
  await store.putShardResult({ runId, shard: '1', items: 2, data: Uint8Array.of(0, 255), worker: 'w' });
  await store.finishRun(runId, { status: 'done', counts: { images: 9 } });
  await workspace.close();
}

type Row = Readonly<Record<string, SqlValue>>;

/** Every row of every table, bytes as text. */
async function contentOf(location: string): Promise<Map<string, readonly Row[]>> {
  const driver = await openDriver(location, { create: false });
  const content = new Map<string, readonly Row[]>();
  for (const { name, names, key } of COPIED) {
    const text = `select ${names.join(', ')} from ${name} order by ${key.map((field) => snake(field)).join(', ')}`;
    const query: Query<Row> = { compile: () => CompiledQuery.raw(text) };
    const [rows] = await driver.read([query]);
    const plain = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([field, value]) => [
          field,
          value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
        ]),
      ),
    );
    content.set(
      name,
      name === 'setting' ? plain.filter((row) => row.key !== 'blobs' && row.key !== 'workspace-id') : plain,
    );
  }
  await driver.close();
  return content;
}

describe('copies of workspaces', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test('into PostgreSQL and back: every row and file as it was, and new rows go on behind them', async (t) => {
    const folder = scratch(t);
    const [first, last, blobs] = ['first', 'last', 'blobs'].map((name) => join(folder, name));
    const address = `${server.url}?schema=copied`;
    await fill(first);
    const there = await contentOf(first);
    // What this test forgets is a table that it says nothing of.
    const empty = [...there].filter(([, rows]) => rows.length === 0).map(([name]) => name);
    assert.deepEqual(empty.sort(), ['artifact', 'image_print', 'image_slopes', 'reference_image']);

    const rows = [...there.values()].reduce((sum, { length }) => sum + length, 0);
    const copied = { rows, vectors: 1, blobs: 1 };
    assert.deepEqual(await copyWorkspace({ from: first, to: address, blobsAt: blobs }), copied);
    assert.deepEqual(await contentOf(address), there);
    assert.deepEqual(await copyWorkspace({ from: address, to: last }), copied);
    assert.deepEqual(await contentOf(last), there);
    const [{ file } = { file: '' }] = there.get('vector_shard') ?? [];
    for (const where of [last, blobs]) {
      assert.deepEqual(await readFile(join(where, String(file))), await readFile(join(first, String(file))));
    }
    assert.deepEqual(await readFile(join(blobs, 'lsh/a.lsh')), Buffer.from([1, 2, 3]));

    for (const location of [address, last]) {
      const { store, close } = await openWorkspace(location, { create: false });
      await store.putLabels([said(imageId(6), 'new class')]);
      const labels = (await store.labelsOf([imageId(6)], 'class')).get(imageId(6)) ?? [];
      assert.equal(labels[0]?.className, 'new class');
      assert.equal((await all(store.images())).length, 8);
      await close();
    }
    await assert.rejects(copyWorkspace({ from: last, to: address }), { code: 'REFUSED', message: /in use already/ });
    await assert.rejects(copyWorkspace({ from: last, to: last }), { code: 'USAGE' });
    // Nothing is made where it is not said where its files go, or said wrongly.
    const bare = `${server.url}?schema=bare`;
    await assert.rejects(copyWorkspace({ from: last, to: bare }), { code: 'USAGE', hint: /--blobs/ });
    await assert.rejects(copyWorkspace({ from: last, to: bare, blobsAt: 'ftp://x/y' }), { code: 'UNSUPPORTED' });
    await assert.rejects(openDriver(bare, { create: false }), { code: 'WORKSPACE', message: /no workspace at/ });
  });

  test('every table is copied', () => {
    const staging = new Set<string>(STAGING_TABLES.map(({ name }) => name));
    const kept = TABLES.map(({ name }) => name).filter((name) => !staging.has(name));
    assert.deepEqual(COPIED.map(({ name }) => name).sort(), kept.sort());
  });

  test('a workspace that is not there, or does not know its blobs, is told', async (t) => {
    const address = `${server.url}?schema=nothing`;
    await assert.rejects(openWorkspace(address, { create: false }), { code: 'WORKSPACE', message: /no workspace at/ });
    await assert.rejects(openWorkspace(address, { create: true }), { code: 'USAGE', hint: /--blobs/ });
    const blobsAt = scratch(t);
    await (await openWorkspace(address, { create: true, blobsAt })).close();
    await (await openWorkspace(address, { create: false })).close();
    const other = openWorkspace(address, { create: false, blobsAt: 's3://other/place' });
    await assert.rejects(other, { code: 'USAGE', message: /not at s3/ });
    await assert.rejects(openWorkspace('postgres://127.0.0.1:1/x', { create: true, blobsAt }), { code: 'NETWORK' });
  });
});
