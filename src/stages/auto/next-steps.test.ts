import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherLevel } from './next-steps.ts';

test('the level proposed is the next finer than the one that is cut at, else the next coarser, and one that there is', () => {
  assert.equal(otherLevel([2, 14, 43], 14), 3);
  assert.equal(otherLevel([2, 14, 43], 2), 2);
  assert.equal(otherLevel([2, 14, 43], 43), 2);
  assert.equal(otherLevel([14, 43], 43), 1);
  // Of --k 20, which is none of them.
  assert.equal(otherLevel([2, 14, 43], 20), 3);
});
