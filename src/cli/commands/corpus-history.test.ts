import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsText } from './corpus-history.ts';

test('a change of the classes is told in words', () => {
  assert.equal(argumentsText({ from: 'automobile', to: 'car' }), 'from automobile, to car');
  assert.equal(argumentsText({ names: ['cup', 'mug'], into: 'cup' }), 'names cup + mug, into cup');
  assert.equal(argumentsText({ mapping: { a: 'b', c: 'd' } }), 'a → b, c → d');
});

test('of many pairs the first are told, and how many more there are', () => {
  const mapping = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`unnamed-${i}`, `n${i}`]));
  assert.match(argumentsText({ mapping }), /^unnamed-0 → n0, .* and 2 more$/);
});
