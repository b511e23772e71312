import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loneLast } from './label-errors.ts';

test('nothing is said of a class whose examples are one picture, or copies of one', () => {
  const doubt = (n: number, className: string, origin: 'human' | 'model' = 'human') => ({
    itemId: String(n).repeat(64),
    className,
    origin,
    flagged: true,
    judged: true,
  });
  const errors = [
    doubt(0, 'cup'),
    doubt(1, 'cup'),
    doubt(2, 'fork'),
    doubt(3, 'bowl'),
    doubt(4, 'bowl'),
    doubt(5, 'fork', 'model'),
  ];
  const groupOf = new Map(
    errors.slice(0, 5).map(({ itemId, className }, i) => [itemId, className === 'cup' ? 'copies' : `g${i}`]),
  );
  const told = loneLast(errors, groupOf).map(({ itemId, flagged, judged }) => [
    errors.findIndex((one) => one.itemId === itemId),
    flagged,
    judged,
  ]);
  assert.deepEqual(told, [
    [3, true, true],
    [4, true, true],
    [5, true, true],
    [0, false, false],
    [1, false, false],
    [2, false, false],
  ]);
});
