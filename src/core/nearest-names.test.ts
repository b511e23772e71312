import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COCO_CLASSES } from './coco-classes.ts';
import { nearestNames } from './nearest-names.ts';

const NAMES = COCO_CLASSES.map(([, name]) => name);

for (const [said, meant] of [
  ['persn', 'person'],
  ['Person', 'person'],
  ['cars', 'car'],
  ['light', 'traffic light'],
  ['cellphone', 'cell phone'],
  ['bycicle', 'bicycle'],
] as const) {
  test(`${said} is nearest to ${meant}`, () => assert.equal(nearestNames(said, NAMES)[0], meant));
}

test('a name like none has no neighbours', () => assert.deepEqual(nearestNames('xylophone', NAMES), []));

test('of one letter, another one is no neighbour', () => {
  assert.deepEqual(nearestNames('t', ['d', 'm', 'T', 'to']), ['T', 'to']);
});
