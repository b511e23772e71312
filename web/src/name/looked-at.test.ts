import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOfCluster } from './looked-at.ts';

test('another cluster that has the number of one that was looked at was not looked at', () => {
  const lookedAt = new Set([keyOfCluster({ name: 'unnamed-1', exemplars: ['a', 'b'] })]);
  assert.ok(lookedAt.has(keyOfCluster({ name: 'unnamed-1', exemplars: ['a', 'b'] })));
  assert.ok(!lookedAt.has(keyOfCluster({ name: 'unnamed-1', exemplars: ['c', 'd'] })));
});
