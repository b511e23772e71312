/** What the numbers of hub detectors are called; COCO's official numbers as their table has them (1 to 90, ten unused). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COCO_CLASSES, COCO_NAMES } from '../../core/coco-classes.ts';
import { namedColumns } from './class-names.ts';

function inRow(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [String(i), name]));
}

const BY_NUMBER = COCO_CLASSES.map(([number]) => number);

test('names that fit the numbers one to one are taken as they are, in the words that are used here', () => {
  assert.deepEqual(namedColumns(inRow(['cat', 'dog']), 2), { names: ['cat', 'dog'] });
  const voc = COCO_NAMES.map((name) => (name === 'motorcycle' ? 'motorbike' : name));
  assert.deepEqual(namedColumns(inRow(voc), 80), { names: COCO_NAMES });
});

test('80 names of COCO for 90 or 91 numbers are its official ones', () => {
  assert.deepEqual(namedColumns(inRow(COCO_NAMES), 91), { names: COCO_NAMES, columns: BY_NUMBER });
  const fromZero = BY_NUMBER.map((number) => number - 1);
  assert.deepEqual(namedColumns(inRow(COCO_NAMES), 90), { names: COCO_NAMES, columns: fromZero });
});

test('numbers that are left out or named as nothing are no classes', () => {
  const labels = Object.fromEntries(COCO_CLASSES.map(([number, name]) => [String(number), name]));
  assert.deepEqual(namedColumns(labels, 91), { names: COCO_NAMES, columns: BY_NUMBER });
  const detr = inRow(Array.from({ length: 91 }, (_, i) => labels[i] ?? 'N/A'));
  assert.deepEqual(namedColumns(detr, 91), { names: COCO_NAMES, columns: BY_NUMBER });
});

test('names that do not fit the numbers are refused', () => {
  assert.equal(namedColumns(inRow(['cat', 'dog', 'cow']), 2), undefined);
  assert.equal(namedColumns(inRow(['cat', 'dog']), 5), undefined);
  assert.equal(namedColumns(undefined, 2), undefined);
  assert.equal(namedColumns({}, 2), undefined);
});
