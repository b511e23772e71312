import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detections } from '../core/boxes.ts';
import { accept, acceptKeyOf, DEFAULT_ACCEPT_RULES } from './accept.ts';

const IMAGE = 'a'.repeat(64);
const NAMES = ['person', 'dog', 'cup'];

function detections(...rows: readonly (readonly [classIndex: number, score: number, ...box: number[]])[]): Detections {
  return {
    count: rows.length,
    boxes: Float32Array.from(rows.flatMap(([, , ...box]) => box)),
    scores: Float32Array.from(rows.map(([, score]) => score)),
    classes: Int32Array.from(rows.map(([index]) => index)),
  };
}

const FOUND = detections([0, 0.9, 0, 0, 10, 10], [1, 0.5, 0, 0, 100, 100], [0, 0.4, 5, 5, 9, 9], [2, 0.1, 1, 1, 4, 4]);

test('keeps what reaches the threshold of its class, and labels the image with every class kept', () => {
  const { regions, imageLabels } = accept(IMAGE, 'm', FOUND, NAMES, DEFAULT_ACCEPT_RULES);
  assert.deepEqual(
    regions.map((r) => r.className),
    ['person', 'dog', 'person'],
  );
  assert.deepEqual(
    imageLabels.map((l) => l.className),
    ['person', 'dog'],
  );
  const lower = accept(IMAGE, 'm', FOUND, NAMES, { ...DEFAULT_ACCEPT_RULES, classThresholds: { cup: 0.1, dog: 0.6 } });
  // 0.1 as a float32 is a little above 0.1, so the cup passes its own threshold.
  assert.deepEqual(
    lower.regions.map((r) => r.className),
    ['person', 'person', 'cup'],
  );
});

test('classes are chosen and mapped by their corpus names', () => {
  const rules = { ...DEFAULT_ACCEPT_RULES, mapping: { dog: 'animal' }, classes: ['animal'] };
  const { regions } = accept(IMAGE, 'm', FOUND, NAMES, rules);
  assert.deepEqual(
    regions.map((r) => r.className),
    ['animal'],
  );
});

test('the rules for image labels differ where the largest region is not the most confident', () => {
  const labels = (imageLabels: 'any' | 'most-confident' | 'largest-area') =>
    accept(IMAGE, 'm', FOUND, NAMES, { ...DEFAULT_ACCEPT_RULES, imageLabels }).imageLabels.map((l) => l.className);
  assert.deepEqual(labels('any'), ['person', 'dog']);
  assert.deepEqual(labels('most-confident'), ['person']);
  assert.deepEqual(labels('largest-area'), ['dog']);
});

test('region ids do not depend on the rules, so a changed threshold keeps identities', () => {
  const strict = accept(IMAGE, 'm', FOUND, NAMES, { ...DEFAULT_ACCEPT_RULES, threshold: 0.6 }).regions;
  const loose = accept(IMAGE, 'm', FOUND, NAMES, DEFAULT_ACCEPT_RULES).regions;
  assert.equal(strict.length, 1);
  assert.equal(strict[0]?.id, loose[0]?.id);
});

test('the key of the rules follows their content and not their order', () => {
  const a = acceptKeyOf(
    { ...DEFAULT_ACCEPT_RULES, classes: ['a', 'b'], classThresholds: { a: 0.1, b: 0.2 } },
    'objects',
  );
  const b = acceptKeyOf(
    { ...DEFAULT_ACCEPT_RULES, classes: ['b', 'a'], classThresholds: { b: 0.2, a: 0.1 } },
    'objects',
  );
  assert.equal(a, b);
  assert.notEqual(
    a,
    acceptKeyOf({ ...DEFAULT_ACCEPT_RULES, classes: ['a'], classThresholds: { a: 0.1, b: 0.2 } }, 'objects'),
  );
});
