import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_DETECTIONS } from '../../core/boxes.ts';
import { BUILT_IN_TASKS, type Label, NONE_OF_THESE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Truth, TruthImage } from './ground-truth.ts';
import { canonicalNames, defaultTask, type PredictionStore, predictionsOf } from './predictions.ts';

function truthOf(ids: readonly string[]): Truth {
  const images = new Map<string, TruthImage>();
  for (const id of ids) images.set(id, { order: images.size, file: id, classes: [0], boxes: [] });
  return {
    images,
    classNames: ['cat'],
    unmatched: 0,
    unmatchedWhere: [],
    repeated: 0,
    labelledImages: ids.length,
    boxes: 0,
  };
}

let sequence = 0;
function label(itemId: string, className: string, origin: Label['origin'], confidence = 1, present = true): Label {
  sequence++;
  return { itemId, task: 'class', className, present, origin, confidence, runId: null, sequence };
}

function storeOf(labels: readonly Label[], models: readonly string[] = []): PredictionStore {
  return {
    classes: async () => [],
    tasks: async () => [...BUILT_IN_TASKS],
    labelsOf: async (items, task) =>
      new Map(items.map((id) => [id, labels.filter((of) => of.itemId === id && of.task === task)])),
    candidateModels: async () => models.map((modelKey) => ({ modelKey, images: 1, classNames: [modelKey] })),
    async *candidates(modelKey) {
      yield [{ imageId: modelKey, detections: NO_DETECTIONS }];
    },
    regionsOf: async () => new Map(),
    runs: async () => [],
  };
}

async function collected(store: PredictionStore, ids: readonly string[], options: object = {}) {
  const predictions = await predictionsOf(store, truthOf(ids), { task: 'class', ...options });
  const images = [];
  for await (const page of predictions.labels) images.push(...page);
  return images.map(({ imageId, labels, guess, cluster }) => ({
    imageId,
    labels: labels.map(({ className }) => className),
    guess: guess?.className ?? null,
    cluster,
  }));
}

test('the label that holds, the best machine guess beside it, and the cluster', async () => {
  const labels = [
    label('a', 'cluster 3', 'cluster', 0.9),
    label('a', 'dog', 'model', 0.6),
    label('a', 'cat', 'human'),
    label('b', 'dog', 'model', 0.6),
    label('b', NONE_OF_THESE, 'human'),
    label('d', 'dog', 'human', 1, false),
  ];
  assert.deepEqual(await collected(storeOf(labels), ['a', 'b', 'c', 'd']), [
    { imageId: 'a', labels: ['cat'], guess: 'dog', cluster: 'cluster 3' },
    { imageId: 'b', labels: [], guess: 'dog', cluster: null },
    { imageId: 'c', labels: [], guess: null, cluster: null },
    { imageId: 'd', labels: [], guess: null, cluster: null },
  ]);
});

test('with an origin, what it says counts, whoever outranks it', async () => {
  const labels = [label('a', 'dog', 'model', 0.6), label('a', 'cat', 'human')];
  const [only] = await collected(storeOf(labels), ['a'], { origin: 'model' });
  assert.deepEqual(only.labels, ['dog']);
});

test('candidates are guesses in a task on regions, and count for no other origin', async () => {
  const store = storeOf([], ['one', 'two']);
  const objects = await predictionsOf(store, truthOf(['a']), { task: 'objects', modelKey: 'two' });
  assert.deepEqual([objects.candidates?.classNames, objects.candidates?.asGuess], [['two'], true]);
  const images = await predictionsOf(store, truthOf(['a']), { task: 'class' });
  assert.equal(images.candidates?.asGuess, false);
  const human = await predictionsOf(store, truthOf(['a']), { task: 'objects', origin: 'human' });
  assert.equal(human.candidates, null);
});

test('an unknown task or model is said so, with what there is', async () => {
  const hint = (wanted: RegExp) => (error: unknown) =>
    error instanceof LabelsmithError && wanted.test(error.hint ?? '');
  await assert.rejects(predictionsOf(storeOf([]), truthOf([]), { task: 'nope' }), hint(/objects, class/));
  const options = { task: 'objects', modelKey: 'three' };
  await assert.rejects(predictionsOf(storeOf([], ['one']), truthOf([]), options), hint(/one/));
});

test('the default task goes by the boxes of TRUTH, then by what has labels; synonyms have their class’s name', async () => {
  const counts = [{ task: 'class', items: 'images' as const, count: 2, meanConfidence: 1, origins: {} }];
  const cat = { name: 'cat', synonyms: ['kitty'], parent: null, description: null, synset: null };
  const store = (of: typeof counts) => ({ classes: async () => [{ ...cat, counts: of }] });
  assert.equal(await defaultTask(store(counts), { boxes: 3 }), 'objects');
  assert.equal(await defaultTask(store(counts), { boxes: 0 }), 'class');
  assert.equal(await defaultTask(store([]), { boxes: 0 }), 'objects');
  const nameOf = await canonicalNames(store([]));
  assert.deepEqual(['kitty', 'cat', 'cow'].map(nameOf), ['cat', 'cat', 'cow']);
});

test('a guess stands where no label holds, and counts for the origin that made it alone', async () => {
  const store = storeOf([label('a', 'cat', 'human')]);
  const guess = { className: 'dog', confidence: 0.4, origin: 'model' } as const;
  const guesses = async (ids: readonly string[]) => new Map(ids.map((id) => [id, guess]));
  const [a, b] = await collected(store, ['a', 'b'], { guesses });
  assert.deepEqual([a?.labels, a?.guess], [['cat'], 'dog']);
  assert.deepEqual([b?.labels, b?.guess], [[], 'dog']);
  const [, other] = await collected(store, ['a', 'b'], { guesses, origin: 'cluster' });
  assert.equal(other?.guess, null);
});
