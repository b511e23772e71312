import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panned, placeAt, zoomed } from './view.ts';

test('what is under the pointer stays there when it is zoomed, and goes along when it is moved', () => {
  const view = { scale: 2, x: 30, y: -10 };
  const at = { x: 130, y: 50 };
  assert.deepEqual(placeAt(view, at), { x: 50, y: 30 });
  const near = zoomed(view, 1.5, at);
  assert.equal(near.scale, 3);
  assert.deepEqual(placeAt(near, at), { x: 50, y: 30 });
  assert.deepEqual(placeAt(panned(near, 7, -4), { x: 137, y: 46 }), { x: 50, y: 30 });
});
