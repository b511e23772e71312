import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRecord } from '../../store/store.ts';
import { lastLearningCurves } from './last-learning-curve.ts';

const CURVE = { points: [], slope: 0.3, goal: 0.9, more: 40, moreInterval: [20, null], limit: 0.93 };

function run(id: string, startedAtMs: number, task: string, learningCurve: unknown): RunRecord {
  return {
    id,
    stage: 'teach rounds',
    status: 'done',
    settings: { task },
    modelKey: null,
    versions: {},
    seed: 0,
    threads: 1,
    startedAtMs,
    endedAtMs: startedAtMs,
    counts: {},
    metrics: { evaluation: { learningCurve } },
  };
}

const storeOf = (runs: readonly RunRecord[]) => ({
  runs: async ({ stage = '' } = {}) => runs.filter((one) => one.stage === stage),
});

test('the newest training of each task counts, also where it has no curve', async () => {
  const found = await lastLearningCurves(
    storeOf([
      run('r4', 40, 'part', null),
      run('r3', 30, 'class', { ...CURVE, more: 12 }),
      run('r2', 20, 'part', CURVE),
      run('r1', 10, 'class', CURVE),
    ]),
  );
  const tried = { search: false, fineTune: false };
  const want = { task: 'class', atMs: 30, tried, goal: 0.9, more: 12, moreInterval: [20, null], limit: 0.93 };
  assert.deepEqual(found, [want]);
});

test('what a training tried is told with its curve', async () => {
  const plain = run('r1', 10, 'class', CURVE);
  const metrics = { ...plain.metrics, backbones: [{}], fineTuningGate: { depths: [] } };
  const [found] = await lastLearningCurves(storeOf([{ ...plain, metrics }]));
  assert.deepEqual(found?.tried, { search: true, fineTune: true });
});

test('runs that recorded nothing of the kind are passed over', async () => {
  const failed = { ...run('r2', 20, 'class', CURVE), metrics: {} };
  assert.deepEqual(
    (await lastLearningCurves(storeOf([failed, run('r1', 10, 'class', CURVE)]))).map(({ atMs }) => atMs),
    [10],
  );
});
