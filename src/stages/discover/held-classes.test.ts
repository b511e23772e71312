/** What people named, merged and said stays through every later cut. Made-up vectors: four kinds on four axes. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { idOf, openVectorPile } from '../../../test/fixtures/vector-pile.ts';
import { seededRandom } from '../../core/random.ts';
import { change } from '../../corpus/corpus.ts';
import { InferencePool } from '../../onnx/pool.ts';
import type { Store } from '../../store/store.ts';
import { clustersToName } from './clusters-to-name.ts';
import type { DiscoverOptions } from './options.ts';
import { tasksToCutAgain, undoCorpusChange } from './relabel.ts';
import { splitClassIn } from './split-class.ts';

const COLUMNS = 8;
const KINDS = 4;

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** Item n is of kind n % 4. */
function vectorOf(n: number): number[] {
  const random = seededRandom(n, 'vector');
  return Array.from({ length: COLUMNS }, (_, j) => (j === n % KINDS ? 1 : 0) + 0.3 * random());
}

async function prepare(t: TestContext, count: number, vectorFor = vectorOf) {
  const pile = await openVectorPile(t, pool, vectorFor);
  await pile.add(count);
  const { store, workspace, add, discover } = pile;
  /** The classes that items get from clusters, with the kinds in them. */
  const found = async () => {
    const kinds = new Map<string, Set<number>>();
    for (let n = 0; n < pile.count; n++) {
      const labels = (await store.labelsOf([idOf(n)], 'class')).get(idOf(n)) ?? [];
      for (const { className, origin } of labels) {
        if (origin === 'cluster') kinds.set(className, (kinds.get(className) ?? new Set()).add(n % KINDS));
      }
    }
    return kinds;
  };
  const classOf = async (n: number) => {
    const labels = (await store.labelsOf([idOf(n)], 'class')).get(idOf(n)) ?? [];
    return labels.find(({ origin }) => origin === 'cluster')?.className ?? '';
  };
  return { store, workspace, add, discover, found, classOf };
}

test('a name that somebody gave to the cluster that had it is theirs; an undone one is not', async (t) => {
  const { store, discover, classOf } = await prepare(t, 64);
  await discover({ k: KINDS });
  const [mine, other] = [await classOf(0), await classOf(1)];
  const told = { kind: 'map', mapping: new Map([mine, other].map((name) => [name, name])) } as const;
  assert.ok(await change(store, told));
  assert.equal(await change(store, told), null, 'said once is enough');
  assert.ok(await store.undoCorpusChange());
  assert.ok(await change(store, { kind: 'rename', from: mine, to: mine }));
  await discover({ k: 20 });
  const parts = async (kind: number) => {
    const names = await Promise.all(Array.from({ length: 64 / KINDS }, (_, i) => classOf(kind + i * KINDS)));
    return new Set(names);
  };
  assert.deepEqual([...(await parts(0))], [mine]);
  assert.ok((await parts(1)).size > 1);
});

test('a name stays with its items through every cut, with more images and after a new clustering', async (t) => {
  const { store, add, discover, found, classOf } = await prepare(t, 60);
  await discover({ k: 4 });
  await change(store, { kind: 'rename', from: await classOf(2), to: 'cat' });
  for (const k of [3, 8, 2, 4, 12]) {
    await discover({ k });
    const classes = await found();
    assert.equal(classes.size, k, `k = ${k}`);
    if (k >= KINDS) assert.deepEqual(classes.get('cat'), new Set([2]), `k = ${k}`);
    for (let n = 2; n < 60; n += KINDS) assert.equal(await classOf(n), 'cat', `k = ${k}, item ${n}`);
  }
  await add(40);
  const { clusters } = await discover({ k: 4, recluster: true });
  assert.deepEqual((await found()).get('cat'), new Set([2]));
  assert.deepEqual(clusters.find(({ name }) => name === 'cat')?.size, 25);
  assert.equal(await classOf(98), 'cat', 'what came later is found to be one too');
});

/** Four places around each of two: item n is of kind n % 8, and the items of kinds 0 to 3 lie around one place. */
const kindsOfTwo = (spread: number) => (n: number) => {
  const normals = (seed: string, by: number) => {
    const random = seededRandom(3, seed);
    return Array.from(
      { length: 32 },
      () => by * Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6),
    );
  };
  const kind = normals(`kind ${n % 8}`, 0.3);
  const item = normals(`item ${n}`, spread);
  return normals(`class ${n % 8 < 4 ? 0 : 1}`, 1).map((value, j) => value + kind[j] + item[j]);
};

/** People say the class of every item of the first kinds. */
function saidOfKinds(
  store: Pick<Store, 'putLabels'>,
  kinds: number,
  nameOf: (kind: number) => string,
): Promise<unknown> {
  const items = Array.from({ length: 96 }, (_, n) => n).filter((n) => n % 8 < kinds);
  const said = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;
  return store.putLabels(items.map((n) => ({ itemId: idOf(n), className: nameOf(n % 8), ...said })));
}

for (const { what, spread, name, before, least, most } of [
  {
    what: 'two classes',
    spread: 0.36,
    name: (kind: number) => (kind < 4 ? 'one' : 'other'),
    before: 8,
    least: 2,
    most: 3,
  },
  { what: 'six classes', spread: 0.5, name: (kind: number) => `kind ${kind}`, before: 2, least: 6, most: 10 },
]) {
  test(`two groups of four kinds: the number of clusters follows people who say that six of the kinds are ${what}`, async (t) => {
    const { store, discover } = await prepare(t, 96, kindsOfTwo(spread));
    const unsaid = await discover({});
    assert.equal(unsaid.counts.clusters, before);
    await saidOfKinds(store, 6, name);
    const { counts, range, levels } = await discover({ recluster: true });
    assert.ok(counts.clusters >= least && counts.clusters <= most, `${counts.clusters} clusters`);
    assert.ok(
      range && range.least <= counts.clusters && range.most >= counts.clusters,
      `${range?.least} to ${range?.most}`,
    );
    assert.ok(levels.includes(counts.clusters), levels.join());
    const again = await discover({});
    assert.deepEqual([again.range, again.levels], [range, levels], 'kept as they are');
  });
}

test('one class alone says nothing of how many there are', async (t) => {
  const { store, discover } = await prepare(t, 96, kindsOfTwo(0.36));
  assert.equal((await discover({})).counts.clusters, 8);
  // Two of the eight kinds; the coarsest cut, of two, would have them together too.
  await saidOfKinds(store, 2, () => 'one');
  assert.equal((await discover({ recluster: true })).counts.clusters, 7);
});

test('clusters that were merged are not taken apart, whatever is asked for', async (t) => {
  const { store, discover, found, classOf } = await prepare(t, 60);
  await discover({ k: 4 });
  const [a, b] = [await classOf(0), await classOf(1)];
  await change(store, { kind: 'merge', names: [a, b], into: 'vehicle' });
  for (const options of [{ k: 4 }, { k: 9 }, { k: 'auto', recluster: true }] as const) {
    await discover({ ...options, recluster: true });
    for (let n = 0; n < 60; n++) {
      assert.equal((await classOf(n)) === 'vehicle', n % KINDS < 2, `${JSON.stringify(options)}, item ${n}`);
    }
  }
  assert.equal((await found()).has(a), false);
});

test('names stay where a method mixes their clusters or leaves their items out', async (t) => {
  const { store, discover, classOf } = await prepare(t, 60);
  await discover({ k: 4 });
  await change(store, { kind: 'rename', from: await classOf(0), to: 'cat' });
  await change(store, { kind: 'rename', from: await classOf(1), to: 'dog' });
  for (const options of [{ method: 'kmeans', k: 1 }, { method: 'kmeans', k: 2 }, { method: 'density' }] as const) {
    await discover({ ...options, recluster: true });
    for (let n = 0; n < 60; n += KINDS) {
      assert.equal(await classOf(n), 'cat', JSON.stringify(options));
      assert.equal(await classOf(n + 1), 'dog', JSON.stringify(options));
    }
  }
});

test('what people said of items keeps two classes apart and gives clusters their names', async (t) => {
  const { store, discover, found, classOf } = await prepare(t, 60);
  await discover({ k: 2 });
  const say = (n: number, className: string) =>
    store.putLabels([
      { itemId: idOf(n), task: 'class', className, present: true, origin: 'human', confidence: 1, runId: null },
    ]);
  for (const n of [0, 4, 8]) await say(n, 'rose');
  for (const n of [1, 5, 9]) await say(n, 'bus');
  await discover({ k: 2, recluster: true });
  const classes = await found();
  assert.deepEqual([...classes.keys()].sort(), ['bus', 'rose']);
  assert.equal(await classOf(12), 'rose');
  assert.equal(await classOf(13), 'bus');
  await discover({ k: 4, recluster: true });
  assert.deepEqual((await found()).get('rose'), new Set([0]));
  assert.deepEqual((await found()).get('bus'), new Set([1]));
});

test('a class of items that were taken out of a cluster is these alone, and the cluster goes on without its name', async (t) => {
  const { store, discover, classOf, found } = await prepare(t, 60);
  await discover({ k: 4 });
  const told = { format: 'folders', outOfClusters: { class: ['stool'] } };
  const operation = await store.beginOperation({ name: 'import', arguments: told });
  const taken = {
    task: 'class',
    className: 'stool',
    present: true,
    origin: 'human',
    confidence: 1,
    runId: null,
  } as const;
  await store.putLabels(
    [0, 4, 8].map((n) => ({ ...taken, itemId: idOf(n) })),
    { operation },
  );
  for (const recluster of [false, true]) {
    await discover({ k: 4, recluster });
    assert.notEqual(await classOf(12), 'stool');
    const others = [...(await found())].filter(([name]) => name !== 'stool');
    assert.deepEqual(
      others.map(([, kinds]) => kinds.size),
      [1, 1, 1, 1],
      'as many clusters as before, each of a kind',
    );
  }
  await store.undo(operation);
  await store.putLabels([0, 4, 8].map((n) => ({ ...taken, itemId: idOf(n) })));
  await discover({ k: 4, recluster: true });
  assert.equal(await classOf(12), 'stool', 'said of items by itself, it is the name of their cluster');
});

test('a name that was taken back is no longer held', async (t) => {
  const { store, discover, found, classOf } = await prepare(t, 60);
  await discover({ k: 4 });
  const before = await classOf(3);
  await change(store, { kind: 'rename', from: before, to: 'cat' });
  await store.undoCorpusChange();
  await discover({ k: 5, recluster: true });
  assert.equal((await found()).has('cat'), false);
});

test('a class is split by looks, and the parts stay apart', async (t) => {
  const { store, workspace, add, discover, found, classOf } = await prepare(t, 60);
  await discover({ k: 1 });
  await change(store, { kind: 'rename', from: await classOf(0), to: 'thing' });
  await store.putLabels([
    { itemId: idOf(7), task: 'class', className: 'thing', present: true, origin: 'human', confidence: 1, runId: null },
  ]);
  const { parts, kept, withoutVector } = await splitClassIn(
    workspace,
    { className: 'thing', into: 4 },
    { seed: 0, threads: 1 },
  );
  assert.deepEqual(parts.map(({ name }) => name).sort(), ['thing 1', 'thing 2', 'thing 3', 'thing 4']);
  assert.deepEqual(parts.map(({ items }) => items).sort(), [14, 15, 15, 15]);
  assert.deepEqual([kept, withoutVector], [1, 0]);
  for (const kinds of (await found()).values()) assert.equal(kinds.size === 1 || kinds.has(3), true);

  await add(20);
  await discover({});
  assert.equal(await classOf(60), await classOf(0), 'what comes later goes to a part');
  const before = await classOf(1);
  await discover({ k: 6, recluster: true });
  assert.equal(await classOf(1), before);
  assert.equal(await classOf(5), before);
  assert.notEqual(await classOf(2), before);
});

test('parts of a cluster with no name are classes of their own, and have no name either', async (t) => {
  const { store, workspace, discover } = await prepare(t, 40);
  await discover({ k: 1 });
  const numbers = ['unnamed-11', 'unnamed-12'];
  await store.ensureClasses(numbers);
  const { parts } = await splitClassIn(workspace, { className: 'unnamed-1', into: 2 }, { seed: 0, threads: 1 });
  assert.deepEqual(parts.map(({ name }) => name).sort(), ['unnamed-1 1', 'unnamed-1 2']);
  const classes = await store.classes();
  for (const name of numbers) assert.deepEqual(classes.find((one) => one.name === name)?.counts, []);
  const clusters = await clustersToName(store, 'class');
  assert.deepEqual(
    clusters.map(({ name, unnamed, items }) => [name, unnamed, items]).sort(),
    parts.map(({ name, items }) => [name, true, items]).sort(),
  );
  await store.undoCorpusChange();
  assert.partialDeepStrictEqual(await clustersToName(store, 'class'), [{ name: 'unnamed-1', items: 40, held: false }]);
});

test('a split that was undone is no more: what comes later goes to the class', async (t) => {
  const { store, workspace, add, discover, found, classOf } = await prepare(t, 40);
  await discover({ k: 2 });
  const name = await classOf(0);
  await splitClassIn(workspace, { className: name, into: 2 }, { seed: 0, threads: 1 });
  assert.equal((await found()).size, 3);
  await store.undoCorpusChange();
  assert.equal(await classOf(0), name);
  await add(4);
  await discover({});
  assert.equal(await classOf(40), name);
  assert.equal((await found()).size, 2);
});

test('a cluster that people named, or that is a part of theirs, is theirs again once its split is undone', async (t) => {
  const { store, workspace, discover, classOf } = await prepare(t, 64);
  await discover({ k: 2 });
  await change(store, { kind: 'rename', from: await classOf(0), to: 'thing' });
  const items = Array.from({ length: 64 }, (_, n) => n);
  const things = async (name: string) => {
    const classes = await Promise.all(items.map(classOf));
    return items.filter((n) => classes[n] === name);
  };
  const first = await things('thing');
  await splitClassIn(workspace, { className: 'thing', into: 2 }, { seed: 0, threads: 1 });
  await store.undoCorpusChange();
  await discover({ k: 20 });
  assert.deepEqual(await things('thing'), first);

  await splitClassIn(workspace, { className: 'thing', into: 2 }, { seed: 0, threads: 1 });
  const part = await things('thing 1');
  await splitClassIn(workspace, { className: 'thing 1', into: 2 }, { seed: 0, threads: 1 });
  await store.undoCorpusChange();
  await discover({ k: 20, recluster: true });
  assert.deepEqual(await things('thing 1'), part);
});

test('more parts than there are items, and what only people said, are refused', async (t) => {
  const { store, workspace, discover, classOf } = await prepare(t, 8);
  await discover({ k: 1 });
  const options = { seed: 0, threads: 1 };
  await assert.rejects(splitClassIn(workspace, { className: await classOf(0), into: 9 }, options), /cannot become 9/);
  await change(store, { kind: 'alias', name: await classOf(0), synonym: 'thing' });
  await assert.rejects(
    splitClassIn(workspace, { className: 'thing', into: 2, task: 'objects' }, options),
    /by a machine/,
  );
});

test('what was made around a split or a merge is made again once that is undone, whatever number was asked for', async (t) => {
  const { store, workspace, discover } = await prepare(t, 60);
  const split = (into: number) =>
    splitClassIn(workspace, { className: 'unnamed-1', into }, { seed: 0, threads: 1 }).then(({ event }) => event);
  for (const k of [1, 6]) {
    const before = await discover({ k, recluster: true });
    assert.equal(before.counts.clusters, k);
    for (const between of [true, false]) {
      assert.ok(await split(5));
      if (between) await discover({ k });
      assert.ok(await undoCorpusChange(store));
      assert.deepEqual(await tasksToCutAgain(store), ['class']);
      const after = await discover({ k });
      assert.deepEqual(await tasksToCutAgain(store), []);
      assert.deepEqual([after.counts.clusters, after.likelyRight], [k, before.likelyRight]);
      assert.equal((await discover({ k })).clustered, false, 'once is enough');
    }
  }
  const { clusters } = await discover({ k: 6 });
  await change(store, { kind: 'merge', names: clusters.slice(0, 2).map(({ name }) => name), into: 'both' });
  assert.equal((await discover({ k: 5 })).held, 1);
  await change(store, { kind: 'rename', from: 'both', to: 'two' });
  assert.ok(await undoCorpusChange(store));
  assert.deepEqual(await tasksToCutAgain(store), [], 'no cut came after the name');
  assert.ok(await undoCorpusChange(store));
  assert.deepEqual(await tasksToCutAgain(store), ['class']);
  const { counts, held } = await discover({ k: 5 });
  assert.deepEqual([counts.clusters, held], [5, 0]);
});

test('an item of which a person denied the class of its cluster gets that of its other neighbours, in every cut', async (t) => {
  const between = (n: number) => (n === 0 || n === 12 ? [1, 0.9 - n / 1000, 0, 0, 0, 0, 0, 0] : vectorOf(n));
  const { store, discover, classOf } = await prepare(t, 32, between);
  await discover({ k: KINDS });
  const [own, other] = await Promise.all([classOf(4), classOf(1)]);
  await change(store, { kind: 'rename', from: own, to: 'rose' });
  await change(store, { kind: 'rename', from: other, to: 'bus' });
  assert.deepEqual(await Promise.all([0, 4, 12, 1].map(classOf)), ['rose', 'rose', 'rose', 'bus']);
  await store.holdOut({ task: 'class', atMs: 0, seed: 0, items: [idOf(12)] });
  const denial = { task: 'class', present: false, origin: 'human', confidence: 1, runId: null } as const;
  await store.putLabels([0, 4, 12].map((n) => ({ itemId: idOf(n), className: 'rose', ...denial })));
  const cuts: readonly Partial<DiscoverOptions>[] = [{}, { k: 3 }, { k: 6 }, { k: KINDS, recluster: true }];
  for (const options of cuts) {
    await discover(options);
    const labels = await store.labelsOf([idOf(0), idOf(4), idOf(8), idOf(1)], 'class');
    const shown = [0, 4, 8, 1].map((n) => labels.get(idOf(n))?.find(({ present }) => present)?.className);
    assert.equal(shown[0], 'bus', JSON.stringify(options));
    assert.notEqual(shown[1], 'rose');
    assert.deepEqual(shown.slice(2), ['rose', 'bus']);
    if (!options.recluster) assert.equal(await classOf(12), 'rose', 'what accuracy is measured on steers nothing');
  }
});
