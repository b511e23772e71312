/**
 * What every vector store must do: vectors come back as they were, in shards and all together; the same vectors make the
 * same row and one file; damage and absence are told, and what no row names is never seen.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sha256Hex } from '../../src/core/ids.ts';
import { type Matrix, matrix } from '../../src/math/matrix.ts';
import type { VectorShard } from '../../src/store/store.ts';
import { MAX_SHARD_ROWS, type NewVectorShard, type VectorStore } from '../../src/vectors/vector-store.ts';

const COLUMNS = 5;

function idsOf(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => sha256Hex(`item ${from + i}`)).sort();
}

/** Numbers that half precision holds exactly, and that say which id they belong to. */
function vectorsOf(ids: readonly string[]): Matrix {
  const data = Float32Array.from({ length: ids.length * COLUMNS }, (_, at) => {
    const id = ids[Math.floor(at / COLUMNS)];
    return Number.parseInt(id.slice(0, 2), 16) / 4 - (at % COLUMNS);
  });
  return matrix(data, ids.length, COLUMNS);
}

function shardOf(ids: readonly string[], changes: Partial<NewVectorShard> = {}): NewVectorShard {
  const base = { space: 'model|recipe', items: 'images', shard: '0', runId: null } as const;
  return { ...base, ids, vectors: vectorsOf(ids), ...changes };
}

/** @param create makes a store over a workspace folder; it may be called again for the same folder. */
/** @param prunesHalves whether what killed processes left half-written is this store's to delete */
export function vectorStoreContract(
  name: string,
  create: (workspace: string) => VectorStore,
  { prunesHalves = true }: { readonly prunesHalves?: boolean } = {},
): void {
  describe(`vector store: ${name}`, () => {
    let folder: string;
    let store: VectorStore;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'labelsmith-vectors-'));
      store = create(folder);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('gives back what was written, in both precisions', async () => {
      for (const precision of ['float16', 'float32'] as const) {
        const ids = idsOf(20);
        const row = await store.write(shardOf(ids, { precision, space: precision }));
        assert.deepEqual(
          { space: row.space, items: row.items, count: row.count, first: row.firstId, last: row.lastId },
          { space: precision, items: 'images', count: 20, first: ids[0], last: ids[19] },
        );
        const back = await create(folder).read(row);
        assert.deepEqual(back.ids, ids);
        assert.deepEqual([...back.vectors.data], [...vectorsOf(ids).data]);
        assert.equal(back.vectors.columns, COLUMNS);
      }
    });

    it('keeps votes beside vectors, exactly, for those shards that have some', async () => {
      const ids = idsOf(20);
      const votes = matrix(
        Float32Array.from({ length: 40 }, (_, at) => at / 3),
        20,
        2,
      );
      const row = await store.write(shardOf(ids, { votes, space: 'votes' }));
      const plain = await store.write(shardOf(idsOf(5, 20), { space: 'votes', shard: '1' }));
      const back = await create(folder).read(row);
      assert.deepEqual([...back.vectors.data], [...vectorsOf(ids).data]);
      assert.deepEqual([back.votes?.rows, back.votes?.columns], [20, 2]);
      assert.deepEqual([...(back.votes?.data ?? [])], [...votes.data]);
      assert.equal((await store.read(plain)).votes, undefined);
      const wanted = [ids[7], idsOf(5, 20)[0], sha256Hex('elsewhere')];
      const found = await store.lookupVotes([row, plain], wanted);
      assert.deepEqual([...found.keys()], [ids[7]]);
      assert.deepEqual([...(found.get(ids[7]) ?? [])], [...votes.data.subarray(14, 16)]);
      assert.equal((await store.lookup([row, plain], wanted)).size, 2);
    });

    it('half precision rounds to 11 bits, single precision not at all', async () => {
      const ids = idsOf(1);
      const vectors = matrix(Float32Array.of(1 / 3, -1e-5, 60_000.5), 1, 3);
      const half = await store.read(await store.write(shardOf(ids, { vectors, space: 'half' })));
      for (const [i, value] of half.vectors.data.entries()) {
        assert.ok(Math.abs(value - vectors.data[i]) <= Math.abs(vectors.data[i]) * 2 ** -11 + 2 ** -25);
      }
      const single = await store.read(
        await store.write(shardOf(ids, { vectors, space: 'single', precision: 'float32' })),
      );
      assert.deepEqual([...single.vectors.data], [...vectors.data]);
    });

    it('the same vectors again: the same row, no second file', async () => {
      const shard = shardOf(idsOf(7), { space: 'twice' });
      const first = await store.write(shard);
      const before = await filesIn(folder);
      assert.deepEqual(await create(folder).write(shard), first);
      assert.deepEqual(await filesIn(folder), before);
      assert.equal(first.file.includes('\\'), false);
    });

    it('streams shards in the order given', async () => {
      const rows = await writeShards(store, 'stream');
      const seen: string[] = [];
      for await (const { ids } of store.stream(rows.toReversed())) seen.push(ids[0]);
      assert.deepEqual(
        seen,
        rows.toReversed().map(({ firstId }) => firstId),
      );
    });

    it('reads all in order of id, whatever the shards', async () => {
      const rows = await writeShards(store, 'all');
      const all = await store.readAll(rows);
      const expected = idsOf(30);
      assert.deepEqual(all.ids, expected);
      assert.deepEqual([...all.vectors.data], [...vectorsOf(expected).data]);
      const none = await store.readAll([]);
      assert.deepEqual([none.ids.length, none.vectors.rows], [0, 0]);
    });

    it('looks up ids across shards and leaves out those it does not have', async () => {
      const rows = await writeShards(store, 'lookup');
      const wanted = [idsOf(1, 3)[0], idsOf(1, 27)[0], sha256Hex('elsewhere')] as string[];
      const found = await store.lookup(rows, wanted);
      assert.deepEqual([...found.keys()].sort(), wanted.slice(0, 2).sort());
      for (const [id, vector] of found) assert.deepEqual([...vector], [...vectorsOf([id]).data]);
    });

    it('regions have shorter ids and a file of their own', async () => {
      const ids = idsOf(4).map((id) => id.slice(0, 32));
      const row = await store.write(shardOf(ids, { items: 'regions' }));
      const images = await store.write(shardOf(idsOf(4)));
      assert.notEqual(dirname(row.file), dirname(images.file));
      assert.deepEqual((await store.read(row)).ids, ids);
    });

    it('says what is wrong with a file that is gone, cut or changed', async () => {
      const row = await store.write(shardOf(idsOf(9), { space: 'damage' }));
      const path = join(folder, row.file);
      const hint = /labelsmith embed/;
      const damaged = async (code: string) =>
        assert.rejects(store.read(row), (error: { code: string; hint: string }) => {
          assert.equal(error.code, code);
          assert.match(error.hint, hint);
          return true;
        });
      await truncate(path, 100);
      await damaged('BAD_FILE');
      await store.write(shardOf(idsOf(9), { space: 'damage' })); // writing again repairs a cut file
      assert.equal((await store.read(row)).ids.length, 9);
      const bytes = await readFile(path);
      bytes[bytes.length >> 1] ^= 1;
      await writeFile(path, bytes);
      await damaged('BAD_FILE');
      await store.write(shardOf(idsOf(9), { space: 'damage' })); // and one of the same length
      assert.equal((await store.read(row)).ids.length, 9);
      await writeFile(path, 'something else');
      await damaged('BAD_FILE');
      await unlink(path);
      await damaged('NOT_FOUND');
    });

    it('deletes what rows named, and prunes what none names', async () => {
      const own = await mkdtemp(join(tmpdir(), 'labelsmith-vectors-'));
      try {
        const other = create(own);
        const kept = await other.write(shardOf(idsOf(3), { space: 'a' }));
        const gone = await other.write(shardOf(idsOf(3), { space: 'b' }));
        await other.write(shardOf(idsOf(2), { space: 'a', shard: 'unnamed' }));
        await writeFile(join(own, `${kept.file}.0123abcd-77-0123456789ab.tmp`), 'half written');
        await other.remove([gone]);
        await other.remove([gone]);
        await assert.rejects(other.read(gone), { code: 'NOT_FOUND' });
        assert.equal(await other.prune([kept]), prunesHalves ? 2 : 1);
        if (prunesHalves) assert.deepEqual(await filesIn(own), [kept.file]);
        assert.equal((await other.read(kept)).ids.length, 3);
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    });

    it('refuses what could not come back', async () => {
      const ids = idsOf(2);
      const bad = (changes: Partial<NewVectorShard>, message: RegExp) =>
        assert.rejects(store.write(shardOf(ids, { space: 'bad', ...changes })), message);
      await bad({ ids: ids.toReversed() }, /out of order or twice/);
      await bad({ ids: [ids[0], ids[0]] }, /out of order or twice/);
      await bad({ ids: [] }, new RegExp(`expected 1 to ${MAX_SHARD_ROWS}`));
      await bad({ vectors: vectorsOf(idsOf(3)) }, /2 ids and 3 vectors/);
      await bad({ items: 'regions' }, /as an id of regions/);
      await bad({ votes: matrix(new Float32Array(3), 3, 1) }, /2 ids and votes on 3/);
      await bad({ votes: matrix(Float32Array.of(1, Number.NaN), 2, 1) }, /votes that are no numbers/);
      const infinite = vectorsOf(ids);
      infinite.data[COLUMNS + 2] = 1e6;
      await bad({ vectors: infinite }, new RegExp(`${ids[1]} has 1000000 in it at 2`));
      infinite.data[COLUMNS + 2] = Number.NaN;
      await bad({ vectors: infinite, precision: 'float32' }, /has NaN in it/);
    });
  });
}

/** 30 items in three shards whose ranges of ids overlap, as when images are added later. */
async function writeShards(store: VectorStore, space: string): Promise<VectorShard[]> {
  const rows: VectorShard[] = [];
  for (const [shard, from] of [0, 10, 20].entries()) {
    rows.push(await store.write(shardOf(idsOf(10, from), { space, shard: String(shard) })));
  }
  return rows;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}
