import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../core/random.ts';
import { argMaxRows, correctRows, fitTemperature, meanCrossEntropy, softmaxRows } from './calibration.ts';
import { matrix, newSharedMatrix } from './matrix.ts';

test('softmax and cross-entropy by hand: logits ln 1, ln 3 are shares 1/4 and 3/4', () => {
  const logits = matrix(Float32Array.of(0, Math.log(3), Math.log(3), 0), 2, 2);
  const [a, b] = softmaxRows(logits).data as unknown as [number, number];
  assert.ok(Math.abs(a - 0.25) < 1e-6 && Math.abs(b - 0.75) < 1e-6);
  assert.ok(Math.abs(meanCrossEntropy(logits, [1, 1]) - (Math.log(4 / 3) + Math.log(4)) / 2) < 1e-6);
  assert.deepEqual([...argMaxRows(logits)], [1, 0]);
  assert.deepEqual([...correctRows(logits, [1, 1])], [1, 0]);
});

test('labels drawn from softmax(logits / 2.5) give back the temperature 2.5, and logits too small one below 1', () => {
  const random = seededRandom(3);
  for (const truth of [2.5, 0.4]) {
    const logits = newSharedMatrix(20_000, 4);
    for (let i = 0; i < logits.data.length; i++) logits.data[i] = 6 * random() - 3;
    const probabilities = softmaxRows(logits, truth);
    const labels = Int32Array.from({ length: logits.rows }, (_, r) => {
      let left = random();
      let c = 0;
      while (c < 3 && left >= probabilities.data[r * 4 + c]) left -= probabilities.data[r * 4 + c++];
      return c;
    });
    const found = fitTemperature(logits, labels);
    assert.ok(Math.abs(found / truth - 1) < 0.05, `${found}, expected about ${truth}`);
    for (const other of [found * 1.05, found / 1.05]) {
      assert.ok(meanCrossEntropy(logits, labels, other) > meanCrossEntropy(logits, labels, found));
    }
  }
});

test('labels that are always right ask for the least temperature, and large logits do not overflow', () => {
  const logits = matrix(Float32Array.of(900, -900, -900, 900), 2, 2);
  assert.ok(fitTemperature(logits, [0, 1]) < 20);
  assert.ok(softmaxRows(logits).data.every(Number.isFinite));
  assert.ok(Math.abs(fitTemperature(logits, [1, 0]) - 20) < 0.01);
});
