import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from './client.ts';
import { saidOfCell } from './said.ts';

const label = (className: string, origin: 'model' | 'human' = 'model') => {
  return { task: 'class', className, present: true, origin, confidence: 0.5, runId: null, annotator: null };
};
const cell: Cell = { itemId: 'a', imageId: 'a', revision: 1, file: 'a.jpg', labels: [label('cat')], rejected: ['dog'] };
const names = ({ labels, rejected }: Cell) => [labels.map(({ className }) => className), rejected];

test('a class takes the place of the machine’s, and is not rejected any more', () => {
  const said = saidOfCell(cell, { task: 'class', className: 'dog', present: true });
  assert.deepEqual(names(said), [['dog'], []]);
  assert.equal(said.labels[0]?.origin, 'human');
});

test('where several may hold, the others stay', () => {
  assert.deepEqual(names(saidOfCell(cell, { task: 'class', className: 'dog', present: true }, 'multi')), [
    ['dog', 'cat'],
    [],
  ]);
});

test('"not this" takes it away, "none of these" takes all', () => {
  assert.deepEqual(names(saidOfCell(cell, { task: 'class', className: 'cat', present: false })), [[], ['dog', 'cat']]);
  const none = saidOfCell(cell, { task: 'class', className: '(none of these)', present: true });
  assert.deepEqual(names(none), [[], ['(none of these)']]);
});
