/**
 * The stage `label`: machine labels for every item of a task that nobody trusted has spoken on, from what a model thinks of
 * it. One file of probabilities is one shard.
 */
import { z } from 'zod';
import type { ItemId } from '../../core/ids.ts';
import type { Counts, StageDefinition, StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { argMaxRows } from '../../math/calibration.ts';
import type { NewLabel, VectorShard } from '../../store/store.ts';
import { type PredictionSet, predictionSpace, requirePredictionSet } from '../predictions.ts';
import { VECTOR_SHARD } from '../vector-shard.ts';
import { annotationOf } from './said.ts';

export const LABEL_SETTINGS = z.object({
  task: z.string(),
  /** Confidence that a label needs, 0 to 1. */
  threshold: z.number(),
});
export type LabelSettings = z.infer<typeof LABEL_SETTINGS>;

interface ShardResult {
  readonly labels: readonly NewLabel[];
  readonly counts: Counts;
}

export interface LabelContext extends Pick<Workspace, 'store' | 'vectors'> {
  readonly job: Pick<StageJob<LabelSettings>, 'settings' | 'runId'>;
  readonly set: PredictionSet;
  readonly audit: ReadonlySet<ItemId>;
}

export const labelStage: StageDefinition<LabelSettings, LabelContext, VectorShard, ShardResult> = {
  name: 'label',
  settings: LABEL_SETTINGS,
  shard: VECTOR_SHARD,

  async open(job) {
    const { store, vectors } = job.workspace;
    const { task } = job.settings;
    const set = await requirePredictionSet(store, task);
    return { store, vectors, job, set, audit: await store.auditedItems(task) };
  },

  async total({ store, set }) {
    return (await store.vectorShards(predictionSpace(set), set.items)).length;
  },

  async *plan({ store, set }) {
    yield* await store.vectorShards(predictionSpace(set), set.items);
  },

  async process(context, shard, eachItem) {
    const [result] = await eachItem([shard], (one) => labelsFrom(context, one));
    return result;
  },

  async commit({ store }, _shard, { labels, counts }) {
    if (labels.length > 0) await store.putLabels(labels, { replace: true });
    return counts;
  },
};

async function labelsFrom({ store, vectors, set, audit, job }: LabelContext, shard: VectorShard): Promise<ShardResult> {
  const { task, classNames } = set;
  const { threshold } = job.settings;
  const { runId } = job;
  const { ids, vectors: probabilities } = await vectors.read(shard);
  const known = await store.labelsOf(ids, task);
  const best = argMaxRows(probabilities);
  const labels: NewLabel[] = [];
  let unsure = 0;
  for (const [row, itemId] of ids.entries()) {
    const { kind } = annotationOf(known.get(itemId) ?? []);
    // A contradiction is a person's to settle.
    if (kind === 'class' || kind === 'none' || kind === 'contradiction') continue;
    const confidence = probabilities.data[row * classNames.length + best[row]];
    if (confidence < threshold) {
      if (!audit.has(itemId)) unsure++;
      continue;
    }
    const className = classNames[best[row]];
    labels.push({ itemId, task, className, present: true, origin: 'model', confidence, runId });
  }
  return { labels, counts: { labels: labels.length, unsure } };
}
