import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSharedMatrix } from '../../src/math/matrix.ts';
import { drawPiles } from './draw.ts';

test('mixtures of the only two sets are drawn, with no junk', () => {
  const sets = ['a', 'b'].map((name) => {
    const classes = Int32Array.from({ length: 40 }, (_, row) => row % 4);
    const classNames = ['one', 'two', 'three', 'four'];
    return [name, { name, classes, classNames, vectors: newSharedMatrix(40, 2), copies: [], views: [] }] as const;
  });
  const mixtures = drawPiles(new Map(sets), 0).filter(({ kind }) => kind === 'mixture');
  assert.equal(mixtures.length, 4);
  for (const { truth, items } of mixtures) {
    assert.ok(items.length > 0);
    assert.ok(truth.every((label) => label >= 0));
  }
});
