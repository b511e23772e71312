/**
 * What a model that was taught thinks of every item of a large pile, by many machines: a file of vectors is a shard, and its
 * probabilities are a file too. Of them all, what figures of accuracy rest on is summed up in the order of the plan, file by
 * file, so that it has the same bits whoever did the files.
 *
 * Resident: vectors and probabilities of the files under way.
 */
import { z } from 'zod';
import { holdingBlobs, readHeld } from '../../blobs/held-blobs.ts';
import { getValue, valueBlob } from '../../blobs/value-blob.ts';
import type { ItemId } from '../../core/ids.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Closing, closeContext, type StageDefinition, type StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { argMaxRows, softmaxRows } from '../../math/calibration.ts';
import { type Head, headLogits } from '../../math/heads/head.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { PileConfidence } from '../../math/metrics/pile-accuracy.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Store, VectorShard } from '../../store/store.ts';
import { SAMPLES_FOLDER } from '../discover/kept-sample.ts';
import { centreAndNormalise, type EmbeddingRecipe } from '../embed/recipe.ts';
import { dropStaged, type PredictionSet, predictionSpace, stagedSpace } from '../predictions.ts';
import { countItems, VECTOR_SHARD } from '../vector-shard.ts';

/** Everything that probabilities follow from, beside the vectors. */
export interface Predictor {
  readonly head: Head;
  /** Of {@link softmaxRows}. */
  readonly temperature: number;
  readonly blocks: EmbeddingRecipe['blocks'];
  /** Of the space, shape [columns]. */
  readonly mean: Float32Array;
  /** Of labelled items, as a model saw them that did not know their label: shape [classes] each. */
  readonly heldOut: ReadonlyMap<ItemId, Float32Array>;
  /** Of items of whose group an answer is known: its class. */
  readonly answers: ReadonlyMap<ItemId, number>;
  /** Classes that people said an item is not. */
  readonly refused: ReadonlyMap<ItemId, readonly number[]>;
  /** Items that no machine labels. */
  readonly decided: ReadonlySet<ItemId>;
}

const SETTINGS = z.strictObject({
  task: z.string(),
  /** Key of a blob, see {@link Predictor}. */
  predictor: z.string(),
  classNames: z.array(z.string()),
  /** Confidence that a label needs, 0 to 1. */
  threshold: z.number(),
  /** Whether probabilities are kept as files. */
  keeps: z.boolean(),
});
export type PredictSettings = z.infer<typeof SETTINGS>;

/** Confidences of the best classes of some items, summed in double precision. */
export interface ConfidenceSums {
  readonly items: number;
  readonly confidence: number;
  /** Of items that the machine may label, and is sure of. */
  readonly given: number;
  readonly givenConfidence: number;
}

interface ShardResult {
  readonly sums: ConfidenceSums;
  /** Null where they are not kept. */
  readonly predictions: VectorShard | null;
}

interface PredictContext extends Closing, Pick<Workspace, 'vectors'> {
  readonly store: Pick<Store, 'putVectorShard'>;
  readonly settings: PredictSettings;
  readonly set: PredictionSet;
  readonly pool: InferencePool;
  readonly predictor: Predictor;
  /** In the process that runs the stage: files of vectors, and who is told of each one's sums, in their order. */
  readonly files?: readonly VectorShard[];
  readonly merge?: (sums: ConfidenceSums) => void;
}

export const pilePredictionStage: StageDefinition<PredictSettings, PredictContext, VectorShard, ShardResult> = {
  name: 'teach-predict',
  within: 'teach',
  settings: SETTINGS,
  shard: VECTOR_SHARD,

  async open({ workspace, settings, runId, threads }) {
    const { store, vectors, blobs, engine } = workspace;
    const predictor = await readHeld(() => getValue<Predictor>(blobs, settings.predictor));
    if (predictor === undefined) throw new Error('what was taught is not among the blobs of the workspace');
    const set = predictionSetOf(settings, (await requireTask(store, settings.task)).items, runId);
    const pool = await engine.openInference({ threads });
    return { store, vectors, settings, set, pool, predictor, close: () => pool.close() };
  },

  close: closeContext,

  total: async ({ files = [] }) => countItems(files),

  async *plan({ files = [] }) {
    yield* files;
  },

  async process(context, shard, eachItem) {
    const [result] = await eachItem([shard], (one) => predictFile(context, one));
    return result;
  },

  async commit({ store, set, merge }, _shard, { sums, predictions }) {
    if (predictions) await store.putVectorShard({ ...predictions, space: stagedSpace(set) });
    merge?.(sums);
    return { predicted: sums.items };
  },
};

function predictionSetOf(
  { task, classNames, predictor }: PredictSettings,
  items: PredictionSet['items'],
  runId: string,
): PredictionSet {
  const key = predictor.slice(SAMPLES_FOLDER.length, SAMPLES_FOLDER.length + 16);
  return { task, items, origin: 'model', classNames, runId, key };
}

async function predictFile(context: PredictContext, shard: VectorShard): Promise<ShardResult> {
  const { vectors: vectorStore, set, settings, pool, predictor } = context;
  const { ids, vectors } = await vectorStore.read(shard);
  centreAndNormalise(vectors, predictor, predictor.mean);
  const probabilities = softmaxRows(await headLogits(pool, predictor.head, vectors), predictor.temperature);
  putAnswersIn(probabilities, ids, predictor);
  const { items, runId } = set;
  const file = { space: predictionSpace(set), items, shard: shard.shard, runId, ids, vectors: probabilities } as const;
  return {
    sums: sumsOf(probabilities, ids, predictor, settings.threshold),
    predictions: settings.keeps ? await vectorStore.write({ ...file, precision: 'float32' }) : null,
  };
}

function putAnswersIn(
  { data, columns }: Matrix,
  ids: readonly ItemId[],
  { heldOut, answers, refused }: Pick<Predictor, 'heldOut' | 'answers' | 'refused'>,
): void {
  for (const [i, id] of ids.entries()) {
    const row = data.subarray(i * columns, (i + 1) * columns);
    const unseen = heldOut.get(id);
    if (unseen) row.set(unseen);
    const answer = answers.get(id);
    if (answer !== undefined) for (let c = 0; c < columns; c++) row[c] = (row[c] + Number(c === answer)) / 2;
    const not = refused.get(id);
    if (!not) continue;
    for (const c of not) row[c] = 0;
    let left = 0;
    for (let c = 0; c < columns; c++) left += row[c];
    for (let c = 0; left > 0 && c < columns; c++) row[c] = row[c] / left;
  }
}

function sumsOf(
  probabilities: Matrix,
  ids: readonly ItemId[],
  { decided }: Pick<Predictor, 'decided'>,
  threshold: number,
): ConfidenceSums {
  const best = argMaxRows(probabilities);
  let [confidence, given, givenConfidence] = [0, 0, 0];
  for (const [row, id] of ids.entries()) {
    const own = probabilities.data[row * probabilities.columns + best[row]];
    confidence += own;
    if (own < threshold || decided.has(id)) continue;
    given++;
    givenConfidence += own;
  }
  return { items: ids.length, confidence, given, givenConfidence };
}

export interface PilePredictions {
  /** What is kept, under {@link stagedSpace}; null where nothing is. */
  readonly set: PredictionSet | null;
  readonly all: PileConfidence;
  /** Of items that the machine may label, and is sure of. */
  readonly given: PileConfidence;
}

/** Predicts every item of some files of vectors. */
export async function predictPile(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  given: Pick<PredictionSet, 'task' | 'items' | 'classNames'> & {
    readonly files: readonly VectorShard[];
    readonly predictor: Predictor;
    readonly threshold: number;
    readonly keeps: boolean;
  },
): Promise<PilePredictions> {
  const { workspace, runId } = job;
  const { store, vectors, blobs, engine } = workspace;
  const { task, items, files, predictor, threshold, keeps } = given;
  const blob = valueBlob(SAMPLES_FOLDER, unshared(predictor));
  const settings = { task, predictor: blob.key, classNames: [...given.classNames], threshold, keeps };
  const set = predictionSetOf(settings, items, runId);
  await dropStaged(workspace, task, items);
  const sums = { items: 0, confidence: 0, given: 0, givenConfidence: 0 };
  const merge = (one: ConfidenceSums) => {
    sums.items += one.items;
    sums.confidence += one.confidence;
    sums.given += one.given;
    sums.givenConfidence += one.givenConfidence;
  };
  const run = { ...job, settings, limit: undefined };
  try {
    await holdingBlobs(blobs, async (hold) => {
      await hold(blob.key, () => blob.put(blobs));
      const context = { store, vectors, settings, set, pool, predictor, files, merge };
      const { interrupted } = await engine.run(pilePredictionStage, run, context);
      if (!interrupted) return;
      throw new LabelsmithError('INTERRUPTED', 'Stopped in the middle of predicting.', { hint: 'Run it again.' });
    });
  } finally {
    await blobs.delete(blob.key).catch(() => {});
  }
  return {
    set: keeps ? set : null,
    all: meanOf(sums.items, sums.confidence),
    given: meanOf(sums.given, sums.givenConfidence),
  };
}

function meanOf(size: number, sum: number): PileConfidence {
  return { size, mean: size === 0 ? 0 : sum / size };
}

/** As it can be cloned: nothing of it in shared memory. */
function unshared(predictor: Predictor): Predictor {
  const { head } = predictor;
  return { ...predictor, head: unsharedHead(head), mean: Float32Array.from(predictor.mean) };
}

function unsharedHead(head: Head): Head {
  switch (head.kind) {
    case 'linear':
      return { kind: head.kind, ...unsharedLayer(head) };
    case 'mlp':
      return { kind: head.kind, hidden: unsharedLayer(head.hidden), output: unsharedLayer(head.output) };
    default:
      return head satisfies never;
  }
}

function unsharedLayer({ weights, bias }: { readonly weights: Matrix; readonly bias: Float32Array }) {
  const { data, rows, columns } = weights;
  return { weights: { data: Float32Array.from(data), rows, columns }, bias: Float32Array.from(bias) };
}
