import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release } from './release.ts';

test('memory is given back where the bytes are all of it, and only there', () => {
  const whole = new Uint8Array(1000);
  release(whole);
  assert.deepEqual([whole.byteLength, whole.buffer.detached], [0, true]);

  const larger = new Uint8Array(1000).fill(7);
  release(larger.subarray(0, 999));
  assert.equal(larger[0], 7);

  // Small Buffers are parts of one pool.
  const small = Buffer.from('of a pool');
  release(small);
  assert.equal(small.toString(), 'of a pool');

  const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(7);
  release(shared);
  assert.equal(shared[7], 7);

  release(new Uint8Array(0));
});
