/**
 * Trains the upper part of a network, with a linear classifier on its features, on values at the cut that were computed
 * before: the lower part runs once a view of an image and not once an epoch.
 *
 * What is trained begins as it was, and the classifier as one that was fitted on the features as they were ("LP-FT": Kumar
 * et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution", ICLR 2022). At the end stands
 * a mean of the weights before and after ("WiSE-FT": Wortsman et al., CVPR 2022). The same set, options and seed give the
 * same bytes.
 */
import { sha256Hex } from '../../core/ids.ts';
import type { LinearHead } from '../../math/heads/linear-head.ts';
import { sharedFloats } from '../../math/matrix.ts';
import type { Parameter } from '../../math/training/optimiser.ts';
import {
  bestLook,
  isOver,
  type TrainingState,
  type TrainOptions,
  type TrainResult,
  train,
  type Watch,
} from '../../math/training/train.ts';
import type { InferencePool, PoolModel } from '../../onnx/pool.ts';
import { float32 } from '../../onnx/tensor.ts';
import { batches, heldOutRuns, ITEMS_A_RUN, type Mixing, membersOf, type TuningSet } from './batches.ts';
import { gradientOf, HEAD_BIAS, HEAD_WEIGHTS, lossGraph, stepGraph } from './training-graph.ts';
import { parametersOf, type Trainable, type TunableNetwork } from './tunable-network.ts';

export interface TuneOptions extends Pick<TrainOptions, 'signal' | 'onStep'> {
  /** Which of the cut's constants are trained beside the classifier. */
  readonly trains: 'bias' | 'all';
  /** Images seen, each as often as it was: as many epochs as that takes, but not fewer than 3 nor more than 25. */
  readonly samples: number;
  /** Of the network, as a share of a tensor's root mean square; about what a step moves it by. */
  readonly learningRate: number;
  /** Of the classifier, in its own numbers. */
  readonly headRate: number;
  readonly weightDecay?: number;
  /** Images a step (default 32). */
  readonly batch?: number;
  /** Two images in one, with as much of either's target (default: none are mixed). */
  readonly mixing?: Mixing;
  /** Of every target, the share that is spread over all classes (default 0): "label smoothing", Szegedy et al., CVPR 2016. */
  readonly smoothing?: number;
  /**
   * With held-out images: epochs in a row in which their loss does not fall that end the training; what did best on them is taken
   * (default: the training goes all the way).
   */
  readonly patience?: number;
  /** The share of its steps after which a training ends (default 1), as others of the same length have found it. */
  readonly endShare?: number;
  /**
   * Balanced margins for skewed classes: this times the logarithm of each class's share is added to its logit under the loss, so that
   * rare classes need a larger lead (default 0; 1 trains for a mean over classes): logit adjustment, Menon et al., "Long-tail
   * learning via logit adjustment", ICLR 2021, formula 10.
   */
  readonly margins?: number;
  /** Memory of a running mean of the weights (see `TrainOptions.averageDecay`; default: the last weights count). */
  readonly averageDecay?: number;
  /**
   * What runs may keep of the forward pass, all threads together, bytes (default: a quarter of the memory that is free). Where they
   * would keep more, it is computed a second time, to the same gradients but for their last bits: 18 % is kept of MobileNetV3-Small,
   * 30 % of ResNet-18, and a step takes about a fifth more time.
   */
  readonly keptBytes?: number;
  readonly seed: number;
  /** Where a training goes on that was broken off; without it, it begins again. */
  readonly checkpoints?: TrainingCheckpoints;
  /** Told once, before the first step, where there was something to go on from. */
  readonly onTakenOver?: (saved: TakenOver) => void;
}

/** What a training that goes on found done. */
export interface TakenOver {
  readonly steps: number;
  readonly ofSteps: number;
  readonly isDone: boolean;
}

/** What is kept of one training while it runs, and once it is done. */
export interface TrainingCheckpoints {
  /** Steps between two states that are kept. */
  readonly everySteps: number;
  /** The last one that was saved; undefined where there is none, or none that is whole. */
  load(): Promise<SavedTraining | undefined>;
  save(training: SavedTraining): Promise<void>;
  /** What was decided when the training began, whatever would be now. */
  decided(now: boolean): Promise<boolean>;
}

export interface SavedTraining {
  /** With `isDone`, of what came out alone. */
  readonly state: TrainingState;
  readonly isDone: boolean;
}

export interface Tuned extends TrainResult {
  /** What was trained of the network, by name. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly head: LinearHead;
  /** The share of the steps after which what was taken stood; 1 where nothing was watched. */
  readonly bestShare: number;
}

const BATCH = 2 * ITEMS_A_RUN;
/** The rest is for what is computed on the way back: gradients, masks and windows, about twice what is kept. */
const KEPT_SHARE = 1 / 4;
const CLIP_NORM = 5;
const MIN_EPOCHS = 3;
const MAX_EPOCHS = 25;
/** A tensor of nothing but zeros moves too. */
const MIN_SCALE = 0.02;

/** @param head on features of length 1 */
export async function tuneNetwork(
  pool: InferencePool,
  network: TunableNetwork,
  set: TuningSet,
  head: LinearHead,
  options: TuneOptions,
): Promise<Tuned> {
  const { cut, classes, pixels } = set;
  const wanted = cut.trainables.filter(({ kind }) => options.trains === 'all' || kind === 'bias');
  const margins = options.margins ? marginsOf(set, options.margins) : undefined;
  const request = { cut, classes, items: ITEMS_A_RUN, pixels, margins };
  let built = stepGraph(network, { ...request, trained: wanted });
  // What gradients do not reach stays a constant.
  if (built.trained.length < wanted.length) built = stepGraph(network, { ...request, trained: built.trained });
  if (built.trained.length === 0)
    throw new RangeError(`no gradient reaches the network: ${built.obstacles[0]?.operator}`);
  const { keptBytes = KEPT_SHARE * process.availableMemory(), checkpoints } = options;
  const isShort = built.keptBytes * pool.threads > keptBytes;
  if (await (checkpoints?.decided(isShort) ?? isShort)) {
    built = stepGraph(network, { ...request, trained: built.trained, recompute: true });
  }
  const parameters = parametersFor(network, built.trained, head, options);
  const inputs = parameters.map(({ name, dims }) => ({ name, dims }));
  const forLoss = () => lossGraph(network, { ...request, trained: built.trained });
  const result = await trainedOrLoaded(pool, { step: built.model, forLoss, inputs }, parameters, set, options);
  const trained = new Map(parameters.map(({ name, data }) => [name, data]));
  const weights = trained.get(HEAD_WEIGHTS) ?? head.weights.data;
  const bias = trained.get(HEAD_BIAS) ?? head.bias;
  trained.delete(HEAD_WEIGHTS);
  trained.delete(HEAD_BIAS);
  const fitted = { weights: { ...head.weights, data: weights }, bias };
  const { steps, stepsAnEpoch } = stepsOf(membersOf(set).length, options);
  const looks = bestLook(result.heldOutLosses) + 1;
  return { ...result, parameters: trained, head: fitted, bestShare: looks > 0 ? (looks * stepsAnEpoch) / steps : 1 };
}

/** Of each class, `strength` times the logarithm of its share of what is trained on; a class of which there is nothing has one item. */
export function marginsOf(set: TuningSet, strength: number): Float32Array {
  const { classes, targets, weights } = set;
  const counts = new Float64Array(classes);
  for (const image of membersOf(set)) {
    for (let c = 0; c < classes; c++) counts[c] += (weights[image] ?? 0) * (targets[image * classes + c] ?? 0);
  }
  const some = counts.map((count) => Math.max(1, count));
  const sum = some.reduce((a, b) => a + b, 0);
  return Float32Array.from(some, (count) => strength * Math.log(count / sum));
}

/** Steps of a training on so many images. */
export function stepsOf(
  images: number,
  { samples, batch = BATCH }: Pick<TuneOptions, 'samples' | 'batch'>,
): { readonly steps: number; readonly stepsAnEpoch: number } {
  const stepsAnEpoch = Math.max(1, Math.round(images / batch));
  const epochs = Math.max(MIN_EPOCHS, Math.min(MAX_EPOCHS, Math.round(samples / images)));
  return { steps: epochs * stepsAnEpoch, stepsAnEpoch };
}

/** Trains the parameters in place, from where it was broken off; one that is done already is taken as it is. */
async function trainedOrLoaded(
  pool: InferencePool,
  graphs: Graphs,
  parameters: readonly Parameter[],
  set: TuningSet,
  options: TuneOptions,
): Promise<TrainResult> {
  const { weightDecay = 0.01, averageDecay, patience, endShare = 1, signal, onStep, checkpoints } = options;
  const { steps, stepsAnEpoch } = stepsOf(membersOf(set).length, options);
  const endAfter = Math.max(1, Math.round(endShare * steps));
  const saved = await checkpoints?.load();
  const isWhole = (saved?.state.curve.losses.length ?? 0) >= endAfter;
  const isEnough = patience !== undefined && isOver(saved?.state.watched.losses ?? [], patience);
  if (saved) options.onTakenOver?.({ steps: saved.state.curve.losses.length, ofSteps: endAfter, isDone: saved.isDone });
  if (saved?.isDone && (isWhole || isEnough)) {
    for (const [i, { data }] of parameters.entries()) data.set(saved.state.parameters[i] ?? []);
    const { curve, watched } = saved.state;
    return { ...curve, heldOutLosses: watched.losses, stopped: isEnough ? 'no longer falls' : null };
  }
  const model = await pool.load(graphs.step, { key: `tuning:${sha256Hex(graphs.step)}` });
  const held = patience === undefined ? undefined : await heldOutLoss(pool, graphs, set);
  try {
    const result = await train(
      pool,
      { model, gradientOf },
      parameters,
      batches(set, { ...options, stepsAnEpoch }),
      {
        optimiser: { kind: 'adamw', weightDecay },
        schedule: 'one-cycle',
        learningRate: 1,
        steps,
        clipNorm: CLIP_NORM,
        averageDecay,
        endAfter,
        watch: held && patience !== undefined ? { every: stepsAnEpoch, patience, lossOf: held.lossOf } : undefined,
        signal,
        onStep,
        checkpoint: checkpoints && {
          every: checkpoints.everySteps,
          save: (state) => checkpoints.save({ state, isDone: false }),
        },
      },
      saved?.isDone ? undefined : saved?.state,
    );
    // One that ended early is tried again by a run that goes on: it ends at the same step, and says why.
    const isSpoiled = result.stopped !== null && result.stopped !== 'no longer falls';
    if (!isSpoiled) await checkpoints?.save({ state: outcomeOf(parameters, result), isDone: true });
    return result;
  } finally {
    await pool.unload(model);
    if (held) await pool.unload(held.model);
  }
}

interface Graphs {
  readonly step: Uint8Array;
  /** Of the loss alone. */
  readonly forLoss: () => Uint8Array;
  /** Of both, as the parameters are. */
  readonly inputs: readonly Pick<Parameter, 'name' | 'dims'>[];
}

/** The loss of the set's held-out images under any parameters; undefined where there are none. */
async function heldOutLoss(
  pool: InferencePool,
  { forLoss, inputs }: Graphs,
  set: TuningSet,
): Promise<(Pick<Watch, 'lossOf'> & { readonly model: PoolModel }) | undefined> {
  if (!set.heldOut?.images.length) return undefined;
  const runs = heldOutRuns(set, set.heldOut);
  const graph = forLoss();
  const model = await pool.load(graph, { key: `tuning-loss:${sha256Hex(graph)}` });
  return {
    model,
    async lossOf(parameters) {
      const given = inputs.map(({ name, dims }, i) => [name, float32(parameters[i] ?? [], dims)] as const);
      const results = await Promise.all(
        runs.map(({ feeds }) => pool.run(model, { ...Object.fromEntries(given), ...feeds })),
      );
      const sum = results.reduce((total, { loss }) => total + Number(loss?.data[0]), 0);
      return sum / runs.reduce((total, { weight }) => total + weight, 0);
    },
  };
}

/** What came out, with nothing that another step would need. */
function outcomeOf(
  parameters: readonly Parameter[],
  { losses, accuracies, heldOutLosses }: TrainResult,
): TrainingState {
  return {
    parameters: parameters.map(({ data }) => data),
    optimiser: { steps: losses.length, first: [], second: [] },
    average: [],
    watched: { losses: [...heldOutLosses], best: [] },
    curve: { losses: [...losses], accuracies: [...accuracies] },
  };
}

function parametersFor(
  network: TunableNetwork,
  trained: readonly Trainable[],
  head: LinearHead,
  { learningRate, headRate }: TuneOptions,
): Parameter[] {
  const data = parametersOf(network, trained);
  const shared = (numbers: Float32Array) => {
    const copy = sharedFloats(numbers.length);
    copy.set(numbers);
    return copy;
  };
  return [
    ...trained.map(({ name, dims, kind }) => {
      const numbers = data.get(name) ?? new Float32Array();
      const rate = learningRate * Math.max(MIN_SCALE, rootMeanSquare(numbers));
      return { name, dims, data: numbers, rate, decays: kind === 'weight' };
    }),
    {
      name: HEAD_WEIGHTS,
      dims: [head.weights.rows, head.weights.columns],
      data: shared(head.weights.data),
      rate: headRate,
      decays: true,
    },
    { name: HEAD_BIAS, dims: [head.bias.length], data: shared(head.bias), rate: headRate },
  ];
}

function rootMeanSquare(numbers: Float32Array): number {
  return Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0) / Math.max(1, numbers.length));
}

/** (1 − share) of the weights before and `share` of those after. */
export function averaged(
  before: ReadonlyMap<string, Float32Array>,
  after: ReadonlyMap<string, Float32Array>,
  share: number,
): Map<string, Float32Array> {
  return new Map(
    [...after].map(([name, data]) => {
      const old = before.get(name) ?? data;
      return [name, data.map((value, i) => (1 - share) * (old[i] ?? 0) + share * value)];
    }),
  );
}
