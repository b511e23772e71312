import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawn } from '../../../test/contracts/store/fixtures.ts';
import { BUILT_IN_TASKS, type Label, type Task } from '../../core/labels.ts';
import type { StoredRegion } from '../../store/store.ts';
import { type LabelledBoxStore, labelledBoxes } from './labelled-boxes.ts';

const OBJECTS = taskNamed('objects');

function taskNamed(name: string): Task {
  const task = BUILT_IN_TASKS.find((one) => one.name === name);
  assert.ok(task);
  return task;
}

let sequence = 0;
function label(itemId: string, className: string, origin: Label['origin'], confidence = 1): Label {
  sequence++;
  return { itemId, task: 'objects', className, present: true, origin, confidence, runId: null, sequence };
}

function storeOf(regions: readonly StoredRegion[], labels: readonly Label[]): LabelledBoxStore {
  const names = [...new Set(labels.map(({ className }) => className))];
  const of = { task: 'objects', items: 'regions', count: 1, meanConfidence: 1, origins: {} } as const;
  return {
    classes: async () =>
      names.map((name) => ({ name, synonyms: [], parent: null, description: null, synset: null, counts: [of] })),
    regionsOf: async (ids) => new Map(ids.map((id) => [id, regions.filter(({ imageId }) => imageId === id)])),
    labelsOf: async (ids) => new Map(ids.map((id) => [id, labels.filter(({ itemId }) => itemId === id)])),
  };
}

async function boxesOf(store: LabelledBoxStore, task = OBJECTS, origin?: Label['origin']) {
  const source = await labelledBoxes(store, ['a', 'b'], task, origin);
  if (source === null) return null;
  const rows = [];
  for await (const page of source.pages) {
    for (const { imageId, detections } of page) {
      const { classes, scores, boxes } = detections;
      const found = Array.from(classes, (c, i) => [
        source.classNames[c],
        scores[i],
        ...boxes.subarray(4 * i, 4 * i + 4),
      ]);
      rows.push([imageId, ...found]);
    }
  }
  return rows;
}

const REGIONS = [
  drawn('a', [0, 0, 10, 10], { id: '1' }),
  drawn('a', [5, 5, 20, 20], { id: '2' }),
  drawn('a', [1, 1, 2, 2], { id: 'gone', deleted: true }),
  drawn('a', [1, 1, 90, 90], { id: 'herd', crowd: true }),
];
const LABELS = [
  label('1', 'cat', 'detector', 0.5),
  label('2', 'dog', 'imported'),
  label('gone', 'cat', 'human'),
  label('herd', 'cat', 'imported'),
];

test('boxes with a label, the surest first; deleted ones and crowds do not count, an image without one does', async () => {
  assert.deepEqual(await boxesOf(storeOf(REGIONS, LABELS)), [
    ['a', ['dog', 1, 5, 5, 20, 20], ['cat', 0.5, 0, 0, 10, 10]],
    ['b'],
  ]);
});

test('of one origin alone', async () => {
  assert.deepEqual(await boxesOf(storeOf(REGIONS, LABELS), OBJECTS, 'imported'), [
    ['a', ['dog', 1, 5, 5, 20, 20]],
    ['b'],
  ]);
});

test('nothing in a task of whole images, nor where no box has a label', async () => {
  assert.equal(await boxesOf(storeOf(REGIONS, LABELS), taskNamed('class')), null);
  assert.equal(await boxesOf(storeOf(REGIONS, [])), null);
});
