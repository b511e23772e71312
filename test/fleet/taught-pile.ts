/** A pile of which people said something, and all that is learned and predicted of it: in memory or in parts. */
import assert from 'node:assert/strict';
import { sha256Hex } from '../../src/core/ids.ts';
import { NONE_OF_THESE } from '../../src/core/labels.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Workspace } from '../../src/jobs/workspace.ts';
import { openPredictions } from '../../src/stages/predictions.ts';
import { withAllLabels } from '../../src/stages/teach/all-labels.ts';
import { type LabelledTask, labelledTaskOf, type TaskItems } from '../../src/stages/teach/items.ts';
import { itemsToLearnFrom } from '../../src/stages/teach/items-to-learn-from.ts';
import { labelTheRest, labelTheWhole, withAnswers } from '../../src/stages/teach/label-rest.ts';
import { learnRounds } from '../../src/stages/teach/learn-rounds.ts';
import type { ManyItemsOptions } from '../../src/stages/teach/many-items.ts';
import { predictWhole } from '../../src/stages/teach/predict-whole.ts';
import { taughtAccuracy } from '../../src/stages/teach/stated-accuracy.ts';
import { startRun } from '../contracts/store/fixtures.ts';
import { addEmbedded } from '../fixtures/embedded.ts';

export const ITEMS = 300;
const COLUMNS = 8;
export const KINDS = 3;
const THRESHOLD = 0.8;
const TASK = 'class';
export const IDS = Array.from({ length: ITEMS }, (_, n) => sha256Hex(`item ${n}`));

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
export async function taught(workspace: Workspace, spreadFrom: number, held: ManyItemsOptions = {}) {
  const { store, engine } = workspace;
  if ((await store.countImages()) === 0) await embedded(workspace);
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
