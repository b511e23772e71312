/**
 * The stage `predict`: a trained classifier on files that need not be in any workspace, by the workers of one. What comes of a shard
 * goes to the process that runs it, in the order of the source; nothing of it is in the record afterwards.
 */
import { z } from 'zod';
import { archiveCacheOf } from '../../jobs/image-reader.ts';
import type { StageDefinition, StageJob } from '../../jobs/stage.ts';
import { createReader, type PathReader } from '../../sources/reader.ts';
import type { Source } from '../../sources/source.ts';
import { LISTED, type Listed, pathBytesOf } from '../listed.ts';
import { halvesOf, poisonous } from '../poison.ts';
import type { RunningClassifier } from './classify-stage.ts';
import { openHeldClassifier } from './held-classifier.ts';
import { type FilePrediction, filePrediction, predictRead } from './predict.ts';
import { type PredictShard, shardsOfSource } from './predict-shards.ts';

export const PREDICT_SETTINGS = z.strictObject({
  /** The classifier's key, which names its file's content. */
  classifier: z.string(),
  /** Below this confidence the class is empty. */
  threshold: z.number(),
});
export type PredictSettings = z.infer<typeof PREDICT_SETTINGS>;

const PREDICT_SHARD = z.strictObject({
  from: z.int(),
  files: z.array(z.strictObject({ file: z.string(), item: LISTED })).readonly(),
});

export interface PredictContext {
  readonly job: Pick<StageJob<PredictSettings>, 'settings' | 'shardSize' | 'limit'>;
  readonly classifier: RunningClassifier;
  readonly reader: PathReader;
  /** In the process that runs the stage. */
  readonly source?: Pick<Source, 'spec' | 'list'>;
  /** Asked of each shard whether it is done already. */
  readonly isDone?: (shard: PredictShard) => boolean;
  readonly onPredicted?: (shard: PredictShard, predictions: readonly FilePrediction[]) => Promise<void>;
}

export function predictContext(
  job: StageJob<PredictSettings>,
  classifier: RunningClassifier,
  given: Pick<PredictContext, 'source' | 'isDone' | 'onPredicted'> = {},
): PredictContext {
  return { ...given, job, classifier, reader: createReader({ archiveCache: archiveCacheOf(job.workspace.dir) }) };
}

export const predictStage: StageDefinition<PredictSettings, PredictContext, PredictShard, readonly FilePrediction[]> = {
  name: 'predict',
  settings: PREDICT_SETTINGS,
  shard: PREDICT_SHARD,
  fingerprint: ({ classifier }) => classifier.key,

  poison: {
    halves(shard) {
      const parts = halvesOf(shard.files);
      return (
        parts && [
          { from: shard.from, files: parts[0] },
          { from: shard.from + parts[0].length, files: parts[1] },
        ]
      );
    },
    async putAside({ onPredicted }, shard, reason) {
      const { message } = poisonous('predict', reason);
      const failed = shard.files.map(({ file }) => ({ kind: 'failed', file, message }) as const);
      await onPredicted?.(shard, failed);
      return { failed: failed.length };
    },
  },

  async open(job) {
    return predictContext(job, await openHeldClassifier(job.workspace.blobs, job.settings.classifier, job));
  },

  async close({ classifier }) {
    await classifier.close?.();
  },

  async *plan({ source, isDone, job }) {
    if (source === undefined) return;
    for await (const { from, files } of shardsOfSource(source, job)) {
      const shard = { from, files };
      if (!isDone?.(shard)) yield shard;
    }
  },

  async process({ classifier, reader, job }, { files }, eachItem) {
    const { threshold } = job.settings;
    return eachItem(files, async ({ file, item }) =>
      filePrediction(file, await predictRead(classifier, fileToRead(item, reader)), threshold),
    );
  },

  async commit({ onPredicted }, shard, predictions) {
    await onPredicted?.(shard, predictions);
    const predicted = predictions.filter(({ kind }) => kind === 'done').length;
    return { files: predictions.length, predicted, failed: predictions.length - predicted };
  },
};

/** How this process reads what another one listed. */
function fileToRead(item: Listed, reader: PathReader): Parameters<typeof predictRead>[1] {
  if (item.kind === 'problem') return { kind: 'problem', problem: item };
  return { kind: 'entry', entry: { read: (maxBytes) => reader.read(item.path, pathBytesOf(item), maxBytes) } };
}
