/**
 * What is learned from: features of all items of a task, labels of a few. Plain numbers, no store, no names; everything
 * random has a seed, and nothing depends on the number of threads.
 */

import { balancedWeights, type Lesson, oneHot } from '../../math/heads/linear-head.ts';
import { gatherRows, type Matrix } from '../../math/matrix.ts';

export interface Problem {
  /** Finished vectors of every item that may be learned from, labelled or not: shape [n, columns], shared memory. */
  readonly features: Matrix;
  /** Group of each row, shape [n]. */
  readonly groups: readonly string[];
  /** Rows with a label, ascending. */
  readonly labelled: Int32Array;
  /** Class of each labelled row, in their order. */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** How classes count: `even` gives every item the same weight, `balanced` every class. */
export type ClassWeights = 'even' | 'balanced';

/** The labelled rows of a matrix over all items. @param among places among the labelled rows (default all). */
export function labelledLesson(
  { labelled, labels, classes }: Pick<Problem, 'labelled' | 'labels' | 'classes'>,
  features: Matrix,
  classWeights: ClassWeights,
): Lesson {
  return {
    features: gatherRows(features, labelled),
    targets: oneHot(labels, classes),
    weights: weightsOf(labels, classes, classWeights),
  };
}

export function weightsOf(labels: Int32Array, classes: number, classWeights: ClassWeights): Float32Array {
  return classWeights === 'balanced' ? balancedWeights(labels, classes) : new Float32Array(labels.length).fill(1);
}

/** The problem with only some of its labels; `places` are places among the labelled rows. */
export function withLabels(problem: Problem, places: readonly number[]): Problem {
  return {
    ...problem,
    labelled: Int32Array.from(places, (place) => problem.labelled[place] as number),
    labels: Int32Array.from(places, (place) => problem.labels[place] as number),
  };
}
