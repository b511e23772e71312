/** When schedules are due, in a time zone with a change of the clock; expected times are read off a calendar. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowStage } from './flow.ts';
import { newScheduleState, runScheduleOnce } from './schedule.ts';
import { timesText, untilNext } from './times.ts';

const MINUTE = 60_000;
const local = (day: number, hours: number, minutes = 0) => new Date(2026, 10, day, hours, minutes).getTime();

test('every: at once where it never ran, then from one beginning to the next, whatever the clock does', () => {
  const every = 5 * MINUTE;
  assert.equal(untilNext({ every }, undefined, 1e12), 0);
  assert.equal(untilNext({ every }, 1e12, 1e12 + MINUTE), 4 * MINUTE);
  assert.equal(untilNext({ every }, 1e12, 1e12 + 60 * MINUTE), 0);
  assert.equal(untilNext({ every }, 1e12, 1e12 - 1000 * MINUTE), every, 'a clock that was set back');
});

test('at: the next time of day, on the days that are named', () => {
  const at = 2 * 60 + 30;
  assert.equal(untilNext({ at }, undefined, local(26, 1, 30)), 60 * MINUTE);
  assert.equal(untilNext({ at }, undefined, local(26, 2, 30)), local(27, 2, 30) - local(26, 2, 30));
  // 26 November 2026 is a Thursday.
  assert.equal(untilNext({ at, on: ['thu'] }, undefined, local(26, 3)), local(33, 2, 30) - local(26, 3));
  assert.equal(untilNext({ at, on: ['sat', 'sun'] }, undefined, local(26, 3)), local(28, 2, 30) - local(26, 3));
});

test('times in words', () => {
  assert.equal(timesText({ every: 90_000 }), 'every 90s');
  assert.equal(timesText({ every: 2 * 3_600_000 }), 'every 2h');
  assert.equal(timesText({ at: 150, on: ['mon', 'tue'] }), 'at 02:30 on mon, tue');
});

test('a stage that fails ends this time, is told, and those after it are left out', async () => {
  const schedule = {
    name: 'now',
    every: 1000,
    run: [
      { stage: 'push', to: 'a' },
      { stage: 'push', to: 'b' },
    ],
  } as const;
  const state = newScheduleState(schedule, undefined);
  const seen: string[] = [];
  const effects = {
    now: () => 5,
    openWorkspace: () => Promise.reject(new Error('not wanted')),
    onLine() {},
    onWarn() {},
    inTurn: (work: () => Promise<void>) => work(),
    async runStage(stage: FlowStage) {
      seen.push('to' in stage ? stage.to : stage.stage);
      if (seen.length === 1) throw new Error('no room');
      return { files: 1 };
    },
  };
  const { signal } = new AbortController();
  await assert.rejects(runScheduleOnce(schedule, state, effects, signal), /no room/);
  assert.deepEqual([seen, state.failures, state.lastError, state.state], [['a'], 1, 'push: no room', 'waiting']);
  await runScheduleOnce(schedule, state, effects, signal);
  assert.deepEqual([seen, state.runs, state.lastError], [['a', 'a', 'b'], 2, null]);
  assert.deepEqual(state.counts, [
    { stage: 'push', counts: { files: 1 } },
    { stage: 'push', counts: { files: 1 } },
  ]);
});
