import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptsOf, MAX_ROUNDS } from './attempts.ts';
import { type DepthRound, roundText, STEP_NAMES } from './steps.ts';

/** What is tried where these are kept. */
function tried(isHurried: boolean, kept: readonly string[], rounds = MAX_ROUNDS): string[] {
  const attempts = attemptsOf(STEP_NAMES, { isHurried, rounds });
  let best: DepthRound | null = null;
  const names: string[] = [];
  for (let one = attempts.next(best); one; one = attempts.next(best)) {
    names.push(roundText(one));
    if (kept.includes(roundText(one))) best = one;
  }
  return names;
}

test('each depth is tried, then the best again for as long as that is kept, three times in all at most', () => {
  assert.deepEqual(tried(false, []), ['bias', 'last', 'all']);
  assert.deepEqual(tried(false, ['bias', 'last']), ['bias', 'last', 'all', 'last, round 2']);
  const every = ['last', 'all', 'all, round 2', 'all, round 3'];
  assert.deepEqual(tried(false, every), ['bias', ...every]);
  assert.deepEqual(tried(false, every, 1), ['bias', 'last', 'all'], 'where nothing but labels is learned from');
});

test('with little time the upper part comes first, then the whole, what is best again, and biases at last', () => {
  assert.deepEqual(tried(true, []), ['last', 'all', 'bias']);
  assert.deepEqual(tried(true, ['last']), ['last', 'all', 'last, round 2', 'bias']);
  assert.deepEqual(tried(true, ['last', 'all', 'all, round 2', 'bias']), [
    'last',
    'all',
    'all, round 2',
    'all, round 3',
    'bias',
    'bias, round 2',
  ]);
});
