/** Labels of people across undo and redo of an operation that gave their class another name. Expected values follow from who said what when. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { change, type Operation } from '../../../src/corpus/corpus.ts';
import type { NewLabel, Store } from '../../../src/store/store.ts';
import { addImages, drawn, fresh, imageId, type OpenStore, said, sortedIds, startRun } from './fixtures.ts';

const IMAGES = 6;
const IDS = sortedIds(IMAGES);
const REGION = drawn(imageId(5), [0, 0, 9, 9]);

class Talk {
  readonly store: Store;
  readonly #runId: string;

  constructor(store: Store, runId: string) {
    this.store = store;
    this.#runId = runId;
  }

  /** People say it of an image. */
  say(n: number, className: string, changes: Partial<NewLabel> = {}): Promise<void> {
    return this.store.putLabels([said(IDS[n], className, changes)]);
  }

  cluster(n: number, className: string): Promise<void> {
    return this.say(n, className, { origin: 'cluster', confidence: 0.5, runId: this.#runId });
  }

  async do(operation: Operation): Promise<void> {
    assert.ok(await change(this.store, operation));
  }

  /** What is said of each image by each origin; `-`: that it is not this. */
  async all(): Promise<Record<string, string>> {
    const labels = await this.store.labelsOf([...IDS, REGION.id]);
    const told = [...labels].flatMap(([id, list]) => {
      const words = list.map(({ origin, className, present }) => `${origin} ${present ? '' : '-'}${className}`);
      return words.length === 0
        ? []
        : [[id === REGION.id ? 'region' : String([...IDS.keys()].find((n) => IDS[n] === id)), words.sort().join(', ')]];
    });
    return Object.fromEntries(told);
  }

  async names(): Promise<string[]> {
    return (await this.store.classes()).map(({ name }) => name);
  }

  /** Classes with labels that clusters gave, in the task `class`. */
  async ofClusters(): Promise<string[]> {
    const labelled = (await this.store.classes()).filter(({ counts }) => counts.length > 0);
    return labelled.flatMap(({ name, clusteredIn }) => (clusteredIn?.includes('class') ? [name] : []));
  }
}

async function talk(t: TestContext, open: OpenStore): Promise<Talk> {
  const store = await fresh(t, open);
  await addImages(store, IMAGES);
  await store.ensureTask({ name: 'many', rule: 'multi', items: 'images' });
  return new Talk(store, await startRun(store, 'discover'));
}

export function namesUndoneCases(open: OpenStore): void {
  test('undoing a name takes it from machines and from what people said before; what they said since keeps it', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    for (let n = 0; n < IMAGES; n++) await talking.cluster(n, 'unnamed-1');
    await talking.say(0, 'unnamed-1');
    await talking.do({ kind: 'rename', from: 'unnamed-1', to: 'cat' });
    await talking.say(1, 'cat');
    await talking.say(2, 'cat', { present: false });
    await talking.say(3, 'cat', { origin: 'imported' });
    await store.putRegions([REGION]);
    await store.putLabels([said(REGION.id, 'cat', { task: 'objects' })]);
    const named = await talking.all();
    const undone = {
      0: 'cluster unnamed-1, human unnamed-1',
      1: 'cluster unnamed-1, human cat',
      2: 'cluster unnamed-1, human -cat',
      3: 'cluster unnamed-1, imported cat',
      4: 'cluster unnamed-1',
      5: 'cluster unnamed-1',
      region: 'human cat',
    };
    for (const round of ['first', 'second']) {
      assert.equal((await store.undoCorpusChange())?.operation, 'rename');
      assert.deepEqual(await talking.all(), undone, round);
      assert.deepEqual(await talking.names(), ['cat', 'unnamed-1']);
      assert.equal((await store.redo())?.name, 'rename');
      assert.deepEqual(await talking.all(), named, round);
      assert.deepEqual(await talking.names(), ['cat']);
    }
    assert.equal((await store.corpusHistory()).length, 1);
    assert.deepEqual(await store.check(), []);
  });

  test('what is said between an undo and the redo of a name is joined, and parts again', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    await talking.cluster(0, 'unnamed-1');
    await talking.do({ kind: 'rename', from: 'unnamed-1', to: 'cat' });
    await store.undoCorpusChange();
    // Both names of one image by one person, in either order.
    for (const [n, order] of [['cat', 'unnamed-1'], ['unnamed-1', 'cat'], ['cat'], ['unnamed-1']].entries()) {
      for (const name of order) await talking.say(n, name, { task: 'many' });
    }
    const apart = await talking.all();
    assert.equal(apart[1], 'human cat, human unnamed-1');
    await store.redo();
    await talking.say(4, 'cat');
    assert.deepEqual(await talking.all(), {
      0: 'cluster cat, human cat',
      1: 'human cat',
      2: 'human cat',
      3: 'human cat',
      4: 'human cat',
    });
    // Said again: it is newer than the name.
    await talking.say(3, 'cat', { task: 'many' });
    await store.undoCorpusChange();
    assert.deepEqual(await talking.all(), { ...apart, 3: 'human cat', 4: 'human cat' });
    await store.redo();
    assert.deepEqual(await talking.names(), ['cat']);
    assert.deepEqual(await store.check(), []);
  });

  test('what people said of a cluster by a name that was undone since is about the cluster still', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    for (const [n, name] of ['unnamed-1', 'unnamed-2', 'unnamed-3'].entries()) await talking.cluster(n, name);
    await talking.say(3, 'fox');
    const clusters = ['unnamed-1', 'unnamed-2', 'unnamed-3'];
    const undone = async (operation: Operation, name: string) => {
      await talking.do(operation);
      await talking.say(5, name);
      await store.undoCorpusChange();
      assert.deepEqual(await talking.ofClusters(), [name, ...clusters], JSON.stringify(operation));
      assert.deepEqual((await talking.all())[5], `human ${name}`);
      await store.undo((await store.operations({ kind: 'items' })).find((one) => !one.undone)?.id);
    };
    await undone({ kind: 'rename', from: 'unnamed-1', to: 'cat' }, 'cat');
    await undone({ kind: 'merge', names: ['unnamed-1', 'unnamed-2'], into: 'pet' }, 'pet');
    await undone({ kind: 'map', mapping: new Map(['unnamed-1', 'unnamed-2'].map((name) => [name, 'thing'])) }, 'thing');
    await undone({ kind: 'split', name: 'unnamed-3', items: [{ itemId: IDS[2], to: 'part' }] }, 'part');
    // A class of people's own stays one, by whatever name.
    await talking.do({ kind: 'rename', from: 'fox', to: 'red fox' });
    await talking.say(4, 'red fox');
    await store.undoCorpusChange();
    await talking.do({ kind: 'nest', child: 'unnamed-1', parent: 'above' });
    await talking.say(5, 'above');
    await store.undoCorpusChange();
    assert.deepEqual(await talking.ofClusters(), clusters);
    assert.deepEqual(await store.check(), []);
  });

  test('what a person said of a name that was undone can be undone and redone by itself', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    await talking.cluster(0, 'unnamed-1');
    await talking.do({ kind: 'rename', from: 'unnamed-1', to: 'cat' });
    await talking.say(1, 'cat');
    const [{ id }] = await store.operations({ kind: 'items' });
    await store.undoCorpusChange();
    await store.undo(id);
    assert.deepEqual(await talking.all(), { 0: 'cluster unnamed-1' });
    await store.redo(id);
    assert.deepEqual(await talking.all(), { 0: 'cluster unnamed-1', 1: 'human cat' });
  });

  test('names of a merge, of a mapping, and such as differ by letters’ case, when they are undone', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    for (const [n, name] of ['cat', 'dog', 'unnamed-1', 'unnamed-2', 'Bus'].entries()) await talking.cluster(n, name);
    const first = await talking.all();
    const since = async (operation: Operation, name: string, expected: string) => {
      const before = await talking.all();
      await talking.do(operation);
      await talking.say(5, name);
      const after = await talking.all();
      await store.undoCorpusChange();
      assert.deepEqual(await talking.all(), { ...before, 5: expected }, JSON.stringify(operation));
      await store.redo();
      assert.deepEqual(await talking.all(), after, JSON.stringify(operation));
      await store.undoCorpusChange();
      assert.deepEqual(await talking.all(), { ...before, 5: expected }, JSON.stringify(operation));
      await store.undo((await store.operations({ kind: 'items' })).find(({ undone }) => !undone)?.id);
    };
    await since({ kind: 'merge', names: ['cat', 'dog'], into: 'pet' }, 'pet', 'human pet');
    await since({ kind: 'merge', names: ['dog'], into: 'cat' }, 'cat', 'human cat');
    const mapping = new Map([
      ['unnamed-1', 'thing'],
      ['unnamed-2', 'thing'],
    ]);
    await since({ kind: 'map', mapping }, 'thing', 'human thing');
    const two = new Map([
      ['unnamed-1', 'one'],
      ['unnamed-2', 'two'],
    ]);
    await talking.do({ kind: 'map', mapping: two });
    await talking.say(5, 'one');
    await talking.say(4, 'two');
    await store.undoCorpusChange();
    assert.deepEqual(await talking.all(), { ...first, 4: 'cluster Bus, human two', 5: 'human one' });
    for (const { id, undone } of await store.operations({ kind: 'items' })) if (!undone) await store.undo(id);
    // One class that is written in another way: no second one is made.
    await since({ kind: 'rename', from: 'Bus', to: 'bus' }, 'bus', 'human Bus');
    await since({ kind: 'alias', name: 'Bus', synonym: 'coach' }, 'coach', 'human Bus');
    // Names that change places: the class that was merged has the name that people said.
    await talking.do({ kind: 'merge', names: ['dog'], into: 'cat' });
    await since({ kind: 'rename', from: 'cat', to: 'dog' }, 'dog', 'human cat');
    await store.undoCorpusChange();
    const { 5: _, ...rest } = await talking.all();
    assert.deepEqual(rest, first);
    assert.deepEqual(await store.check(), []);
  });

  test('a class that an import made out of clusters is of their kind under every name, while the import stands', async (t) => {
    const talking = await talk(t, open);
    const { store } = talking;
    for (let n = 0; n < IMAGES; n++) await talking.cluster(n, 'unnamed-1');
    const told = { format: 'folders', outOfClusters: { class: ['cat', 'nobody'], many: ['dog'] } };
    const operation = await store.beginOperation({ name: 'import', arguments: told });
    await store.putLabels([said(IDS[0], 'cat'), said(IDS[1], 'dog')], { operation });
    await talking.say(2, 'own');
    assert.deepEqual(await talking.ofClusters(), ['cat', 'unnamed-1'], 'of the other, in another task');
    await talking.do({ kind: 'rename', from: 'cat', to: 'tabby' });
    assert.deepEqual(await talking.ofClusters(), ['tabby', 'unnamed-1']);
    await talking.do({ kind: 'merge', names: ['tabby'], into: 'own' });
    assert.deepEqual(await talking.ofClusters(), ['own', 'unnamed-1']);
    await store.undoCorpusChange();
    await store.undo(operation);
    await talking.say(3, 'tabby');
    assert.deepEqual(await talking.ofClusters(), ['unnamed-1']);
    await store.redo(operation);
    assert.deepEqual(await talking.ofClusters(), ['tabby', 'unnamed-1']);
    assert.deepEqual([...(await store.classesOutOfClusters('class'))], ['tabby']);
    assert.deepEqual([...(await store.classesOutOfClusters('many'))], ['dog']);
    assert.deepEqual(await store.check(), []);
  });
}
