import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startingTask } from './starting-task.ts';

test('pages begin with the task class, and with another where only that has labels', () => {
  const of = (...counts: readonly [task: string, count: number][]) => ({
    counts: counts.map(([task, count]) => ({ task, count })),
  });
  assert.equal(startingTask([]), 'class');
  assert.equal(startingTask([of(['class', 1], ['objects', 90])]), 'class');
  assert.equal(startingTask([of(['objects', 9]), of(['class', 0], ['colour', 4], ['objects', 1])]), 'objects');
  assert.equal(startingTask([of(['b', 2]), of(['a', 2])]), 'a', 'of as many, by name');
  assert.equal(startingTask([of(['objects', 0])]), 'class');
});
