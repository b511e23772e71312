/**
 * What a training takes each image for: people's labels, and for the others what `teach rounds` believes of them with vectors
 * that no label had a part in.
 */
import { argMaxRows, largestOfRows, softmaxRows } from '../../../math/calibration.ts';
import { headLogits } from '../../../math/heads/head.ts';
import { oneHot } from '../../../math/heads/linear-head.ts';
import { type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import type { Folds } from '../cross-validation.ts';
import { joinGraph, principalFeatures } from '../graph-features.ts';
import {
  aboveOwnThreshold,
  type LearnContext,
  type LearnSettings,
  learn,
  type MethodName,
  needsGraph,
} from '../methods.ts';
import { type Problem, putLabelsIn, withLabels } from '../problem.ts';
import type { TuningStep } from './steps.ts';

interface TeacherOptions extends Pick<TuningStep, 'pseudoLabels'> {
  readonly teacher: LearnSettings;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** What images are taken for in one training. */
export interface Beliefs {
  /** Shape [images, classes]. */
  readonly targets: Float32Array;
  /** Shape [images]; 0 for those that take no part. */
  readonly weights: Float32Array;
  readonly classes: number;
}

/** Ways of learning that go wrong in different places: their mean is surer where they agree. */
const DIFFERENT_METHODS: readonly MethodName[] = ['base', 'aligned', 'spreading', 'metric'];

/** What a teacher believes of every row. */
export interface TaughtBeliefs {
  /** Shape [rows, classes]. */
  readonly soft: Matrix;
  /** How much each row without a label counts, shape [rows]. */
  readonly trust: Float32Array;
}

/**
 * What is believed of every row by a teacher that has some of the labels: those labels themselves, and for other rows what
 * `teach rounds` makes of them with vectors that no label had a part in.
 */
export async function teacherOf(
  pool: InferencePool,
  frozen: Problem,
  { seed, signal, teacher, pseudoLabels = 'soft' }: TeacherOptions,
): Promise<(isKnown: (place: number) => boolean) => Promise<TaughtBeliefs>> {
  const methods = pseudoLabels === 'soft' ? [teacher.method] : DIFFERENT_METHODS;
  const graph = methods.some(needsGraph);
  const joined = graph ? await joinGraph(pool, frozen.features, { seed, signal }) : null;
  const principal = graph ? await principalFeatures(pool, frozen.features, seed) : null;
  const context: LearnContext = { pool, joined, principal, seed, signal };
  return async (isKnown) => {
    const places = [...frozen.labelled.keys()].filter(isKnown);
    const some = withLabels(frozen, places);
    const soft = newSharedMatrix(frozen.features.rows, frozen.classes);
    for (const method of methods) {
      const { head, softLabels } = await learn(context, some, { ...teacher, method });
      const own = softLabels ?? softmaxRows(await headLogits(pool, head, some.features));
      for (let i = 0; i < soft.data.length; i++) soft.data[i] = soft.data[i] + own.data[i] / methods.length;
    }
    putLabelsIn(some, soft);
    if (pseudoLabels === 'soft') return { soft, trust: largestOfRows(soft) };
    return { soft: oneHot(argMaxRows(soft), soft.columns), trust: aboveOwnThreshold(soft) };
  };
}

interface FoldsOfTeacher extends TeacherOptions {
  /** With the embedder's vectors as it is. */
  readonly frozen: Problem;
  /** Its rows that are trained on. */
  readonly taught: Int32Array;
  /** Of the labelled rows. */
  readonly folds: Folds;
  /**
   * What the teacher looks at in place of the embedder's vectors, of the same rows: those of the network that knows none of the
   * fold's labels, or of one that knows all for the number after the last fold.
   */
  readonly featuresWithout?: (fold: number) => Matrix;
}

/**
 * The beliefs without the labels of one fold (with all labels for the number after the last fold), each found out once.
 * @param known filled here: what was found out, by fold and by where pseudo-labels come from
 */
export function beliefsByFold(
  pool: InferencePool,
  { frozen, taught, folds, featuresWithout, ...options }: FoldsOfTeacher,
  known: Map<string, Beliefs>,
): (fold: number) => Promise<Beliefs> {
  let ofFrozen: ReturnType<typeof teacherOf> | undefined;
  const teacherWithout = (fold: number) => {
    if (!featuresWithout) {
      ofFrozen ??= teacherOf(pool, frozen, options);
      return ofFrozen;
    }
    const seen = { ...frozen, features: featuresWithout(fold), augmentations: undefined };
    return teacherOf(pool, seen, options);
  };
  return async (fold) => {
    const key = `${fold}:${options.pseudoLabels}`;
    const before = known.get(key);
    if (before) return before;
    const teach = await teacherWithout(fold);
    const soft = await teach((place) => folds.of[place] !== fold);
    const beliefs = beliefsIn(soft, frozen, taught, (place) => folds.of[place] === fold);
    known.set(key, beliefs);
    return beliefs;
  };
}

/** Labels count whole. @param isHeldOut by place among the labelled rows */
export function beliefsIn(
  { soft: { data, columns }, trust }: TaughtBeliefs,
  frozen: Problem,
  taught: Int32Array,
  isHeldOut: (place: number) => boolean,
): Beliefs {
  const targets = new Float32Array(taught.length * columns);
  const weights = new Float32Array(taught.length);
  const placeOf = new Map(Array.from(frozen.labelled, (row, place) => [row, place]));
  for (const [image, row] of taught.entries()) {
    targets.set(data.subarray(row * columns, (row + 1) * columns), image * columns);
    const place = placeOf.get(row);
    // The network of a fold must not have seen the fold's images in any way.
    weights[image] = place === undefined ? trust[row] : Number(!isHeldOut(place));
  }
  return { targets, weights, classes: columns };
}
