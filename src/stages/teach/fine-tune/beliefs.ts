/**
 * What a training takes each image for: people's labels, and for the others what `teach rounds` believes of them with vectors
 * that no label had a part in.
 */
import { softmaxRows } from '../../../math/calibration.ts';
import { headLogits } from '../../../math/heads/head.ts';
import type { Matrix } from '../../../math/matrix.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { joinGraph, principalFeatures } from '../graph-features.ts';
import { type LearnContext, type LearnSettings, learn, needsGraph } from '../methods.ts';
import { type Problem, putLabelsIn, withLabels } from '../problem.ts';

interface TeacherOptions {
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

/**
 * What is believed of every row by a teacher that has some of the labels: those labels themselves, and for other rows what
 * `teach rounds` makes of them with vectors that no label had a part in.
 */
export async function teacherOf(
  pool: InferencePool,
  frozen: Problem,
  { seed, signal, teacher }: TeacherOptions,
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
export function beliefsIn(
  { data, columns }: Matrix,
  frozen: Problem,
  taught: Int32Array,
  isHeldOut: (place: number) => boolean,
): Beliefs {
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
