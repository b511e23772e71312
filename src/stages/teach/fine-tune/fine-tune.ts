/**
 * Fine-tuning of an embedder on a task's labels: once on all of them, and once without each fold of the cross-validation,
 * so that whatever is measured on a held-out label is measured with a network that never saw it.
 *
 * What comes out is a problem like the frozen one with other vectors, for the same methods. Reads every image once more;
 * resident are the vectors of all rows, and those of {@link MAX_ROWS} of them once a fold.
 */
import { softmaxRows } from '../../../math/calibration.ts';
import { headLogits } from '../../../math/heads/head.ts';
import { fitLinearHead, type LinearHead } from '../../../math/heads/linear-head.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import type { ComposedEmbedder, TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import { parametersOf } from '../../../models/tuning/tunable-network.ts';
import { averaged, type TuningSet, tuneNetwork } from '../../../models/tuning/tune.ts';
import type { InferencePool, PoolModel } from '../../../onnx/pool.ts';
import { float32Data, uint8 } from '../../../onnx/tensor.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../../embed/recipe.ts';
import { pixelsFor } from '../../item-pixels.ts';
import { foldsOf } from '../cross-validation.ts';
import { joinGraph, principalFeatures } from '../graph-features.ts';
import { type LearnContext, type LearnSettings, learn, needsGraph } from '../methods.ts';
import { type Problem, putLabelsIn, sampledRows, subsample, withLabels } from '../problem.ts';
import { cutFor, STEPS, type StepName, type TuningStep } from './steps.ts';
import { type PreparedTuning, prepareTuning } from './tuning-set.ts';

export interface FineTuneRequest {
  readonly embedder: TunableEmbedder;
  /** With the embedder's vectors as it is: what the teacher looks at. */
  readonly problem: Problem;
  /** Parts of a vector. */
  readonly blocks: readonly VectorBlock[];
  /** Identity of each row. */
  readonly ids: readonly string[];
  /** Bytes of a row's file; undefined for one that cannot be read any more. */
  read(row: number): Promise<Uint8Array | undefined>;
  /** How the teacher learns. */
  readonly teacher: LearnSettings;
  readonly step: StepName | TuningStep;
  readonly folds: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FineTuneProgress) => void;
}

export interface FineTuneProgress {
  /** Trainings that are done, of how many: one a fold, and the last on all labels. */
  readonly trained: number;
  readonly of: number;
  /** Mean loss of the last step, nats. */
  readonly loss: number;
}

export interface FineTuned {
  /** With the vectors of the embedder that was trained on all labels. */
  readonly problem: Problem;
  /** Some of its rows, with the vectors of every fold: what is learned from and cross-validated on. */
  readonly sample: Problem;
  /** Taken off every vector, shape [columns]. */
  readonly mean: Float32Array;
  readonly embedder: ComposedEmbedder;
  /** Loss of each step of the last training. */
  readonly losses: readonly number[];
}

/** Rows that are embedded once a fold. More cost their embedding, and say little more of how the rest lies. */
const MAX_ROWS = 3000;
/** Images that are trained on, labelled ones first. */
const MAX_TAUGHT = 1000;
/** Strength of the classifier that training begins with: one that knows its images by heart has nothing to tell the layers below. */
const START_C = 1;
const LANES = 4;

export async function fineTune(pool: InferencePool, request: FineTuneRequest): Promise<FineTuned> {
  const { embedder, problem, seed, signal, ids } = request;
  const step: TuningStep = typeof request.step === 'string' ? STEPS[request.step] : request.step;
  const rows = sampledRows(problem, MAX_ROWS, seed);
  const frozen = subsample(problem, MAX_ROWS, seed);
  const taught = sampledRows(frozen, MAX_TAUGHT, seed);
  const rowOf = (image: number) => rows[taught[image] ?? 0] ?? 0;
  const images = {
    ids: Array.from(taught, (_, i) => ids[rowOf(i)] ?? ''),
    read: (i: number) => request.read(rowOf(i)),
  };
  const prepared = await prepareTuning(pool, embedder, images, { cut: cutFor(embedder.network, step), seed, signal });
  const folds = foldsOf(problem, request.folds, seed);
  const teach = await teacherOf(pool, frozen, request);
  const trained: ComposedEmbedder[] = [];
  let losses: readonly number[] = [];
  for (let fold = 0; fold <= folds.count; fold++) {
    const trainingSet = trainingSetFrom(
      await teach((place) => folds.of[place] !== fold),
      frozen,
      taught,
      (place) => folds.of[place] === fold,
    );
    const tuned = await trainedOn(pool, request, step, prepared, trainingSet);
    trained.push(tuned.embedder);
    losses = tuned.losses;
    request.onProgress?.({ trained: fold + 1, of: folds.count + 1, loss: losses.at(-1) ?? Number.NaN });
  }
  const vectors = await embedRows(pool, request, trained, rows);
  return { ...problemsOf(request, vectors, rows), embedder: trained.at(-1) as ComposedEmbedder, losses };
}

/** What images are taken for in one training. */
interface Lesson {
  /** Shape [images, classes]. */
  readonly targets: Float32Array;
  /** Shape [images]; 0 for those that take no part. */
  readonly weights: Float32Array;
  readonly classes: number;
}

/**
 * What is believed of every row by a teacher that has some of the labels: those labels themselves, and for other rows what
 * `teach rounds` makes of them with vectors that no label had a part in.
 */
async function teacherOf(
  pool: InferencePool,
  frozen: Problem,
  { seed, signal, teacher }: FineTuneRequest,
): Promise<(isKnown: (place: number) => boolean) => Promise<Matrix>> {
  const graph = needsGraph(teacher.method);
  const joined = graph ? await joinGraph(pool, frozen.features, { seed, signal }) : null;
  const principal = graph ? await principalFeatures(pool, frozen.features, seed) : null;
  const context: LearnContext = { pool, joined, principal, seed, signal };
  return async (isKnown) => {
    const places = [...frozen.labelled.keys()].filter(isKnown);
    const some = withLabels(frozen, places);
    const { head, softLabels } = await learn(context, some, teacher);
    const beliefs = softLabels ?? softmaxRows(await headLogits(pool, head, some.features));
    putLabelsIn(some, beliefs);
    return beliefs;
  };
}

/** Labels count whole, beliefs by how sure they are. @param isHeldOut by place among the labelled rows */
function trainingSetFrom(
  { data, columns }: Matrix,
  frozen: Problem,
  taught: Int32Array,
  isHeldOut: (place: number) => boolean,
): Lesson {
  const targets = new Float32Array(taught.length * columns);
  const weights = new Float32Array(taught.length);
  const placeOf = new Map(Array.from(frozen.labelled, (row, place) => [row, place]));
  for (const [image, row] of taught.entries()) {
    const belief = data.subarray(row * columns, (row + 1) * columns);
    targets.set(belief, image * columns);
    const place = placeOf.get(row);
    // The network of a fold must not have seen the fold's images in any way.
    weights[image] = place !== undefined && isHeldOut(place) ? 0 : Math.max(...belief);
  }
  return { targets, weights, classes: columns };
}

async function trainedOn(
  pool: InferencePool,
  { embedder, seed, signal }: FineTuneRequest,
  step: TuningStep,
  { set, features, members: there }: PreparedTuning,
  trainingSet: Lesson,
): Promise<{ readonly embedder: ComposedEmbedder; readonly losses: readonly number[] }> {
  const members = there.filter((image) => (trainingSet.weights[image] ?? 0) > 0);
  const whole: TuningSet = { ...set, ...trainingSet, members };
  const head = await startingHead(pool, whole, features, signal);
  const { network } = embedder;
  const { trains, samples, learningRate, headRate, smoothing } = step;
  const options = { trains, samples, learningRate, headRate, smoothing, seed, signal };
  const { parameters, losses } = await tuneNetwork(pool, network, whole, head, options);
  const before = parametersOf(network, set.cut.trainables);
  return { embedder: embedder.compose(averaged(before, parameters, step.share)), losses };
}

/** A weak classifier on the features of every view as they were. */
async function startingHead(
  pool: InferencePool,
  { views, classes, members = [], ...set }: TuningSet,
  features: Matrix,
  signal: AbortSignal | undefined,
): Promise<LinearHead> {
  const rows = members.flatMap((image) => Array.from({ length: views }, (_, view) => image * views + view));
  const targets = newSharedMatrix(rows.length, classes);
  const weights = new Float32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const image = Math.floor(row / views);
    targets.data.set(set.targets.subarray(image * classes, (image + 1) * classes), i * classes);
    weights[i] = (set.weights[image] ?? 1) / views;
  }
  return fitLinearHead(pool, { features: gatherRows(features, rows), targets, weights }, { C: START_C, signal });
}

/** Vectors of all rows by the last embedder, and of some rows by each of the others. Rows that cannot be read have none. */
async function embedRows(
  pool: InferencePool,
  { problem, blocks, read, signal }: FineTuneRequest,
  embedders: readonly ComposedEmbedder[],
  some: Int32Array,
): Promise<Matrix[]> {
  const columns = blocks.reduce((sum, block) => sum + block.columns, 0);
  const { rows } = problem.features;
  const places = new Map(Array.from(some, (row, place) => [row, place]));
  const last = embedders.length - 1;
  const matrices = embedders.map((_, i) => newSharedMatrix(i === last ? rows : some.length, columns));
  const models: PoolModel[] = [];
  for (const { model, key } of embedders) models.push(await pool.load(model, { key }));
  const input = embedders[0]?.input;
  if (!input) throw new RangeError('no embedders');
  const dims = [1, input.height, input.width, 3];
  const waiting = Array.from({ length: rows }, (_, row) => row).values();
  const lane = async () => {
    for (const row of waiting) {
      signal?.throwIfAborted();
      const bytes = await read(row);
      if (!bytes) continue;
      const pixels = uint8(await pixelsFor(bytes, input), dims);
      const place = places.get(row);
      for (const [i, model] of models.entries()) {
        if (i < last && place === undefined) continue;
        const { embedding } = await pool.run(model, { pixels });
        matrices[i]?.data.set(float32Data(embedding, 'embedding'), (i === last ? row : (place ?? 0)) * columns);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  // Two trainings may have come to the same embedder.
  for (const model of new Set(models)) await pool.unload(model);
  return matrices;
}

function problemsOf(
  { problem, blocks }: FineTuneRequest,
  vectors: readonly Matrix[],
  rows: Int32Array,
): Pick<FineTuned, 'problem' | 'sample' | 'mean'> {
  const features = vectors.at(-1) as Matrix;
  const mean = meanOf(features);
  centreAndNormalise(features, { blocks }, mean);
  const foldFeatures = vectors.slice(0, -1);
  for (const matrix of foldFeatures) centreAndNormalise(matrix, { blocks }, meanOf(matrix));
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const tuned: Problem = { ...problem, features, augmentations: undefined };
  const sample: Problem = {
    ...tuned,
    features: gatherRows(features, rows),
    foldFeatures,
    groups: Array.from(rows, (row) => problem.groups[row] ?? ''),
    labelled: problem.labelled.map((row) => places.get(row) ?? 0),
  };
  return { problem: tuned, sample, mean };
}
