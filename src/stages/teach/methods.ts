/**
 * Ways of learning from a few labels and many items without one, as a table; `bench/teach.ts` measures each of them.
 *
 * All end in the same kind of thing: one head on the items' features, which needs nothing but an item's vector.
 * The `graph` way: a teacher sees the features joined with where an item stands in the neighbour graph of all items
 * (diffusion coordinates), and so knows which items belong together; its soft labels teach the head ("student").
 */
import { argMaxRows, softmaxRows } from '../../math/calibration.ts';
import { type Head, headLogits } from '../../math/heads/head.ts';
import { fitLinearHead, type LinearHead, logitsOf, oneHot } from '../../math/heads/linear-head.ts';
import { fitMlpHead } from '../../math/heads/mlp-head.ts';
import { withinClassNormalised } from '../../math/heads/within-class.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { joinGraph } from './graph-features.ts';
import { type BaseSettings, labelledSet, type Problem, putLabelsIn, weightsOf, withAugmentations } from './problem.ts';
import { spreadLabels } from './spreading.ts';

export interface LearnSettings extends BaseSettings {
  readonly method: MethodName;
}

export interface LearnContext {
  readonly pool: InferencePool;
  /**
   * Features of every row joined with its diffusion coordinates, shape [n, columns + dimensions]; label-free, so it is
   * made once. Null where no method asks for it.
   */
  readonly joined: Matrix | null;
  /** Principal components of the features, label-free as well; null where no method asks for them. */
  readonly principal: Matrix | null;
  /**
   * Rows that are held out. Without their labels they are unlabelled rows like others, and a student learns from them
   * what the teacher thinks: so it goes with the rest of the items, and not with images that come later.
   */
  readonly heldOut?: Int32Array;
  /** A student of nearly the same training set, to begin with: it saves most of the work. */
  readonly start?: LinearHead;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface Learned {
  /** On `problem.features`. */
  readonly head: Head;
  /** Trained without the rows that are held out: what it says of them is what is to be expected of later images. */
  readonly freshHead: Head;
  /** What the unlabelled rows were given as labels: shape [n, classes]; null where labels alone were learned from. */
  readonly softLabels: Matrix | null;
}

/** Beside the graph a stronger penalty does: coordinates of length 1 are few and say much. */
const TEACHER_C = 30;
/** Many soft labels need less of a penalty than few hard ones, and 30 to 1000 differ by less than half a point. */
export const STUDENT_C = 100;
const METRIC_SHRINKAGE = 0.5;
const METRIC_ROUNDS = 2;

type Technique = (context: LearnContext, problem: Problem, settings: LearnSettings) => Promise<Learned>;

export const METHODS = {
  /** Labels alone. */
  base: async (context, problem, settings) => {
    const head = await baseHead(context, problem, settings);
    return { head, freshHead: head, softLabels: null };
  },
  /** The base's prediction for every other item, taken for true (Lee, "Pseudo-Label", ICML-W 2013). */
  naive: async (context, problem, settings) => {
    const head = await baseHead(context, problem, settings);
    const predictions = oneHot(argMaxRows(await headLogits(context.pool, head, problem.features)), problem.classes);
    return student(context, problem, settings, predictions, settings.C);
  },
  /** The base's predictions as probabilities. */
  soft: async (context, problem, settings) => {
    const head = await baseHead(context, problem, settings);
    const predictions = softmaxRows(await headLogits(context.pool, head, problem.features));
    return student(context, problem, settings, predictions, settings.C);
  },
  /** A teacher that sees the neighbour graph, as probabilities. */
  graph: async (context, problem, settings) =>
    student(context, problem, settings, await teacher(context, problem, settings), STUDENT_C),
  /** The same, with the classes' shares drawn half-way to those among the labels. */
  aligned: async (context, problem, settings) => {
    const predictions = aligned(await teacher(context, problem, settings), classShares(problem), 0.5);
    return student(context, problem, settings, predictions, STUDENT_C);
  },
  /**
   * What the teacher is sure of, taken for true, by a threshold of each class that follows how sure it is on average
   * (FreeMatch: Wang et al., ICLR 2023); the others are left out.
   */
  thresholds: async (context, problem, settings) => {
    const beliefs = await teacher(context, problem, settings);
    const trusted = aboveOwnThreshold(beliefs);
    return student(context, problem, settings, oneHot(argMaxRows(beliefs), problem.classes), STUDENT_C, trusted);
  },
  /** What the base and the teacher both say (co-training: Blum and Mitchell, COLT 1998); the others are left out. */
  agreement: async (context, problem, settings) => {
    const head = await baseHead(context, problem, settings);
    const byBase = argMaxRows(await headLogits(context.pool, head, problem.features));
    const beliefs = argMaxRows(await teacher(context, problem, settings));
    const trusted = Float32Array.from(beliefs, (label, row) => Number(label === byBase[row]));
    return student(context, problem, settings, oneHot(beliefs, problem.classes), STUDENT_C, trusted);
  },
  /** Labels spread over the neighbour graph (Zhou et al., "Learning with local and global consistency", NIPS 2003). */
  spreading: async (context, problem, settings) =>
    student(context, problem, settings, await spreadLabels(context.pool, problem, context.signal), STUDENT_C),
  /**
   * Rounds: what the teacher believes gives a metric in which items of one class are nearer, that metric another
   * neighbour graph, and that another teacher. The student still learns on plain features.
   */
  metric: async (context, problem, settings) => {
    const shares = classShares(problem);
    let predictions = aligned(await teacher(context, problem, settings), shares, 0.5);
    for (let round = 0; round < METRIC_ROUNDS; round++) {
      putLabelsIn(problem, predictions);
      const { pool, principal, signal } = context;
      if (!principal) throw new RangeError('metric needs principal components');
      const features = await withinClassNormalised(pool, principal, predictions, { shrinkage: METRIC_SHRINKAGE });
      const joined = await joinGraph(pool, features, { seed: context.seed, signal });
      predictions = aligned(await teacher({ ...context, joined }, problem, settings), shares, 0.5);
    }
    return student(context, problem, settings, predictions, STUDENT_C);
  },
} as const satisfies Record<string, Technique>;

export type MethodName =
  | 'base'
  | 'naive'
  | 'soft'
  | 'graph'
  | 'aligned'
  | 'thresholds'
  | 'agreement'
  | 'spreading'
  | 'metric';
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** Whether a method looks at `LearnContext.joined`. */
export function needsGraph(method: MethodName): boolean {
  return ['graph', 'aligned', 'thresholds', 'agreement', 'metric'].includes(method);
}

export function learn(context: LearnContext, problem: Problem, settings: LearnSettings): Promise<Learned> {
  return METHODS[settings.method](context, problem, settings);
}

export async function baseHead(
  { pool, seed, signal }: LearnContext,
  problem: Problem,
  { head, C, classWeights, augment }: BaseSettings,
): Promise<Head> {
  const plain = labelledSet(problem, problem.features, classWeights);
  const trainingSet = augment ? withAugmentations(problem, plain, classWeights) : plain;
  switch (head) {
    case 'linear':
      return { kind: head, ...(await fitLinearHead(pool, trainingSet, { C, signal })) };
    case 'mlp':
      return { kind: head, ...(await fitMlpHead(pool, trainingSet, { C, seed, signal })) };
    default:
      return head satisfies never;
  }
}

async function teacher({ pool, joined, signal }: LearnContext, problem: Problem, settings: LearnSettings) {
  if (!joined) throw new RangeError(`${settings.method} needs the neighbour graph`);
  const trainingSet = labelledSet(problem, joined, settings.classWeights);
  const head = await fitLinearHead(pool, trainingSet, { C: TEACHER_C, signal });
  return softmaxRows(await logitsOf(pool, head, joined));
}

/**
 * A linear head trained on everything: people's labels where there are some, `predictions` elsewhere; those are changed.
 * @param trusted how much each row's prediction counts, shape [n] (default 1).
 */
async function student(
  { pool, heldOut, start, signal }: LearnContext,
  problem: Problem,
  { classWeights, augment }: LearnSettings,
  predictions: Matrix,
  C: number,
  trusted?: Float32Array,
): Promise<Learned> {
  const { features, labelled, labels, classes } = problem;
  const weights = trusted?.slice() ?? new Float32Array(features.rows).fill(1);
  const own = weightsOf(labels, classes, classWeights);
  for (const [i, row] of labelled.entries()) weights[row] = own[i];
  putLabelsIn(problem, predictions);
  const fit = async (rowWeights: Float32Array, from?: LinearHead): Promise<Head & LinearHead> => {
    const plain = { features, targets: predictions, weights: rowWeights };
    const trainingSet = augment ? withAugmentations(problem, plain, classWeights) : plain;
    return { kind: 'linear', ...(await fitLinearHead(pool, trainingSet, { C, start: from, signal })) };
  };
  const head = await fit(weights, start);
  if (!heldOut) return { head, freshHead: head, softLabels: predictions };
  const others = weights.slice();
  for (const row of heldOut) others[row] = 0;
  return { head, freshHead: await fit(others, head), softLabels: predictions };
}

/** Each class's share among the labels, one item more for each: shape [classes]. */
function classShares({ labels, classes }: Problem): Float64Array {
  const shares = new Float64Array(classes).fill(1);
  for (const label of labels) shares[label] = shares[label] + 1;
  return shares.map((count) => count / (labels.length + classes));
}

/**
 * Distribution alignment (Berthelot et al., "ReMixMatch", ICLR 2020): each class's probabilities times (wanted share /
 * mean probability)^strength, rows scaled to sum to 1. At full strength it trusts that labels were drawn at random.
 */
export function aligned({ data, rows, columns }: Matrix, shares: Float64Array, strength: number): Matrix {
  const means = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) means[i % columns] = means[i % columns] + data[i];
  const factors = means.map((sum, c) => (shares[c] / Math.max(sum / rows, 1e-12)) ** strength);
  const result = newSharedMatrix(rows, columns);
  for (let r = 0; r < rows; r++) {
    let total = 0;
    for (let c = 0; c < columns; c++) {
      const value = data[r * columns + c] * factors[c];
      result.data[r * columns + c] = value;
      total += value;
    }
    for (let i = r * columns; i < (r + 1) * columns; i++) result.data[i] = result.data[i] / total;
  }
  return result;
}

/** 1 for rows that are surer than the threshold of their class, else 0; shape [n]. */
export function aboveOwnThreshold({ data, rows, columns }: Matrix): Float32Array {
  const best = argMaxRows({ data, rows, columns });
  const sure = (row: number) => data[row * columns + best[row]];
  const means = new Float64Array(columns);
  let overall = 0;
  for (let row = 0; row < rows; row++) {
    overall += sure(row) / rows;
    for (let c = 0; c < columns; c++) means[c] = means[c] + data[row * columns + c] / rows;
  }
  const most = Math.max(...means);
  return Float32Array.from(best, (label, row) => Number(sure(row) >= (overall * means[label]) / Math.max(most, 1e-12)));
}

/** Logits of some rows under a head, shape [rows, classes]. */
export function logitsOfRows(pool: InferencePool, head: Head, features: Matrix, rows: Int32Array): Promise<Matrix> {
  return headLogits(pool, head, gatherRows(features, rows));
}
