/**
 * The stage `classify`: a trained classifier on the items of a workspace, whatever trained it.
 *
 * A shard is done when its probabilities' record exists; its labels are written before that, and again when a killed run
 * is repeated. Labels of origin `model` in the classifier's task are replaced, what people said stays. Resident: 16 to 32
 * bytes an item that is done.
 */
import { z } from 'zod';
import type { IdSet } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import { once } from '../../core/once.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { type Quarantined, quarantinedPaths, requeue } from '../../jobs/read-errors.ts';
import type { Counts, StageDefinition, StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { argMax } from '../../math/calibration.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { NewLabel, QuarantineRow, Store, VectorShard } from '../../store/store.ts';
import { countMissing, IMAGE_WORK_SHARD, type ImageWorkShard, imageWorkShards } from '../image-work.ts';
import { itemRunner } from '../item-pixels.ts';
import { itemsDone } from '../items-done.ts';
import { poisonOfImages } from '../poison.ts';
import { type PredictionSet, predictionSpace } from '../predictions.ts';
import { runImageWork } from '../run-image-work.ts';
import { annotationOf } from '../teach/said.ts';
import type { Classifier } from './classifier-file.ts';
import { openHeldClassifier } from './held-classifier.ts';

const DEFAULT_SHARD_SIZE = 256;

export const CLASSIFY_SETTINGS = z.object({
  /** The classifier's key, which names its file's content. */
  classifier: z.string(),
  /** Confidence that a label needs, 0 to 1. */
  threshold: z.number(),
});
export type ClassifySettings = z.infer<typeof CLASSIFY_SETTINGS>;

interface ShardResult {
  /** Items that were looked at, in order of id. */
  readonly ids: readonly ItemId[];
  readonly labels: readonly NewLabel[];
  /** Their probabilities; null where nothing could be read. */
  readonly probabilities: VectorShard | null;
  readonly quarantine: readonly QuarantineRow[];
  /** Paths of the images that were read. */
  readonly read: readonly string[];
  readonly counts: Counts;
}

export type RunningClassifier = Pick<Classifier, 'info' | 'key' | 'classify'> &
  Partial<Pick<Classifier, 'path' | 'close'>>;

export interface ClassifyContext extends Pick<Workspace, 'store' | 'vectors'> {
  readonly job: Pick<StageJob<ClassifySettings>, 'settings' | 'shardSize' | 'limit'>;
  readonly classifier: RunningClassifier;
  readonly set: PredictionSet;
  readonly quarantined: Quarantined;
  /** Items that this classifier has seen under this threshold. */
  readonly done: () => Promise<IdSet>;
  readonly run: ReturnType<typeof itemRunner<Float32Array>>;
}

/** What a classifier says under a threshold. Another threshold makes other labels of the same probabilities. */
export function predictionSetOf({ info, key }: RunningClassifier, threshold: number, runId: string): PredictionSet {
  const { task, items, classNames } = info;
  const content = sha256Hex(`${key}\n${threshold}`).slice(0, 16);
  return { task, items, origin: 'model', classNames, runId, key: content };
}

/** @param readBytes default: from the recorded paths. */
export async function classifyContext(
  job: StageJob<ClassifySettings>,
  classifier: RunningClassifier,
  readBytes: ReadPath = originalBytes(job.workspace),
): Promise<ClassifyContext> {
  const { store, vectors } = job.workspace;
  const set = predictionSetOf(classifier, job.settings.threshold, job.runId);
  const { input, margin } = classifier.info;
  const from = { readBytes, input, margin: margin ?? 0, stage: 'classify' };
  return {
    store,
    vectors,
    job,
    classifier,
    set,
    quarantined: await quarantinedPaths(store),
    done: once(() => itemsDone({ store, vectors }, predictionSpace(set), set.items)),
    run: itemRunner(from, (pixels) => classifier.classify(pixels)),
  };
}

export const classifyStage: StageDefinition<ClassifySettings, ClassifyContext, ImageWorkShard, ShardResult> = {
  name: 'classify',
  settings: CLASSIFY_SETTINGS,
  shard: IMAGE_WORK_SHARD,
  fingerprint: ({ classifier }) => classifier.key,
  poison: poisonOfImages('classify'),

  async open(job) {
    return classifyContext(job, await openHeldClassifier(job.workspace.blobs, job.settings.classifier, job));
  },

  async close({ classifier }) {
    await classifier.close?.();
  },

  async total({ store, done, set, job: { limit } }) {
    if (set.items === 'regions') return undefined;
    return Math.min(await countMissing(store, await done()), limit ?? Number.POSITIVE_INFINITY);
  },

  async *plan({ store, done, set, quarantined, job: { shardSize = DEFAULT_SHARD_SIZE, limit } }) {
    const query = { items: set.items, done: await done(), quarantined };
    yield* imageWorkShards(store, query, { size: shardSize, limit });
  },

  async process(context, shard, eachItem) {
    const { items: found, read, quarantine, unread: readErrors } = await runImageWork(context, shard, eachItem);
    const labels = await labelsFor(context.store, context.set, found, context.job.settings.threshold);
    return {
      ids: found.map(({ id }) => id),
      labels,
      probabilities: found.length > 0 ? await writeProbabilities(context, found) : null,
      quarantine,
      read,
      counts: {
        classified: found.length,
        labelled: labels.length,
        unsure: found.length - labels.length,
        ...readErrors,
      },
    };
  },

  async commit({ store, set, quarantined }, _shard, result) {
    const { ids, labels, probabilities, quarantine, read, counts } = result;
    await requeue(store, quarantined, read);
    if (probabilities) {
      await store.clearMachineLabels(set.task, 'model', ids);
      await store.putLabels(labels, { replace: true });
      await store.putVectorShard(probabilities);
    }
    if (quarantine.length > 0) await store.putQuarantine(quarantine);
    return counts;
  },
};

interface Classified {
  readonly id: ItemId;
  /** Probabilities, shape [classes]. */
  readonly result: Float32Array;
}

function writeProbabilities({ vectors, set }: ClassifyContext, found: readonly Classified[]): Promise<VectorShard> {
  const { items, classNames, runId } = set;
  const matrix = newSharedMatrix(found.length, classNames.length);
  for (const [i, { result }] of found.entries()) matrix.data.set(result, i * classNames.length);
  const ids = found.map(({ id }) => id);
  const shard = sha256Hex(ids.join('\n')).slice(0, 16);
  const space = predictionSpace(set);
  return vectors.write({ space, items, shard, runId, ids, vectors: matrix, precision: 'float32' });
}

/** Labels of those that are sure enough, where no person or import has spoken; a refused class is not given. */
async function labelsFor(
  store: Pick<Store, 'labelsOf'>,
  { task, classNames, runId }: PredictionSet,
  found: readonly Classified[],
  threshold: number,
): Promise<NewLabel[]> {
  const known = await store.labelsOf(
    found.map(({ id }) => id),
    task,
  );
  return found.flatMap(({ id, result: probabilities }) => {
    const annotation = annotationOf(known.get(id) ?? []);
    if (annotation.kind !== 'nothing' && annotation.kind !== 'not') return [];
    const best = argMax(probabilities);
    const className = classNames[best];
    const confidence = probabilities[best];
    if (confidence < threshold || (annotation.kind === 'not' && annotation.classNames.includes(className))) return [];
    return [{ itemId: id, task, className, present: true, origin: 'model', confidence, runId }];
  });
}
