/**
 * Fine-tuning of an embedder on a task's labels: once without each fold of the cross-validation, so that whatever is
 * measured on a held-out label is measured with a network that never saw it, and then, where that was worth it, once on all of them.
 *
 * What comes out is a problem like the frozen one with other vectors, for the same methods. Reads every image once more;
 * resident are the vectors of all rows, and those of {@link MAX_ROWS} of them once a fold.
 */
import { sampleIndices, seededRandom } from '../../../core/random.ts';
import type { AugmentOptions } from '../../../images/augment.ts';
import { gatherRows, type Matrix } from '../../../math/matrix.ts';
import type { TrainingCurve } from '../../../math/training/train.ts';
import type { HeldOut } from '../../../models/tuning/batches.ts';
import type { ComposedEmbedder, TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import { parametersOf } from '../../../models/tuning/tunable-network.ts';
import { averaged, type TakenOver, type Tuned } from '../../../models/tuning/tune.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../../embed/recipe.ts';
import { type Folds, foldsOf } from '../cross-validation.ts';
import type { LearnSettings } from '../methods.ts';
import { type Problem, sampledRows, subsample } from '../problem.ts';
import { type Beliefs, beliefsByFold } from './beliefs.ts';
import { centredVectors, embedRows } from './embed-rows.ts';
import { harmlessChanges } from './harmless.ts';
import { keyOfTraining, type TrainingRequest, trainOnce } from './one-training.ts';
import { cutFor, STEPS, type StepName, type TuningStep } from './steps.ts';
import { samplesWithin, untilEnd } from './time-plan.ts';
import type { TuningImage } from './tuning-image.ts';
import type { TuningRecord } from './tuning-record.ts';
import { mostImages, type PreparedTuning, prepareTuning, type TuningSetOptions } from './tuning-set.ts';
import { bestShare, type ChosenShare, SHARE_ROWS, type ShareRequest } from './weight-share.ts';

export interface FineTuneRequest {
  readonly embedder: TunableEmbedder;
  /** With the embedder's vectors as it is: what the teacher looks at. */
  readonly problem: Problem;
  /** Parts of a vector. */
  readonly blocks: readonly VectorBlock[];
  /** By index; words in them say whether pictures may be mirrored and turned. Default: nothing is known of them. */
  readonly classNames?: readonly string[];
  /** Identity of each row. */
  readonly ids: readonly string[];
  /** A row to look at; undefined for one that cannot be read any more. */
  open(row: number): Promise<TuningImage | undefined>;
  /** How the teacher learns. */
  readonly teacher: LearnSettings;
  /** Of an earlier round, with the vectors of every fold: what its teacher looks at in place of the embedder's vectors. */
  readonly believedBy?: FineTuned['sample'];
  readonly step: StepName | TuningStep;
  readonly folds: number;
  readonly seed: number;
  /** Where what is done so far is kept; without it, what was broken off begins again. */
  readonly record?: TuningRecord;
  /** How long what comes of a depth is judged, beside embedding; trainings leave so much of the time. Default: nothing is known of it. */
  readonly judgeMs?: number;
  /** Of `performance.now()`: trainings are made short enough to end by then, or the error {@link OutOfTime} comes. */
  readonly endMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FineTuneProgress) => void;
  /** Told of each training that came to its end, in their order. */
  readonly onTrained?: (training: EndedTraining) => void;
  /** Told of what an earlier run left of a training. */
  readonly onTakenOver?: (training: TakenOver & Pick<FineTuneProgress, 'of'> & { readonly training: number }) => void;
  /** Bytes of views, where each image has one: no more images are trained on than fit (default 1.5 GiB). */
  readonly viewBytes?: number;
  /** What depths of one task have in common, which is then found out once; requests that share it differ in their step alone. */
  readonly known?: KnownOfTask;
}

/** Filled by the first depth. Resident: of each fold the beliefs of the images that are trained on, and the views of these images. */
export interface KnownOfTask {
  augment?: Required<AugmentOptions>;
  /** Of the last depth: one that begins at the same cut takes them. */
  prepared?: PreparedImages;
  /** By fold, and by where pseudo-labels come from. */
  readonly beliefs: Map<string, Beliefs>;
}

export interface FineTuneProgress {
  /** Trainings that are done, of how many: one a fold, and the last on all labels. */
  readonly trained: number;
  readonly of: number;
  /** Of the training under way, how many are done. */
  readonly steps: number;
  readonly ofSteps: number;
  /** Of the last step: mean loss in nats, and the share of its items that were taken for what they are believed to be. */
  readonly loss: number;
  readonly accuracy: number;
}

/** What a training came to. */
export interface EndedTraining extends Readonly<TrainingCurve> {
  /** From 1: one a fold, and the last on all labels. */
  readonly training: number;
  readonly of: number;
  readonly stopped: Tuned['stopped'];
}

export interface FineTuned {
  /** With the vectors of the embedder that was trained on all labels. */
  readonly problem: Problem;
  /** Some of its rows, with the vectors of every fold: what is learned from and cross-validated on. */
  readonly sample: Problem;
  /** Taken off every vector, shape [columns]. */
  readonly mean: Float32Array;
  readonly embedder: ComposedEmbedder;
  /** What was trained of the network, as it came out. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Of the weights, the share of those after training that cross-validation chose. */
  readonly share: number;
  /** Trainings that ended early, since something was no number: their last good state stands. */
  readonly spoiled: readonly EndedTraining[];
  /** Labelled images that no training saw, since the views of all take too much memory; they are judged on like the others. */
  readonly untaught: number;
}

/** Rows that are embedded once a fold. More cost their embedding, and say little more of how the rest lies. */
const MAX_ROWS = 3000;
/** Images that are trained on, labelled ones first. */
const MAX_TAUGHT = 1000;
/** Vectors of a recipe of several views take about so many passes of the network more than one view of training. */
const PASSES_A_VECTOR = 2;

/** The networks of the folds, which say whether the last training is worth its time. */
export interface TunedFolds {
  /** Some rows, with the vectors of every fold: to be cross-validated on. */
  readonly judged: Problem;
  /** Those of their trainings that ended early, since something was no number: their last good state stands. */
  readonly spoiled: readonly EndedTraining[];
  /** The training on all labels. */
  finish(): Promise<FineTuned>;
}

export async function fineTune(pool: InferencePool, request: FineTuneRequest): Promise<FineTuned> {
  return (await tuneFolds(pool, request)).finish();
}

export async function tuneFolds(pool: InferencePool, given: FineTuneRequest): Promise<TunedFolds> {
  const request = { ...given, signal: untilEnd(given.signal, given.endMs) };
  const { embedder, problem, seed, signal } = request;
  const wanted: TuningStep = typeof request.step === 'string' ? STEPS[request.step] : request.step;
  const rows = sampledRows(problem, MAX_ROWS, seed);
  const frozen = subsample(problem, MAX_ROWS, seed);
  const cut = cutFor(embedder.network, wanted);
  const taught = taughtRows(frozen, mostImages(embedder, cut, request.viewBytes), seed);
  const known: KnownOfTask = request.known ?? { beliefs: new Map() };
  known.augment ??= await harmlessChanges(pool, { ...request, classNames: request.classNames ?? [] });
  const { augment } = known;
  const how: TuningSetOptions = { cut, augment, strongViews: wanted.strongViews, seed, signal };
  const images = Int32Array.from(taught, (place) => rows[place] ?? 0);
  const { prepared, viewMs } = await preparedOf(pool, { ...request, known }, images, how);
  const folds = foldsOf(problem, request.folds, seed);
  const featuresWithout = vectorsWithout(request, folds.count);
  const beliefsWithout = beliefsByFold(
    pool,
    { ...request, frozen, taught, folds, featuresWithout, pseudoLabels: wanted.pseudoLabels },
    featuresWithout ? new Map() : known.beliefs,
  );
  const trainings = folds.count + 1;
  const whole = {
    ...request,
    onTakenOver: undefined,
    step: wanted,
    prepared,
    beliefs: await beliefsWithout(folds.count),
  };
  const passes =
    problem.features.rows + folds.count * (rows.length + wanted.shares.length * Math.min(SHARE_ROWS, rows.length));
  const step = await shortened(pool, whole, {
    trainings,
    otherMs: passes * PASSES_A_VECTOR * viewMs + (given.judgeMs ?? 0),
    endMs: given.endMs,
  });
  const heldOutOf = (fold: number): HeldOut => heldOutIn(frozen, taught, folds, fold);
  const { onProgress, onTakenOver } = request;
  const ended: EndedTraining[] = [];
  const onTrained = (one: EndedTraining) => {
    ended.push(one);
    request.onTrained?.(one);
  };
  const training = { ...whole, step, onProgress, onTakenOver, onTrained };
  const data = { folds: folds.count, beliefsWithout, heldOutOf };
  const tuned = await trainFolds(pool, training, data);
  const before = parametersOf(embedder.network, prepared.set.cut.trainables);
  const composed = ({ parameters }: Tuned, share: number) => embedder.compose(averaged(before, parameters, share));
  const embedderOf = (fold: number, share: number) => composed(tuned[fold] as Tuned, share);
  const { share, foldFeatures } = await judgedVectors(pool, request, { folds, rows, shares: step.shares, embedderOf });
  const judged = judgedOf(problem, foldFeatures, rows);
  const finish = async (): Promise<FineTuned> => {
    const last = await trainLast(pool, training, data, tuned);
    const final = composed(last, share);
    const every = Int32Array.from({ length: problem.features.rows }, (_, row) => row);
    const columns = request.blocks.reduce((sum, block) => sum + block.columns, 0);
    const [features] = await embedRows(pool, [{ embedder: final, rows: every }], { ...request, columns });
    return {
      ...problemsOf(request, features as Matrix, judged, rows),
      embedder: final,
      parameters: averaged(before, last.parameters, share),
      share,
      spoiled: spoiledOf(ended),
      untaught: untaughtIn(frozen, taught),
    };
  };
  return { judged, spoiled: spoiledOf(ended), finish };
}

/** The share of the weights that is chosen, and the vectors of the rows with it, one matrix of each fold, centred. */
async function judgedVectors(
  pool: InferencePool,
  request: FineTuneRequest,
  { rows, ...of }: Pick<ShareRequest, 'folds' | 'shares' | 'embedderOf'> & { readonly rows: Int32Array },
): Promise<Pick<ChosenShare, 'share' | 'foldFeatures'>> {
  const chosen = await bestShare(pool, { ...request, ...of, settings: request.teacher });
  // Of a small pile they are there.
  if (chosen.rows.length === rows.length) return chosen;
  const ofFolds = Array.from({ length: of.folds.count }, (_, fold) => of.embedderOf(fold, chosen.share));
  return { share: chosen.share, foldFeatures: await centredVectors(pool, ofFolds, rows, request) };
}

/** Throws where a round was of other folds: its vectors would know labels that they are to be without. */
function vectorsWithout({ believedBy }: FineTuneRequest, folds: number): ((fold: number) => Matrix) | undefined {
  if (!believedBy) return undefined;
  const { features, foldFeatures = [] } = believedBy;
  if (foldFeatures.length !== folds) throw new RangeError(`a round of ${foldFeatures.length} folds, not of ${folds}`);
  return (fold) => foldFeatures[fold] ?? features;
}

/** The images of some rows as training takes them. */
interface PreparedImages {
  readonly prepared: PreparedTuning;
  /** How long a view took. */
  readonly viewMs: number;
}

async function preparedOf(
  pool: InferencePool,
  { embedder, ids, open, known }: FineTuneRequest & { readonly known: KnownOfTask },
  rows: Int32Array,
  how: TuningSetOptions,
): Promise<PreparedImages> {
  const before = known.prepared;
  if (before && before.prepared.set.cut === how.cut && before.prepared.strongViews === (how.strongViews ?? 0))
    return before;
  // Two of them would be too many.
  known.prepared = undefined;
  const images = {
    ids: Array.from(rows, (row) => ids[row] ?? ''),
    open: (image: number) => open(rows[image] ?? 0),
  };
  const startedAt = performance.now();
  const prepared = await prepareTuning(pool, embedder, images, how);
  known.prepared = { prepared, viewMs: (performance.now() - startedAt) / (rows.length * prepared.set.views) };
  return known.prepared;
}

function spoiledOf(trainings: readonly EndedTraining[]): EndedTraining[] {
  return trainings.filter(({ stopped }) => stopped !== null && stopped !== 'no longer falls');
}

/** Ascending: {@link MAX_TAUGHT} of the rows, labelled ones first, or all that are labelled; a part of them by chance where that is too many. */
function taughtRows(frozen: Problem, most: number, seed: number): Int32Array {
  const rows = sampledRows(frozen, MAX_TAUGHT, seed);
  if (rows.length <= most) return rows;
  const kept = frozen.labelled.length < most ? sampledRows(frozen, most, seed) : frozen.labelled.toSorted();
  return Int32Array.from(sampleIndices(kept.length, most, seededRandom(seed, 'taught')), (i) => kept[i] ?? 0);
}

/** Whether images without a label are trained on. Where none are, a further round would be the same training. */
export function learnsFromBeliefs({ features, labelled }: Pick<Problem, 'features' | 'labelled'>): boolean {
  return labelled.length < Math.min(features.rows, MAX_TAUGHT);
}

function untaughtIn({ labelled }: Problem, taught: Int32Array): number {
  const there = new Set(taught);
  return labelled.filter((row) => !there.has(row)).length;
}

interface FoldData {
  readonly folds: number;
  readonly beliefsWithout: (fold: number) => Promise<Beliefs>;
  readonly heldOutOf: (fold: number) => HeldOut;
}

/** The images of a fold's labels. */
export function heldOutIn(frozen: Problem, taught: Int32Array, folds: Folds, fold: number): HeldOut {
  const imageOf = new Map(Array.from(taught, (row, image) => [row, image]));
  const places = [...frozen.labelled.keys()].filter((place) => folds.of[place] === fold);
  const known = places.flatMap((place) => {
    const image = imageOf.get(frozen.labelled[place] ?? -1);
    return image === undefined ? [] : [{ image, label: frozen.labels[place] ?? 0 }];
  });
  return { images: known.map(({ image }) => image), labels: known.map(({ label }) => label) };
}

type FoldsRequest = Omit<TrainingRequest, 'onStep' | 'onTakenOver'> &
  Pick<FineTuneRequest, 'onProgress' | 'onTakenOver' | 'onTrained'>;

/** Once without each fold. */
export async function trainFolds(pool: InferencePool, request: FoldsRequest, data: FoldData): Promise<Tuned[]> {
  const tuned: Tuned[] = [];
  for (let fold = 0; fold < data.folds; fold++) {
    const one = await trainOnce(pool, { ...(await foldRequest(request, data, fold)), heldOut: data.heldOutOf(fold) });
    tuned.push(one);
    request.onTrained?.(endedAs(one, fold + 1, data.folds + 1));
  }
  return tuned;
}

/**
 * With all labels, so that there are no held-out ones to watch: with a patience it ends after the mean share of the steps after
 * which the trainings of the folds did best.
 */
export async function trainLast(
  pool: InferencePool,
  request: FoldsRequest,
  data: FoldData,
  tuned: readonly Tuned[],
): Promise<Tuned> {
  const meanShare = tuned.reduce((sum, { bestShare }) => sum + bestShare, 0) / data.folds;
  const endShare = request.step.patience === undefined ? undefined : meanShare;
  const last = await trainOnce(pool, { ...(await foldRequest(request, data, data.folds)), endShare });
  request.onTrained?.(endedAs(last, data.folds + 1, data.folds + 1));
  return last;
}

function endedAs({ losses, accuracies, stopped }: Tuned, training: number, of: number): EndedTraining {
  return { training, of, losses: [...losses], accuracies: [...accuracies], stopped };
}

/** @param fold the number after the last one: no label is left out */
async function foldRequest(
  { onProgress, onTakenOver, onTrained: _, ...request }: FoldsRequest,
  { folds, beliefsWithout }: FoldData,
  fold: number,
): Promise<TrainingRequest> {
  const onStep: TrainingRequest['onStep'] = ({ step, steps, loss, accuracy }) => {
    const trained = fold + (step === steps ? 1 : 0);
    onProgress?.({ trained, of: folds + 1, steps: step, ofSteps: steps, loss, accuracy });
  };
  const taken: TrainingRequest['onTakenOver'] = (saved) =>
    onTakenOver?.({ ...saved, training: fold + 1, of: folds + 1 });
  return { ...request, beliefs: await beliefsWithout(fold), onStep, onTakenOver: taken };
}

/** The step, with fewer samples where the time is short. What was decided once is not decided anew by a run that goes on. */
async function shortened(
  pool: InferencePool,
  request: TrainingRequest,
  { endMs, ...plan }: { readonly trainings: number; readonly otherMs: number; readonly endMs?: number },
): Promise<TuningStep> {
  const { step, record } = request;
  if (endMs === undefined || !Number.isFinite(endMs)) return step;
  const decide = () => samplesWithin(pool, request, { ...plan, endMs });
  const samples = await (record?.decided(keyOfTraining(request), decide) ?? decide());
  return { ...step, samples };
}

/** @param foldFeatures vectors of the rows by the embedder of each fold, centred */
function judgedOf(problem: Problem, foldFeatures: readonly Matrix[], rows: Int32Array): Problem {
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  return {
    ...problem,
    features: foldFeatures[0] as Matrix,
    foldFeatures,
    augmentations: undefined,
    groups: Array.from(rows, (row) => problem.groups[row] ?? ''),
    labelled: problem.labelled.map((row) => places.get(row) ?? 0),
  };
}

/** @param features of every row, by the embedder that was trained on all labels; centred here in place */
function problemsOf(
  { problem, blocks }: FineTuneRequest,
  features: Matrix,
  judged: Problem,
  rows: Int32Array,
): Pick<FineTuned, 'problem' | 'sample' | 'mean'> {
  const mean = meanOf(features);
  centreAndNormalise(features, { blocks }, mean);
  return {
    problem: { ...problem, features, augmentations: undefined },
    sample: { ...judged, features: gatherRows(features, rows) },
    mean,
  };
}
