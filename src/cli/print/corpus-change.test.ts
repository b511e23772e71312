import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeText } from './corpus-change.ts';

test('what was done is said as one would say it, a mapping by its pairs, the first of many', () => {
  const said = (operation: string, given: Record<string, unknown>) => changeText({ operation, arguments: given });
  assert.equal(said('rename', { from: 'automobile', to: 'car' }), 'rename "automobile" to "car"');
  assert.equal(said('rename', { from: 'car', to: 'car' }), 'confirm the name "car"');
  assert.equal(said('merge', { names: ['cup', 'mug'], into: 'cup' }), 'merge "cup" + "mug" into "cup"');
  assert.equal(said('nest', { child: 'cup', parent: 'kitchen' }), 'put "cup" under "kitchen"');
  assert.equal(said('nest', { child: 'cup', parent: null }), 'put "cup" at the top');
  assert.equal(said('import', { entries: 12 }), 'take in a taxonomy of 12 classes');
  assert.equal(said('map', { mapping: { a: 'b', c: 'd' } }), 'rename "a" → "b", "c" → "d"');
  const mapping = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`unnamed-${i}`, `n${i}`]));
  assert.match(said('map', { mapping }), /^rename "unnamed-0" → "n0", .* and 2 more$/);
  assert.equal(said('constructor', { a: 1 }), 'constructor a 1', 'what a later version did');
});
