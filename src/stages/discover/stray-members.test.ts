/** A cluster that somebody named with a few pictures of other things in it, and vectors of another embedder that tell them apart. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { known, TWO_CLUSTERS } from '../../../test/fixtures/two-clusters.ts';
import { idOf, openVectorPile } from '../../../test/fixtures/vector-pile.ts';
import { seededRandom } from '../../core/random.ts';
import { change } from '../../corpus/corpus.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { strayMembers } from './stray-members.ts';

const KINDS = 4;
const COUNT = 60;
/** Of kinds 1, 2 and 3. */
const STRAYS = [1, 2, 3, 5];

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

function vectorOf(kind: number, n: number, seed: string): number[] {
  const random = seededRandom(n, seed);
  return Array.from({ length: 8 }, (_, j) => (j === kind ? 1 : 0) + 0.3 * random());
}

/** Item n is of kind n % 4; the first embedder takes some others for kind 0. */
async function prepare(t: TestContext) {
  const pile = await openVectorPile(t, pool, (n) => vectorOf(STRAYS.includes(n) ? 0 : n % KINDS, n, 'first'));
  await pile.add(COUNT);
  const { store } = pile;
  const classOf = async (n: number) => {
    const labels = (await store.labelsOf([idOf(n)], 'class')).get(idOf(n)) ?? [];
    return labels.find(({ origin }) => origin === 'cluster')?.className ?? '';
  };
  const members = async (name: string) => {
    const classes = await Promise.all(Array.from({ length: COUNT }, (_, n) => classOf(n)));
    return [...classes.keys()].filter((n) => classes[n] === name);
  };
  await pile.discover({ k: KINDS });
  const ofKind0 = Array.from({ length: COUNT / KINDS }, (_, i) => i * KINDS);
  const mixed = await classOf(0);
  assert.deepEqual(
    await members(mixed),
    [...ofKind0, ...STRAYS].sort((a, b) => a - b),
  );
  await change(store, { kind: 'rename', from: mixed, to: 'cat' });
  return { pile, members, classOf, ofKind0 };
}

const second = (n: number) => vectorOf(n % KINDS, n, 'second');

test('members of a named cluster that another embedder puts with other things go there, and the name stays with the others', async (t) => {
  const { pile, members, ofKind0 } = await prepare(t);
  await pile.embedAgain(second);
  const { counts, strays } = await pile.discover({});
  assert.deepEqual(await members('cat'), ofKind0);
  assert.equal(counts.clusters, KINDS);
  assert.equal(strays.count, STRAYS.length);
  assert.deepEqual(strays.first.toSorted(), STRAYS.map((n) => `/p/${n}.jpg`).sort());
  const again = await pile.discover({});
  assert.deepEqual([again.clustered, again.strays], [false, strays], 'kept as they are');
  await pile.store.undoCorpusChange();
  assert.equal((await pile.discover({})).strays.count, 0, 'a name that was taken back has no members');
});

test('one that a person said so of by itself stays, and what it lies among stays where it is', async (t) => {
  const { pile, members, classOf } = await prepare(t);
  const [confirmed] = STRAYS;
  const said = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;
  await pile.store.putLabels([{ itemId: idOf(confirmed), className: 'cat', ...said }]);
  await pile.embedAgain(second);
  const { strays } = await pile.discover({});
  assert.equal(strays.count, STRAYS.length - 1);
  assert.equal(await classOf(confirmed), 'cat');
  assert.equal((await members('cat')).length, COUNT / KINDS + 1);
  // Confirmed by themselves, members of the name are nothing new; one of another class is, until clusters are made around it.
  const { store, discover } = pile;
  await store.putLabels([{ itemId: idOf(KINDS), className: 'cat', ...said }]);
  assert.equal((await discover({})).unheard, 0);
  await store.putLabels([{ itemId: idOf(KINDS), className: 'dog', ...said }]);
  assert.equal((await discover({})).unheard, 1);
  assert.equal((await discover({ recluster: true })).unheard, 0);
});

const straysOf = (classes: string, named = classes) =>
  strayMembers(TWO_CLUSTERS, 2, { classOf: known(classes), namedIn: known(named) });

test('which members are strays: few of a cluster among many others; not a half of it, not one that was merged, not the most of it', () => {
  assert.deepEqual(straysOf('00000.0.....'), [6]);
  assert.deepEqual(straysOf('00000.000...'), [], 'half of what is there is of the class');
  assert.deepEqual(straysOf('00000.011111'), [], 'the others are of a class of people, and come to no other name');
  assert.deepEqual(straysOf('00000.011...'), [6]);
  assert.deepEqual(straysOf('00....00....'), [], 'neither part is a minority of the other');
  assert.deepEqual(straysOf('00000.00....', '00000.11....'), [], 'all of a cluster that was merged into another');
  assert.deepEqual(straysOf('00000.0.....', '00000.......'), [], 'said of by itself');
});
