import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRecord } from '../../store/store.ts';
import { notedTraining, type TrainingNote, trainingsUnderWay } from './training-note.ts';

const NOTE: TrainingNote = { what: 'images of a detector', done: 3, of: 9, remainingMs: null, atMs: 5 };
const COMPARING: TrainingNote = { what: 'methods of a classifier', compared: 1, remainingMs: null, atMs: 5 };
const PREPARING = {
  what: 'embedder',
  depth: 'last',
  round: 1,
  training: 1,
  of: 0,
  step: 0,
  ofSteps: 0,
  loss: null,
  remainingMs: null,
  atMs: 5,
} as const;

function run(id: string, task: string, status: RunRecord['status'], metrics: object): RunRecord {
  return {
    id,
    stage: 'teach rounds',
    status,
    settings: { task },
    modelKey: null,
    versions: {},
    seed: 0,
    threads: 1,
    startedAtMs: 0,
    endedAtMs: null,
    counts: {},
    metrics: { ...metrics },
  };
}

test('the newest run of a task says whether a training of it is under way, or was stopped', () => {
  const training = NOTE;
  const found = trainingsUnderWay([
    run('6', 'a', 'running', { training }),
    run('5', 'b', 'done', {}),
    run('4', 'b', 'interrupted', { training }),
    run('3', 'c', 'interrupted', { training }),
    run('2', 'd', 'failed', { training }),
    run('1', 'e', 'running', {}),
    run('0', 'f', 'interrupted', {}),
    run('-1', 'f', 'interrupted', { training }),
    run('-2', 'f', 'interrupted', { training }),
    run('-3', 'g', 'running', { training: COMPARING }),
    run('-4', 'h', 'interrupted', { training: COMPARING }),
    run('-5', 'h', 'interrupted', { training }),
    run('-6', 'i', 'interrupted', { training: { ...PREPARING, isFirst: true } }),
    run('-7', 'i', 'interrupted', { training }),
    run('-8', 'j', 'interrupted', { training: { ...PREPARING, isFirst: false } }),
    run('-9', 'j', 'interrupted', { training }),
  ]);
  assert.deepEqual(
    found.map(({ run: id, status }) => [id, status]),
    [
      ['6', 'running'],
      ['3', 'interrupted'],
      // One that was stopped before its first training left it as it was.
      ['-1', 'interrupted'],
      ['-3', 'running'],
      ['-5', 'interrupted'],
      ['-7', 'interrupted'],
      ['-8', 'interrupted'],
    ],
  );
});

test('what is noted is seldom written, but always at the end of a training', async () => {
  const written: unknown[] = [];
  let now = 0;
  const store = { noteRun: async (_: string, metrics: object) => void written.push(metrics) };
  let told = 0;
  const { onTraining: note, end } = notedTraining(store, 'r', { onTraining: () => void told++ }, () => now);
  // Two trainings of 10 steps, one a second, the first of which an earlier run had brought to step 4.
  for (let done = 5; done <= 20; done++) {
    now += 1000;
    const steps = ((done - 1) % 10) + 1;
    note(
      { step: 'last', round: 2 },
      { trained: Math.floor(done / 10), of: 2, steps, ofSteps: 10, loss: done === 20 ? Number.NaN : 1 },
    );
  }
  await end();
  assert.equal(told, 16);
  const trainings = written.map((metrics) => (metrics as { training?: TrainingNote }).training);
  const places = trainings.map((one) => one?.what === 'embedder' && [one.training, one.step, one.remainingMs]);
  // The first note is of the methods, at 0 s.
  assert.deepEqual(places.slice(0, 5), [false, [1, 6, 14_000], [1, 8, 12_000], [1, 10, 10_000], [2, 2, 8000]]);
  assert.deepEqual(trainings.at(-2), {
    what: 'embedder',
    depth: 'last',
    round: 2,
    training: 2,
    of: 2,
    step: 10,
    ofSteps: 10,
    loss: null,
    remainingMs: 0,
    atMs: 16_000,
  });
  assert.deepEqual(written.at(-1), {}, 'nothing is trained any more');
});

test('what is judged between two trainings is not taken for the time of their steps', async () => {
  const written: { training?: TrainingNote }[] = [];
  const store = { noteRun: async (_: string, metrics: object) => void written.push(metrics) };
  let now = 0;
  const { onAttempt, onTraining, end } = notedTraining(store, 'r', {}, () => now);
  const tried = { step: 'last', round: 1 } as const;
  onAttempt(tried);
  now += 300_000;
  const train = (trained: number) => {
    for (let steps = 1; steps <= 10; steps++) {
      now += 1000;
      onTraining(tried, { trained: trained + Number(steps === 10), of: 2, steps, ofSteps: 10, loss: 1 });
    }
  };
  train(0);
  now += 600_000;
  train(1);
  onAttempt({ step: 'last', round: 2 });
  await end();
  const embedder = written.flatMap(({ training: one }) => (one?.what === 'embedder' ? [one] : []));
  assert.deepEqual([embedder[0]?.ofSteps, embedder[0]?.isFirst], [0, true], 'the images are prepared');
  assert.deepEqual([embedder.at(-1)?.ofSteps, embedder.at(-1)?.isFirst], [0, false], 'of a further round too');
  const inSecond = embedder.filter(({ training, step }) => training === 2 && step < 10);
  assert.ok(inSecond.length > 2);
  for (const { step, remainingMs } of inSecond)
    assert.ok((remainingMs ?? 0) <= 1100 * (10 - step), `step ${step}: ${remainingMs}`);
});

test('before anything is trained, the methods that are compared are noted', async () => {
  const written: { training?: TrainingNote }[] = [];
  const store = { noteRun: async (_: string, metrics: object) => void written.push(metrics) };
  let now = 0;
  const { onStep, onTraining, end } = notedTraining(store, 'r', {}, () => now);
  const step = { method: 'base', folds: 3, accuracy: 1, loss: 0, temperature: 1, elapsedMs: 1 } as const;
  now = 3000;
  onStep(step);
  now = 6000;
  onTraining({ step: 'last', round: 1 }, { trained: 0, of: 4, steps: 1, ofSteps: 25, loss: 1 });
  now = 9000;
  onStep(step);
  await end();
  const told = written.map(({ training: one }) => (one?.what === 'methods of a classifier' ? one.compared : one?.what));
  assert.deepEqual(told, [0, 1, 'embedder', undefined]);
});

test('what an earlier run left of a training is noted before its next step', async () => {
  const written: { training?: TrainingNote }[] = [];
  const store = { noteRun: async (_: string, metrics: object) => void written.push(metrics) };
  const { onTakenOver, end } = notedTraining(store, 'r', {}, () => 5);
  const left = { of: 4, ofSteps: 25 };
  onTakenOver({ step: 'all', round: 1 }, { ...left, training: 2, steps: 25, isDone: true });
  onTakenOver({ step: 'all', round: 1 }, { ...left, training: 3, steps: 10, isDone: false });
  await end();
  const places = written.map(({ training: one }) => one?.what === 'embedder' && [one.training, one.step, one.loss]);
  assert.deepEqual(places, [false, [2, 25, null], [3, 10, null], false]);
});

test('the time left counts trainings, which have unequal numbers of steps', async () => {
  const written: { training?: TrainingNote }[] = [];
  const store = { noteRun: async (_: string, metrics: object) => void written.push(metrics) };
  let now = 0;
  const { onTraining, end } = notedTraining(store, 'r', {}, () => now);
  // The first with 4 steps of 10 s, the second with 8 of 5 s, and a third to come.
  for (const [trained, ofSteps] of [
    [0, 4],
    [1, 8],
  ] as const) {
    for (let steps = 1; steps <= ofSteps; steps++) {
      now += 40_000 / ofSteps;
      const done = trained + Number(steps === ofSteps);
      onTraining({ step: 'all', round: 1 }, { trained: done, of: 3, steps, ofSteps, loss: 1 });
    }
  }
  await end();
  assert.equal(written.at(-2)?.training?.remainingMs, 40_000);
});
