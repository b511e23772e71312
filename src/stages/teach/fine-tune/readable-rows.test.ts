/** Items without a picture: out of what is trained and judged, and back with what was thought of them before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrix, newSharedMatrix } from '../../../math/matrix.ts';
import type { RoundsResult } from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import { ofAllRows, unreadableRows, withoutRows } from './readable-rows.ts';
import { wholeImage } from './tuning-image.ts';

const PROBLEM: Problem = {
  features: matrix(Float32Array.of(0, 1, 2, 3, 4, 5), 6, 1),
  groups: ['a', 'b', 'c', 'd', 'e', 'f'],
  labelled: Int32Array.of(1, 3, 5),
  labels: Int32Array.of(0, 1, 1),
  classes: 2,
  augmentations: { features: matrix(Float32Array.of(10, 30, 31, 50), 4, 1), of: Int32Array.of(1, 3, 3, 5) },
};

test('which rows cannot be read', async () => {
  const open = async (row: number) => (row % 2 === 0 ? undefined : wholeImage(new Uint8Array()));
  assert.deepEqual(await unreadableRows(6, open, undefined), [0, 2, 4]);
});

test('without rows, labels and views keep theirs', () => {
  const { problem, rows, places } = withoutRows(PROBLEM, [0, 3]);
  assert.deepEqual(
    [rows, places],
    [
      [1, 2, 4, 5],
      [0, 2],
    ],
  );
  assert.deepEqual([...problem.features.data], [1, 2, 4, 5]);
  assert.deepEqual(problem.groups, ['b', 'c', 'e', 'f']);
  assert.deepEqual(
    [[...problem.labelled], [...problem.labels]],
    [
      [0, 3],
      [0, 1],
    ],
  );
  assert.deepEqual([...(problem.augmentations?.features.data ?? [])], [10, 50]);
  assert.deepEqual([...(problem.augmentations?.of ?? [])], [0, 3]);
  assert.equal(withoutRows(PROBLEM, []).problem, PROBLEM);
});

function resultWith(rows: number, labels: number, value: number, restTemperature: number): RoundsResult {
  const filled = (n: number) => {
    const made = newSharedMatrix(n, 2);
    made.data.fill(value);
    return made;
  };
  const places = Array.from({ length: labels }, (_, i) => i);
  return {
    method: 'base',
    settings: { head: 'linear', C: 1, classWeights: 'even', augment: false },
    head: { kind: 'linear', weights: newSharedMatrix(2, 1), bias: new Float32Array(2) },
    temperature: 1,
    restTemperature,
    probabilities: filled(rows),
    heldOut: { logits: filled(labels), places, accuracy: 0, loss: 0 },
    steps: [],
    trials: [],
    folds: { count: 2, of: Int32Array.from(places, (place) => place % 2) },
    skipped: [],
  };
}

test('of all rows again: those without a picture have what the frozen vectors said, at the other temperature', () => {
  const readable = withoutRows(PROBLEM, [0, 3]);
  const all = ofAllRows(resultWith(4, 2, 0.9, 3), resultWith(6, 3, 0.25, 1.5), readable, PROBLEM.labels);
  const firsts = (data: ArrayLike<number>) =>
    Array.from({ length: data.length / 2 }, (_, i) => Number(data[2 * i]?.toFixed(2)));
  assert.deepEqual(firsts(all.probabilities.data), [0.25, 0.9, 0.9, 0.25, 0.9, 0.9]);
  assert.deepEqual(firsts(all.heldOut.logits.data), [0.9, 0.5, 0.9]);
  assert.deepEqual(all.heldOut.places, [0, 1, 2]);
  // Equal logits are the first class, which one of three labels is.
  assert.equal(all.heldOut.accuracy, 1 / 3);
  assert.deepEqual([...all.folds.of], [0, 0, 1]);
});
