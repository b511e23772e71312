/** What is learned from and predicted in parts, against the same with every vector in memory. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRun } from '../../../test/contracts/store/fixtures.ts';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { seededRandom } from '../../core/random.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { openPredictions } from '../predictions.ts';
import { withAllLabels } from './all-labels.ts';
import { type LabelledTask, labelledTaskOf, type TaskItems } from './items.ts';
import { itemsToLearnFrom } from './items-to-learn-from.ts';
import { labelTheRest, labelTheWhole, withAnswers } from './label-rest.ts';
import { learnRounds } from './learn-rounds.ts';
import type { ManyItemsOptions } from './many-items.ts';
import { predictWhole } from './predict-whole.ts';
import { taughtAccuracy } from './stated-accuracy.ts';

const ITEMS = 300;
const COLUMNS = 8;
const KINDS = 3;
const THRESHOLD = 0.8;
const TASK = 'class';
const IDS = Array.from({ length: ITEMS }, (_, n) => sha256Hex(`item ${n}`));

/** Near the axis of one of three kinds; people said something of a quarter, and pairs of items are of one group. */
async function embedded({ store, dir, vectors }: Workspace): Promise<void> {
  const random = seededRandom(4);
  const items = IDS.map((id, n) => ({
    id,
    path: `/photos/${n}.jpg`,
    vector: Array.from({ length: COLUMNS }, (_, j) => Number(j === n % KINDS) + 1.2 * random()),
  }));
  await addEmbedded(store, dir, items, vectors);
  await store.putGroups(new Map(IDS.flatMap((id, n) => (n % 10 === 3 ? [[IDS[n - 3], id] as const] : []))));
  await store.ensureTask({ name: TASK, rule: 'single', items: 'images' });
  const said = (n: number, className: string, present = true) =>
    ({ itemId: IDS[n], task: TASK, className, present, origin: 'human', confidence: 1, runId: null }) as const;
  const labels = IDS.flatMap((_, n) => {
    if (n % 4 === 0) return [said(n, `kind-${n % KINDS}`)];
    if (n % 50 === 1) return [said(n, NONE_OF_THESE)];
    return n % 50 === 2 ? [said(n, `kind-${(n + 1) % KINDS}`, false)] : [];
  });
  await store.putLabels(labels);
  await store.holdOut({ task: TASK, atMs: 0, seed: 0, items: IDS.slice(200, 260) });
}

/** All that learning left, and what it said. @param spreadFrom items from which it is done in parts */
async function taught(workspace: Workspace, spreadFrom: number, held: ManyItemsOptions = {}) {
  const { store, engine } = workspace;
  await embedded(workspace);
  const run = { seed: 5, threads: 1 };
  const items = await itemsToLearnFrom(workspace, { ...run, task: TASK, spreadFrom, held });
  const labelledTask = labelledTaskOf(items);
  const { problem } = labelledTask;
  const runId = await startRun(store, 'teach rounds');
  const job = { ...run, workspace, runId, settings: { task: TASK, threshold: THRESHOLD } };
  const outcome = await engine.withInference(run, async (pool) => {
    const ofSome = await learnRounds(pool, problem, { seed: 5, methods: [], folds: 3 });
    const learned = await withAllLabels(job, pool, items, labelledTask, ofSome);
    const { probabilities } = learned;
    withAnswers(probabilities, items, labelledTask.classNames);
    const question = { items, labelledTask, probabilities, threshold: THRESHOLD, labelRest: true, picked: false };
    const { whole } = items;
    if (!whole) {
      const rest = await labelTheRest(job, items, labelledTask, { probabilities, key: 'whole' });
      return { rest, stated: taughtAccuracy(question), learned };
    }
    const how = { threshold: THRESHOLD, withAnswers: true, keeps: true };
    const pile = await predictWhole(job, pool, { ...items, whole }, labelledTask, learned, how);
    assert.ok(pile.set);
    const rest = await labelTheWhole(job, pile.set);
    const all = { ...pile, annotations: whole.said.annotations.values() };
    return { rest, stated: taughtAccuracy({ ...question, whole: all }), learned };
  });
  await store.finishRun(runId, { status: 'done', counts: {} });
  const found = await (await openPredictions(workspace, TASK))?.probabilities(IDS);
  const labels = await store.labelsOf(IDS, TASK);
  return {
    items: partOf(items),
    problem: problemOf(labelledTask, items),
    rest: outcome.rest,
    stated: outcome.stated,
    trials: outcome.learned.trials,
    method: outcome.learned.method,
    steps: outcome.learned.steps.map(({ elapsedMs: _, ...step }) => step),
    logits: Float32Array.from(outcome.learned.heldOut.logits.data),
    predicted: IDS.map((id) => found?.get(id)),
    labels: IDS.map((id) =>
      labels.get(id)?.map(({ className, origin, confidence }) => [className, origin, confidence]),
    ),
  };
}

function partOf({ ids, features, groups, annotations, whole }: TaskItems) {
  const numbers = Float32Array.from(features.data);
  return {
    ids,
    numbers,
    groups,
    annotations,
    labels: whole?.learnable.length,
    learned: whole?.learned,
    count: whole?.count,
  };
}

function problemOf({ problem: { labelled, labels } }: LabelledTask, { ids }: TaskItems) {
  return { labelled: Array.from(labelled, (row) => ids[row]), labels };
}

type Taught = Awaited<ReturnType<typeof taught>>;

async function onThisMachine(spreadFrom: number, held?: Parameters<typeof taught>[2]): Promise<Taught> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-many-items-'));
  const workspace = await openWorkspace(join(dir, 'workspace'), { create: true, engine: localEngine() });
  try {
    return await taught(workspace, spreadFrom, held);
  } finally {
    await workspace.close();
    await rm(dir, { recursive: true, force: true });
  }
}

test('in parts, with room for all: what it comes to with every vector in memory', async () => {
  const [all, parts] = [await onThisMachine(Number.POSITIVE_INFINITY), await onThisMachine(1)];
  const { labels, learned, count, ...items } = parts.items;
  const { labels: _, learned: __, count: ___, ...whole } = all.items;
  assert.deepEqual(items, whole);
  assert.deepEqual([labels, learned, count], [all.problem.labels.length, all.problem.labels.length, ITEMS]);
  assert.deepEqual(parts.problem, all.problem);
  assert.deepEqual(parts.trials, all.trials);
  assert.deepEqual(parts.rest, all.rest);
  assert.ok(parts.rest.labels > 50 && parts.rest.unsure > 0, JSON.stringify(parts.rest));
  assert.deepEqual(parts.labels, all.labels);
  assert.deepEqual(parts.predicted, all.predicted);
  const { newImages, labels: stated } = parts.stated;
  assert.ok(newImages && stated && all.stated.newImages && all.stated.labels);
  assert.deepEqual([stated.machine, stated.people], [all.stated.labels.machine, all.stated.labels.people]);
  // Sums of files, and not of items one after the other.
  assert.ok(Math.abs(newImages.accuracy - all.stated.newImages.accuracy) < 1e-12);
  assert.ok(Math.abs(stated.accuracy - all.stated.labels.accuracy) < 1e-12);
});

test('with room for few: all that people spoke of and others at random, the lowest lots of all; every item is predicted', async () => {
  const few = await onThisMachine(1, { most: 90 });
  const { ids, annotations, learned = 0 } = few.items;
  const open = ids.filter((_, row) => annotations[row].kind === 'nothing' && !IDS.slice(200, 260).includes(ids[row]));
  assert.equal(open.length, 90 - learned);
  assert.ok(few.predicted.every((row) => row !== undefined));
});

/** Of whose labels some alone are in memory; each four files are summed up by themselves. */
const SOME = { most: 90, mostLabels: 36, itemsAPart: 80 };

test('of too many labels some are drawn, ten of each class or more; the others count as said, and in sums', async () => {
  const some = await onThisMachine(1, SOME);
  assert.equal(some.items.learned, 36);
  assert.equal(some.problem.labels.length, 36);
  for (let kind = 0; kind < KINDS; kind++)
    assert.ok(some.problem.labels.filter((label) => label === kind).length >= 10);
  const all = await onThisMachine(1);
  assert.equal(some.items.labels, all.problem.labels.length);
  assert.equal(some.stated.labels?.people, all.stated.labels?.people);
  for (const [n, given] of some.labels.entries())
    if (n % 4 === 0)
      assert.ok(
        given?.every(([, origin]) => origin === 'human'),
        'no machine labels it',
      );
});
