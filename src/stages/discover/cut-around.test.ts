/** Numbers, levels and how sure clusters are once people named some of them. Made-up vectors: 24 kinds around six places. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openVectorPile } from '../../../test/fixtures/vector-pile.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { change } from '../../corpus/corpus.ts';
import { inTurn } from '../../jobs/parts/claim.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { requireEnoughItems } from './enough-items.ts';

const KINDS = 24;
const EACH = 8;
const COLUMNS = 32;

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

function normals(seed: string, by: number): number[] {
  const random = seededRandom(5, seed);
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  return Array.from({ length: COLUMNS }, () => by * normal());
}

/** Item n is of kind n % 24, and four kinds lie around one place. */
function vectorOf(n: number): number[] {
  const kind = normals(`kind ${n % KINDS}`, 0.5);
  const item = normals(`item ${n}`, 0.35);
  return normals(`place ${n % 6}`, 1).map((value, j) => value + kind[j] + item[j]);
}

async function prepare(t: TestContext) {
  const pile = await openVectorPile(t, pool, vectorOf);
  await pile.add(KINDS * EACH);
  const { store, discover } = pile;
  /** Gives the largest clusters names. */
  const name = async (clusters: readonly { readonly name: string }[], first = 0) => {
    for (const [i, { name: from }] of clusters.entries())
      await change(store, { kind: 'rename', from, to: `mine ${first + i}` });
  };
  return { store, add: pile.add, discover, name };
}

test('how many images are where they belong is said of the clusters that are shown, whatever number was asked for', async (t) => {
  const { discover, name } = await prepare(t);
  const unnamed = await discover({ k: KINDS });
  await name(unnamed.clusters);
  for (const k of [2, 5, KINDS, 60]) {
    const { counts, likelyRight, clusters } = await discover({ k, recluster: true });
    assert.equal(counts.clusters, KINDS);
    assert.ok(Math.abs((likelyRight ?? 0) - (unnamed.likelyRight ?? 1)) < 0.01, `${likelyRight} with --k ${k}`);
    const chances = new Map(clusters.map((cluster) => [cluster.size, cluster.chance ?? 0]));
    for (const { size, chance } of unnamed.clusters) {
      assert.ok(Math.abs((chances.get(size) ?? 0) - (chance ?? 1)) < 0.3, `${size}: ${chance}`);
    }
  }
});

test('of each cluster one item at least is of the class that most are of, and no less is claimed', async (t) => {
  const { discover } = await prepare(t);
  const all = KINDS * EACH;
  for (const k of [100, 150]) {
    const { likelyRight, counts } = await discover({ k });
    // The record has thousandths.
    assert.ok((likelyRight ?? 0) >= counts.clusters / all - 0.001, `${likelyRight} of ${counts.clusters} clusters`);
  }
});

for (const named of [1, 5, 12]) {
  test(`levels with ${named} named of many: each holds these, is what --level gives, twice, and leaves room to its neighbours`, async (t) => {
    const { discover, name } = await prepare(t);
    const unnamed = await discover({ k: KINDS });
    await name(unnamed.clusters.slice(0, named));
    const { levels, levelsBefore, held } = await discover({});
    assert.deepEqual([unnamed.levelsBefore, levelsBefore], [null, unnamed.levels]);
    assert.equal(held, named);
    assert.ok(levels.length > 1, levels.join());
    for (const [i, k] of levels.entries()) {
      const cut = await discover({ level: i + 1 });
      assert.deepEqual([cut.levels, cut.counts.clusters], [levels, k]);
      assert.equal(cut.clusters.filter((one) => one.name.startsWith('mine ')).length, named);
      const again = await discover({ level: i + 1 });
      assert.deepEqual([again.clustered, again.levels, again.counts.clusters], [false, levels, k]);
      assert.equal(again.levelsBefore, null);
      if (i > 0) assert.ok(k - named >= 1.5 * (levels[i - 1] - named), `${levels} beside ${named}`);
    }
  });
}

test('a level is cut anew once more clusters have names, and all of them named leave one level', async (t) => {
  const { store, discover, name } = await prepare(t);
  const { clusters } = await discover({ k: KINDS });
  await name(clusters.slice(0, 4));
  const { levels, counts } = await discover({ level: 1 });
  assert.equal(counts.clusters, levels[0]);
  await change(store, { kind: 'merge', names: ['mine 0', 'mine 1'], into: 'both' });
  const after = await discover({ level: 1 });
  assert.deepEqual([after.held, after.counts.clusters], [3, after.levels[0]]);
  await name((await discover({ k: KINDS })).clusters, 4);
  const all = await discover({ recluster: true });
  assert.deepEqual([all.levels, all.held], [[all.counts.clusters], all.counts.clusters]);
});

test('a tree that is made in the same run has levels too; the finest stands in for one that a new tree does not have', async (t) => {
  const { discover } = await prepare(t);
  for (const anew of [{}, { task: 'means', method: 'kmeans' }, { recluster: true }] as const) {
    const cut = await discover({ ...anew, level: 1 });
    assert.deepEqual([cut.clustered, cut.counts.clusters], [true, cut.levels[0]]);
    await assert.rejects(discover({ ...anew, recluster: false, level: 9 }), /There is no level 9; the tree suggests/);
    for (const more of [{ recluster: true }, { finestOtherwise: true }]) {
      const finest = await discover({ ...anew, ...more, level: 9 });
      assert.equal(finest.counts.clusters, finest.levels.at(-1));
    }
  }
});

test('a number is that of the command which asked: kept until clusters are made again, and told', async (t) => {
  const { add, discover } = await prepare(t);
  const found = await discover({});
  assert.deepEqual([found.asked, found.askedBefore], ['auto', null]);
  const three = await discover({ k: 3 });
  assert.deepEqual([three.counts.clusters, three.asked, three.askedBefore], [3, 3, null]);
  const kept = await discover({});
  assert.deepEqual([kept.counts.clusters, kept.asked, kept.askedBefore], [3, 3, 3]);
  await add(KINDS);
  const { counts, asked, askedBefore } = await discover({ recluster: true });
  assert.deepEqual([asked, askedBefore], ['auto', 3]);
  assert.ok(counts.clusters > 3, `${counts.clusters}`);
  assert.equal((await discover({ recluster: true, k: 3 })).counts.clusters, 3);
});

test('more clusters than there are images that differ are refused before any is embedded', async (t) => {
  const { store } = await prepare(t);
  const two = ['a', 'b'].map((name) => sha256Hex(name));
  const pair = { a: two[0], b: two[1], kind: 'copy', distance: 0 } as const;
  const alike = {
    ...store,
    async *similarPairs() {
      yield [pair];
    },
  };
  const all = KINDS * EACH;
  await requireEnoughItems(store, 'images', all);
  await requireEnoughItems(alike, 'images', all - 1);
  await assert.rejects(requireEnoughItems(store, 'images', all + 1), /193 clusters cannot be made of 192 images\./);
  await assert.rejects(
    requireEnoughItems(alike, 'images', all),
    /192 clusters cannot be made of 191 images that differ \(of 192, near copies counted once\)\./,
  );
});

test('another process that is at the same task is waited for', async (t) => {
  const { store, discover } = await prepare(t);
  const runs = (await store.runs()).length;
  const gate = Promise.withResolvers<void>();
  t.after(() => gate.resolve());
  const began = Promise.withResolvers<void>();
  const other = inTurn(store, 'discover of class', async () => {
    began.resolve();
    await gate.promise;
    return (await store.runs()).length;
  });
  await began.promise;
  const mine = discover({});
  // Its run would be on record long before it ends.
  await sleep(500);
  gate.resolve();
  assert.equal(await other, runs);
  assert.equal((await mine).clustered, true);
});
