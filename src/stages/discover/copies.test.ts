import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../../core/ids.ts';
import type { SimilarPair } from '../../store/store.ts';
import { copiesIn } from './copies.ts';

const [a, b, c, d, e, alone] = ['a', 'b', 'c', 'd', 'e', 'alone'].map((name) => sha256Hex(name));

const pairs = (...found: [string, string, SimilarPair['kind']][]) => ({
  async *similarPairs() {
    for (const [one, other, kind] of found) yield [{ a: one, b: other, kind, distance: 1 }];
  },
});

test('near-duplicates and copies of one picture are one set; frames of a burst or a sequence are not', async () => {
  const store = pairs(
    [a, b, 'near-duplicate'],
    [c, d, 'near-duplicate'],
    [b, c, 'copy'],
    [d, e, 'sequence'],
    [a, e, 'burst'],
  );
  const { setOf } = await copiesIn(store, 'images');
  assert.deepEqual(new Set([a, b, c, d].map(setOf)).size, 1);
  assert.notEqual(setOf(a), undefined);
  assert.deepEqual([setOf(e), setOf(alone)], [undefined, undefined]);
  assert.equal((await copiesIn(store, 'regions')).setOf(a), undefined);
});
