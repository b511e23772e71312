import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addImages, fresh, imageId, said, shard, startRun } from '../../test/contracts/store/fixtures.ts';
import { openStore } from '../store/open.ts';
import { change, corpusTree } from './corpus.ts';
import { taxonomyOf } from './taxonomy.ts';
import { wordNet } from './wordnet.ts';

/** Paths of the classes that a corpus of these names shows: `animal › dog`. */
function paths(names: readonly string[], detected: readonly string[] = names): string[] {
  const classes = new Map(
    names.map((name, i) => [
      i + 1,
      { id: i + 1, name, rootId: i + 1, parentId: null, placed: false, description: null, synset: null },
    ]),
  );
  const nodes = taxonomyOf({ classes, synonyms: new Map() }, new Set(detected), wordNet());
  const above = new Map(nodes.map(({ name, parent }) => [name, parent]));
  return names.map((name) => {
    const path = [name];
    for (let at = above.get(name) ?? null; at !== null; at = above.get(at) ?? null) path.unshift(at);
    return path.join(' › ');
  });
}

test('COCO’s classes stand under its supercategories, others under what WordNet says', () => {
  assert.deepEqual(paths(['person', 'car', 'dog', 'bus', 'mouse']), [
    'person',
    'vehicle › car',
    'animal › dog',
    'vehicle › bus',
    'electronic › mouse',
  ]);
  assert.deepEqual(paths(['mouse', 'tractor', 'sunflower', 'cluster 3'], []), [
    'animal › mouse',
    'vehicle › tractor',
    'plant › sunflower',
    'cluster 3',
  ]);
  assert.deepEqual(paths(['person', 'primate', 'monkey', 'tiger'], ['person']), [
    'person',
    'animal › primate',
    'animal › primate › monkey',
    'animal › tiger',
  ]);
});

test('a class of the corpus is a parent where its meaning is, and takes the place of a heading of its name', () => {
  assert.deepEqual(paths(['dog', 'poodle']), ['animal › dog', 'animal › dog › poodle']);
  assert.deepEqual(paths(['vehicle', 'car']), ['vehicle', 'vehicle › car']);
});

test('what a person said of a place counts more than WordNet; counts go up the tree, each image once', async (t) => {
  const store = await fresh(t, openStore);
  await addImages(store, 3);
  const runId = await startRun(store, 'detect');
  const dog = { className: 'dog', box: [0, 0, 50, 50], score: 0.5 } as const;
  const car = { className: 'car', box: [100, 100, 200, 200], score: 0.75 } as const;
  await store.commitDetections(
    shard(runId, [
      [imageId(0), [dog, car]],
      [imageId(1), [dog]],
      [imageId(2), []],
    ]),
  );
  await store.putLabels([said(imageId(2), 'dog')]);
  const at = async (name: string) => (await corpusTree(store, 2)).find((node) => node.name === name);

  assert.deepEqual(
    { ...(await at('dog')), synset: '', description: '' },
    {
      name: 'dog',
      synonyms: [],
      parent: 'animal',
      synset: '',
      description: '',
      heading: false,
      depth: 1,
      images: 3,
      regions: 2,
      meanConfidence: (0.5 + 0.5 + 1) / 3,
      origins: { detector: 2, human: 1 },
      exemplars: [
        { imageId: imageId(2), file: '0002.jpg', box: null, confidence: 1 },
        ...[imageId(0), imageId(1)]
          .sort()
          .slice(0, 1)
          .map((id) => ({
            imageId: id,
            file: id === imageId(0) ? '0000.jpg' : '0001.jpg',
            box: [0, 0, 50, 50],
            confidence: 0.5,
          })),
      ],
    },
  );
  assert.equal((await at('animal'))?.heading, true);
  assert.deepEqual([(await at('vehicle'))?.images, (await at('vehicle'))?.regions], [1, 1]);

  await change(store, { kind: 'nest', child: 'car', parent: 'toy' });
  await change(store, { kind: 'nest', child: 'toy', parent: 'dog' });
  assert.deepEqual([(await at('dog'))?.images, (await at('dog'))?.regions], [3, 3]);
  assert.equal(await at('vehicle'), undefined, 'a heading with nothing under it is not shown');
  await change(store, { kind: 'nest', child: 'dog', parent: null });
  assert.equal((await at('dog'))?.parent, null, 'at the top because somebody said so');
});
