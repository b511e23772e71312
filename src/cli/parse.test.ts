import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { fraction, nameList, size, thresholds, wholeNumber } from './parse.ts';

const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof LabelsmithError && error.code === 'USAGE' && pattern.test(error.message);

test('whole numbers', () => {
  const parse = wholeNumber('--limit', 1);
  assert.equal(parse('12'), 12);
  for (const bad of ['0', '-1', '1.5', '', ' ', 'ten', '1e400', 'NaN']) {
    assert.throws(() => parse(bad), usage(/--limit takes a whole number of at least 1/), bad);
  }
});

test('fractions', () => {
  assert.deepEqual(['0', '0.25', '.5', '1'].map(fraction('--margin')), [0, 0.25, 0.5, 1]);
  for (const bad of ['1.01', '-0.1', '', 'NaN', '50%']) {
    assert.throws(() => fraction('--margin')(bad), usage(/--margin takes a number from 0 to 1/), bad);
  }
});

test('lists of names keep their order and lose the spaces around the names', () => {
  assert.deepEqual(nameList('--classes')('dog, hot dog ,cat'), ['dog', 'hot dog', 'cat']);
  assert.throws(() => nameList('--classes')('dog,,cat'), usage(/--classes/));
});

test('thresholds for all classes, for some, and for both', () => {
  const parse = thresholds('--threshold');
  assert.deepEqual(parse('0.4'), { default: 0.4, classes: {} });
  assert.deepEqual(parse('person=0.5,hot dog=.2'), { default: undefined, classes: { person: 0.5, 'hot dog': 0.2 } });
  assert.deepEqual(parse('0.4, person=0.5'), { default: 0.4, classes: { person: 0.5 } });
  for (const bad of ['1.5', 'person=2', 'person', '', '=0.5', '0.4,,']) {
    assert.throws(() => parse(bad), usage(/--threshold/), bad);
  }
});

test('sizes', () => {
  assert.deepEqual(size('--input-size')('416x320'), { width: 416, height: 320 });
  for (const bad of ['416', '0x416', 'x', '416x416x3'])
    assert.throws(() => size('--input-size')(bad), usage(/WIDTHxHEIGHT/));
});
