/** The stage on made-up vectors: what is labelled, what is kept, what a kill leaves, what people said. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { currentLabels } from '../../core/labels.ts';
import { seededRandom } from '../../core/random.ts';
import { change } from '../../corpus/corpus.ts';
import { LabelsmithError } from '../../errors.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import { type Workspace, workspaceOf } from '../../jobs/workspace.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { requireRecipe } from '../embed/recipe.ts';
import { type Mark, readMap } from './data-map.ts';
import { discoverIn } from './discover.ts';
import { savedMap } from './map-record.ts';
import type { DiscoverOptions } from './options.ts';

const OPTIONS = { seed: 0, threads: 1 };
const COLUMNS = 8;
const KINDS = ['rose', 'bus', 'cat', 'cup'];

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** There are vectors and no files. */
const discover = (workspace: Workspace, options: DiscoverOptions) =>
  discoverIn(workspace, options, () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files')));

interface Item {
  readonly id: string;
  readonly kind: string;
  readonly path: string;
}

const item = (n: number): Item => {
  const kind = KINDS[n % KINDS.length];
  return { id: sha256Hex(`item ${n}`), kind, path: `/photos/${kind}/${n}.jpg` };
};

async function marksOf(effects: Workspace): Promise<Mark[]> {
  const marks: Mark[] = [];
  for await (const part of (await readMap(effects, 'class'))?.marks() ?? []) marks.push(...part);
  return marks;
}

async function spaceOfMap(store: Store): Promise<string> {
  return `map:class:${(await savedMap(store, 'class'))?.key}`;
}

/** Near the axis of its kind; a twin is nearly item 0, and odd is opposite to all. */
function vectorOf({ id, kind }: Item): number[] {
  if (kind === 'twin') return vectorOf(item(0)).map((value, j) => value + 0.001 * j);
  if (kind === 'odd') return Array.from({ length: COLUMNS }, (_, j) => (j % 2 === 0 ? -1 : -3));
  const random = seededRandom(Number.parseInt(id.slice(0, 6), 16));
  return Array.from({ length: COLUMNS }, (_, j) => (j === KINDS.indexOf(kind) ? 1 : 0) + 0.3 * random());
}

function addItems(store: Store, dir: string, items: readonly Item[]): Promise<void> {
  return addEmbedded(
    store,
    dir,
    items.map((one) => ({ id: one.id, path: one.path, vector: vectorOf(one) })),
  );
}

async function prepare(t: TestContext, count: number) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-discover-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const items = Array.from({ length: count }, (_, n) => item(n));
  await addItems(store, dir, items);
  const effects = workspaceOf(dir, store, { engine: { ...localEngine(), withInference: (_, work) => work(pool) } });
  return { store, effects, items, add: (more: readonly Item[]) => addItems(store, dir, more) };
}

/** The class that each item's cluster label gives it, or ''. */
async function labelled(store: Store, items: readonly Item[], task = 'class'): Promise<string[]> {
  const labels = await store.labelsOf(
    items.map(({ id }) => id),
    task,
  );
  return items.map(({ id }) => labels.get(id)?.find(({ origin }) => origin === 'cluster')?.className ?? '');
}

test('four kinds are four clusters, named by their folders; a second run changes nothing', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  const first = await discover(effects, OPTIONS);
  assert.deepEqual(first.counts, { items: 80, clusters: 4, assigned: 80, none: 0, copies: 0, since: 0 });
  assert.equal(first.clustered, true);
  assert.deepEqual(first.clusters.map(({ name, size }) => [name, size]).sort(), KINDS.map((kind) => [kind, 20]).sort());
  const [best] = first.clusters[0]?.candidates ?? [];
  assert.deepEqual(
    best?.evidence.map(({ source, count, of }) => [source, count, of]),
    [['path', 20, 20]],
  );
  assert.ok(first.clusters.every(({ name, exemplars }) => exemplars.every((path) => path.includes(`/${name}/`))));
  const kinds = items.map(({ kind }) => kind);
  assert.deepEqual(await labelled(store, items), kinds);

  const again = await discover(effects, OPTIONS);
  assert.deepEqual([again.clustered, again.counts.assigned], [false, 0]);
  assert.deepEqual(again.clusters, first.clusters);
  assert.equal(again.likelyRight, first.likelyRight);
});

test('how many are likely right is what labels are sure of; one item alone is not told to be several things', async (t) => {
  const { store, effects, items } = await prepare(t, 20);
  const { likelyRight, clusters } = await discover(effects, { ...OPTIONS, k: 12 });
  const alone = clusters.filter(({ size }) => size === 1);
  assert.ok(alone.length > 0 && alone.every(({ chance }) => chance === null));
  const labels = await store.labelsOf(
    items.map(({ id }) => id),
    'class',
  );
  const sure = items.map(({ id }) => labels.get(id)?.find(({ origin }) => origin === 'cluster')?.confidence ?? 0);
  const mean = sure.reduce((sum, one) => sum + one, 0) / items.length;
  // Summed in thousandths.
  assert.ok(likelyRight !== null && Math.abs(likelyRight - mean) <= 0.0005, `${likelyRight} of ${mean}`);
  assert.equal((await discover(effects, { ...OPTIONS, method: 'kmeans', k: 4 })).likelyRight, null);
});

test('items that come later get the cluster of their neighbours, and nobody else another one', async (t) => {
  const { store, effects, items, add } = await prepare(t, 80);
  const first = await discover(effects, { ...OPTIONS, k: 4 });
  const later = Array.from({ length: 40 }, (_, n) => ({ ...item(80 + n), path: `/photos/new/${n}.jpg` }));
  await add(later);
  const second = await discover(effects, OPTIONS);
  assert.deepEqual([second.clustered, second.counts.assigned, second.counts.items], [false, 40, 120]);
  assert.deepEqual([second.likelyRight, second.judged], [first.likelyRight, 80], 'of later ones nothing is claimed');
  const all = [...items, ...later];
  assert.deepEqual(
    await labelled(store, all),
    all.map(({ kind }) => kind),
  );
  assert.deepEqual(
    second.clusters.map(({ size }) => size),
    [30, 30, 30, 30],
  );
});

test('clusters whose classes were merged are told once, with what both have', async (t) => {
  const { store, effects } = await prepare(t, 80);
  await discover(effects, { ...OPTIONS, k: 4 });
  await change(store, { kind: 'merge', names: ['bus'], into: 'cat' });
  const { counts, clusters } = await discover(effects, OPTIONS);
  assert.equal(counts.clusters, 4);
  assert.deepEqual(clusters.map(({ name, size }) => [name, size]).sort(), [
    ['cat', 40],
    ['cup', 20],
    ['rose', 20],
  ]);
});

test('clusters of a pilot are made again when there is more, and it is said why', async (t) => {
  const { store, effects, items, add } = await prepare(t, 40);
  const pilot = await discover(effects, { ...OPTIONS, k: 3, limit: 40 });
  assert.deepEqual([pilot.pilot, pilot.because, pilot.counts.clusters], [true, null, 3]);
  const same = await discover(effects, OPTIONS);
  assert.deepEqual([same.clustered, same.counts.assigned], [false, 0], 'with nothing more they are what they would be');
  const more = (from: number) => Array.from({ length: 40 }, (_, n) => item(from + n));
  await add(more(40));
  const whole = await discover(effects, { ...OPTIONS, k: 4 });
  assert.deepEqual([whole.pilot, whole.clustered, whole.counts.assigned], [false, true, 80]);
  assert.equal(whole.because, 'the clusters before were those of a pilot');
  const all = [...items, ...more(40)];
  assert.deepEqual(
    await labelled(store, all),
    all.map(({ kind }) => kind),
  );
  await add(more(80));
  const later = await discover(effects, { ...OPTIONS, limit: 40 });
  assert.deepEqual([later.pilot, later.clustered, later.because, later.counts.assigned], [false, false, null, 40]);
  const cut = await discover(effects, { ...OPTIONS, k: 3 });
  const again = await discover(effects, { ...OPTIONS, recluster: true });
  const since = [whole, later, cut, again].map(({ counts }) => counts.since);
  assert.deepEqual(since, [0, 40, 40, 0], 'what came after the clusters were made, until they are made again');
});

test('with some of what was clustered gone the clusters stay; with all of it gone they are made again', async (t) => {
  const { store, effects, items, add } = await prepare(t, 80);
  await discover(effects, { ...OPTIONS, k: 4 });
  const { space } = await requireRecipe(store, 'images');
  await store.clearVectorShards(space, 'images');
  await add(items.slice(0, 50));
  const some = await discover(effects, OPTIONS);
  assert.deepEqual([some.clustered, some.because, some.counts.items, some.counts.assigned], [false, null, 50, 0]);
  await store.clearVectorShards(space, 'images');
  await add(Array.from({ length: 40 }, (_, n) => item(80 + n)));
  const none = await discover(effects, OPTIONS);
  assert.deepEqual([none.clustered, none.counts.clusters, none.counts.assigned], [true, 4, 40]);
  assert.equal(none.because, 'none of the items that were clustered is embedded any more');
});

test('what makes clusters be made again unasked is told', async (t) => {
  const { effects } = await prepare(t, 80);
  assert.equal((await discover(effects, OPTIONS)).because, null);
  assert.equal((await discover(effects, { ...OPTIONS, recluster: true })).because, null);
  const seeded = await discover(effects, { ...OPTIONS, seed: 1 });
  assert.equal(seeded.because, 'the clusters before were made with seed 0');
});

test('another k cuts the same tree: clusters nest, and k as before keeps all', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  await discover(effects, { ...OPTIONS, k: 8 });
  const fine = await labelled(store, items);
  const coarse = await discover(effects, { ...OPTIONS, k: 4 });
  assert.deepEqual([coarse.clustered, coarse.counts.clusters, coarse.counts.assigned], [true, 4, 80]);
  const now = await labelled(store, items);
  const above = new Map(fine.map((name, i) => [name, now[i]]));
  assert.equal(above.size, 8);
  for (const [i, name] of fine.entries()) assert.equal(now[i], above.get(name));
  assert.equal((await discover(effects, { ...OPTIONS, k: 4 })).clustered, false);
});

test('a level of the tree is a cut of it; levels that are not there are refused', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  const { levels, counts } = await discover(effects, OPTIONS);
  assert.ok(levels.includes(counts.clusters) && levels.length > 1, levels.join());
  const fine = await labelled(store, items);
  for (const [i, k] of levels.entries()) {
    const cut = await discover(effects, { ...OPTIONS, level: i + 1 });
    assert.equal(cut.counts.clusters, k);
    assert.deepEqual(cut.levels, levels);
    assert.equal((await discover(effects, OPTIONS)).counts.clusters, k, 'a plain run keeps the level');
  }
  await discover(effects, { ...OPTIONS, k: 4 });
  assert.deepEqual(await labelled(store, items), fine);
  await assert.rejects(discover(effects, { ...OPTIONS, level: 9 }), /There is no level 9; the tree suggests/);
});

test('classes of an earlier clustering go when nothing hangs on them, and the history can still be undone', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  const bare = { ...effects, store: { ...store, pathsOfImages: async () => new Map() } };
  await discover(bare, { ...OPTIONS, k: 8 });
  const names = async () => (await store.classes()).map(({ name }) => name);
  assert.equal((await names()).length, 8);
  // A person uses one of them and describes another.
  const said = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;
  await store.putLabels([{ ...said, itemId: items[0]?.id, className: 'unnamed-8' }]);
  await store.changeCorpus({ name: 'describe', arguments: {}, atMs: 1 }, (state) => ({
    state: {
      ...state,
      classes: new Map(
        [...state.classes].map(([id, one]) => [id, one.name === 'unnamed-7' ? { ...one, description: 'odd' } : one]),
      ),
    },
  }));
  const { retired } = await discover(bare, { ...OPTIONS, k: 3 });
  // Three of four kinds are together by now; what the person said names a cluster.
  const kept = await names();
  assert.ok(kept.includes('unnamed-7') && kept.includes('unnamed-8'));
  assert.ok(retired.length >= 3);
  for (const name of retired) assert.ok(!kept.includes(name), name);
  assert.equal(kept.length + retired.length, 8);
  assert.equal((await store.undoCorpusChange())?.operation, 'describe');
  assert.deepEqual(await store.check(), []);
});

test('the data map: every item has a place, kinds stand together, the odd one and the twin are told', async (t) => {
  const { store, effects, items, add } = await prepare(t, 80);
  const { outliers, duplicates } = await discover(effects, OPTIONS);
  assert.deepEqual([outliers?.count, duplicates?.count], [0, 0]);
  const kindOf = new Map(items.map(({ id, kind }) => [id, kind]));
  const marks = await marksOf(effects);
  assert.equal(marks.length, 80);
  const nearestOf = (mark: Mark) =>
    marks
      .filter((other) => other !== mark)
      .reduce((a, b) => (Math.hypot(a.x - mark.x, a.y - mark.y) < Math.hypot(b.x - mark.x, b.y - mark.y) ? a : b));
  for (const mark of marks) assert.equal(kindOf.get(nearestOf(mark).id), kindOf.get(mark.id));

  // One that is like no other, and one that is nearly a copy.
  const twin = { ...item(80), kind: 'twin' };
  await add([{ ...item(81), kind: 'odd' }, twin]);
  const second = await discover(effects, OPTIONS);
  assert.deepEqual(second.outliers?.first.map(({ path }) => path).slice(0, 1), [item(81).path]);
  assert.deepEqual(second.duplicates?.count, 1);
  assert.deepEqual([second.duplicates?.first[0]?.a, second.duplicates?.first[0]?.b].sort(), [item(0).path, twin.path]);
  const there = await marksOf(effects);
  assert.deepEqual(
    there.filter(({ id }) => kindOf.has(id)),
    marks,
    'nobody moves when others come',
  );
  // Vectors may be deleted at any time: the map is made again, the same.
  const [shard] = await store.vectorShards(await spaceOfMap(store), 'images');
  rmSync(join(effects.dir, shard?.file));
  await discover(effects, OPTIONS);
  assert.deepEqual(await marksOf(effects), there);
});

test('of more items than can be clustered a sample is; all get their cluster and their place, the same every time', async (t) => {
  const results = [];
  for (let round = 0; round < 2; round++) {
    const { store, effects, items } = await prepare(t, 400);
    const { counts, metrics } = await discover(effects, { ...OPTIONS, k: 4, maxSample: 100 });
    assert.deepEqual([counts.items, counts.assigned, metrics?.members], [400, 400, 100]);
    const found = await labelled(store, items);
    assert.deepEqual(
      found,
      items.map(({ kind }) => kind),
    );
    const marks = await marksOf(effects);
    assert.equal(marks.length, 400);
    const space = await spaceOfMap(store);
    results.push({ found, marks, files: (await store.vectorShards(space, 'images')).map(({ sha256 }) => sha256) });
    const again = await discover(effects, { ...OPTIONS, k: 4 });
    assert.deepEqual([again.clustered, again.counts.assigned], [false, 0]);
  }
  assert.deepEqual(results[0], results[1]);
});

test('what a person said stays and counts as evidence; no evidence gives no name', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  const roses = items.filter(({ kind }) => kind === 'rose').slice(0, 15);
  const said = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;
  await store.putLabels(roses.map(({ id }) => ({ ...said, itemId: id, className: 'flower' })));
  const bare = { ...effects, store: { ...store, pathsOfImages: async () => new Map() } };
  const { clusters } = await discover(bare, { ...OPTIONS, k: 4 });
  const names = clusters.map(({ name }) => name).sort();
  assert.equal(names[0], 'flower');
  assert.ok(
    names.slice(1).every((name) => /^unnamed-[1-4]$/.test(name)),
    names.join(),
  );
  await discover(effects, { ...OPTIONS, k: 3, recluster: true });
  const labels = await store.labelsOf(
    roses.map(({ id }) => id),
    'class',
  );
  for (const { id } of roses) {
    const [current] = currentLabels(labels.get(id) ?? [], 'single');
    assert.deepEqual([current?.className, current?.origin], ['flower', 'human']);
  }
});

test('ended at any write, the same command again gives what an undisturbed one does', async (t) => {
  const undisturbed = await prepare(t, 80);
  await discover(undisturbed.effects, { ...OPTIONS, k: 8 });
  await discover(undisturbed.effects, { ...OPTIONS, k: 4 });
  const expected = await labelled(undisturbed.store, undisturbed.items);
  for (const call of ['putArtifact', 'clearMachineLabels', 'putLabels'] as const) {
    for (let good = 0; good < (call === 'putLabels' ? 4 : 1); good++) {
      const { store, effects, items } = await prepare(t, 80);
      await discover(effects, { ...OPTIONS, k: 8 });
      let left = good;
      /** The call ends the process, in a transaction of several calls too. */
      const ending = (of: Store): Store => ({
        ...of,
        [call]: async (...args: never[]) => {
          if (left-- === 0) throw new Error('killed');
          return (of[call] as (...given: never[]) => Promise<unknown>)(...args);
        },
        atomically: (work) => of.atomically((within) => work(ending(within))),
      });
      const disturbed = { ...effects, store: ending(store) };
      await assert.rejects(discover(disturbed, { ...OPTIONS, k: 4 }), /killed/);
      await discover(effects, { ...OPTIONS, k: 4 });
      assert.deepEqual(await labelled(store, items), expected, `${call} ${good}`);
    }
  }
});

test('k-means and density are methods too; impossible numbers are refused', async (t) => {
  const { store, effects, items } = await prepare(t, 80);
  const means = await discover(effects, { ...OPTIONS, method: 'kmeans', k: 4, task: 'means' });
  assert.equal(means.clusters.map(({ size }) => size).join(), '20,20,20,20');
  const density = await discover(effects, { ...OPTIONS, method: 'density', task: 'dense' });
  const found = await labelled(store, items, 'dense');
  for (const [i, name] of found.entries()) if (name !== '') assert.equal(name.split(' ')[0], items[i]?.kind);
  assert.equal(density.counts.assigned + density.counts.none, 80);
  assert.ok(density.counts.assigned >= 60);
  const { method, because } = await discover(effects, { ...OPTIONS, k: 4, task: 'dense' });
  assert.deepEqual([method, /density finds its own/.test(`${because}`)], ['graph', true]);
  await assert.rejects(
    discover(effects, { ...OPTIONS, k: 81, task: 'many' }),
    /81 clusters cannot be made of 80 images/,
  );
});

test('one item and two items are clusters of their own', async (t) => {
  for (const count of [1, 2]) {
    const { effects } = await prepare(t, count);
    const { counts } = await discover(effects, OPTIONS);
    assert.deepEqual([counts.items, counts.assigned], [count, count]);
    assert.ok(counts.clusters >= 1 && counts.clusters <= count);
  }
});
