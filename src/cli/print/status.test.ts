import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingNote } from '../../stages/teach/training-note.ts';
import { createOutput } from '../output.ts';
import { type PrintedStatus, printStatus } from './status.ts';
import { trainingText } from './training.ts';

const SUMMARY: PrintedStatus['summary'] = {
  images: 2,
  goneImages: 0,
  schemaVersion: 1,
  groups: 2,
  paths: 2,
  duplicatePaths: 0,
  missingPaths: 0,
  similarPairs: 0,
  regions: 4,
  classes: 2,
  emptyClasses: 0,
  flags: {},
  labels: { imported: 4 },
  quarantined: {},
};

function printed(parts: Partial<PrintedStatus>): string {
  const lines: string[] = [];
  const stdout = { isTTY: false, columns: 120, write: (text: string) => lines.push(text) };
  printStatus(createOutput({ json: false, quiet: false }, stdout, stdout), 'w', {
    summary: SUMMARY,
    sources: [],
    goneSources: [],
    runs: [],
    deadShards: [],
    learningCurves: [],
    trainings: [],
    accuracy: [],
    tasksOfBoxes: new Set<string>(),
    ...parts,
  });
  return lines.join('');
}

const labels = (task: string, numbers: object) => ({
  task,
  machine: 0,
  imported: 0,
  people: 0,
  figures: [],
  newImages: null,
  outdated: null,
  ...numbers,
});

test('boxes that came with a file and nobody looked at: what comes next, for their task', () => {
  const tasksOfBoxes = new Set(['objects', 'parts']);
  const text = printed({ tasksOfBoxes, accuracy: [labels('parts', { imported: 4 })] });
  assert.match(text, /labelsmith audit parts --origin imported/);
  assert.match(text, /labelsmith review {2}/);
  assert.match(text, /labelsmith teach detector --task parts {2}/);
  assert.match(text, /labelsmith discover --items regions --task kinds {2}/);
  const silent = [labels('parts', { imported: 4, people: 1 }), labels('class', { imported: 4 })];
  assert.doesNotMatch(printed({ tasksOfBoxes, accuracy: silent }), /Next:/);
});

test('how many more labels, as the last training of the task said it', () => {
  const curve = {
    goal: 0.9,
    more: 1200,
    moreInterval: [300, null] as const,
    limit: 0.93,
    atMs: 0,
    tried: { search: false, fineTune: true },
  };
  const accuracy = [labels('class', { people: 9 }), labels('part', { people: 9 })];
  const text = printed({ accuracy, learningCurves: [{ ...curve, task: 'part' }] });
  assert.match(
    text,
    /Task part: .*\n {4}As of the training of 1970-01-01: For 90 %, about 1,200 more labels like these \(95 %: at least 300; perhaps it is out of reach\)\.\n/,
  );
  assert.equal(text.split('As of the training').length, 2);
  const outOfReach = { ...curve, task: 'class', more: null, moreInterval: null, limit: 0.81 };
  const advised = printed({ accuracy, learningCurves: [outOfReach] });
  assert.match(advised, /90 % is out of reach .*: about 81 % if all/);
  assert.doesNotMatch(advised, /--fine-tune/, 'that training tried it');
  assert.doesNotMatch(printed({ accuracy, learningCurves: [{ ...outOfReach, more: 0 }] }), /As of/);
});

test('a training that is under way, and one that was stopped', () => {
  const atMs = Date.UTC(2026, 10, 28, 19, 36, 4);
  const training = {
    what: 'embedder',
    depth: 'all',
    round: 2,
    training: 2,
    of: 4,
    step: 8,
    ofSteps: 78,
    loss: 0.5,
    atMs,
  } as const;
  const of = { run: 'r', stage: 'teach rounds', task: 'class', training: { ...training, remainingMs: 80_000 } };
  assert.deepEqual(trainingText({ ...of, status: 'running' }, atMs + 12_000), [
    'Under way: teach rounds of the task class, as of 12 s ago.',
    '  The embedder is trained (all, round 2): training 2 of 4, without fold 2 of 3, step 8 of 78, loss 0.500, about 1 min 20 s left of this depth',
  ]);
  const judging = { ...training, training: 3, step: 78, remainingMs: 80_000 } as const;
  assert.match(
    trainingText({ ...of, training: judging, status: 'running' }, atMs)[1] ?? '',
    /step 78 of 78, loss 0\.500; what came of it is judged$/,
  );
  const preparing = { ...training, training: 1, of: 0, step: 0, ofSteps: 0, loss: null, remainingMs: null } as const;
  assert.equal(
    trainingText({ ...of, training: preparing, status: 'running' }, atMs)[1],
    '  The embedder is to be trained (all, round 2): the images are prepared',
  );
  const comparing = { what: 'methods of a classifier', compared: 1, remainingMs: null, atMs } as const;
  assert.equal(
    trainingText({ ...of, training: comparing, status: 'running' }, atMs)[1],
    '  Methods are compared on the embedder as it is: 1 method done',
  );
  const stoppedAt = (one: TrainingNote) => trainingText({ ...of, training: one, status: 'interrupted' })[1] ?? '';
  assert.match(stoppedAt(judging), /step 78 of 78, loss 0\.500; the same command goes on at most ten steps before/);
  assert.match(stoppedAt(preparing), /the images are prepared; the same command goes on there$/);
  const stopped = printed({ trainings: [{ ...of, status: 'interrupted' }] });
  assert.match(stopped, /Stopped: teach rounds of the task class, at 2026-11-28 19:36:04\./);
  assert.match(stopped, /step 8 of 78, loss 0\.500; the same command goes on at most ten steps before, if the labels/);
});

test('a part of a stage is no whole stage', () => {
  const run = {
    id: 'a',
    stage: 'detect',
    status: 'done',
    startedAtMs: 0,
    endedAtMs: 1000,
    metrics: {},
    settings: {},
  } as const;
  const counts = { shards: 5, items: 13, part: 1, parts: 3, doneOfAllParts: 5, shardsOfAllParts: 14 };
  const text = printed({ runs: [{ ...run, modelKey: null, seed: 0, threads: 1, versions: {}, counts }] });
  assert.match(text, / part 1\/3, 5 shards, 13 items, of all parts 5 of 14 shards\n/);
});
