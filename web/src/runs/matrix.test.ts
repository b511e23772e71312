import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrixOf } from './matrix.ts';

test('rows add up to what is of a class; what was not stored is told apart', () => {
  const classes = [
    { className: 'dog', groundTruth: 10, recall: 0.7 },
    { className: 'cat', groundTruth: 3, recall: 1 / 3 },
  ];
  const confusions = [
    { truth: 'dog', predicted: 'cat', count: 2, examples: ['a', 'b'] },
    { truth: 'cat', predicted: 'bird', count: 2, examples: ['c'] },
  ];
  const rows = matrixOf(classes, confusions);
  assert.deepEqual(
    rows.map(({ truth, groundTruth, cells, elsewhere }) => [
      truth,
      groundTruth,
      cells.map(({ count }) => count),
      elsewhere,
    ]),
    [
      ['bird', 0, [0, 0, 0], 0],
      ['cat', 3, [2, 1, 0], 0],
      ['dog', 10, [0, 2, 7], 1],
    ],
  );
  assert.deepEqual(rows[2]?.cells[1], { predicted: 'cat', count: 2, examples: ['a', 'b'] });
  assert.deepEqual(matrixOf([], []), []);
});
