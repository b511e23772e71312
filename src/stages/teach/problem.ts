/**
 * What is learned from: features of all items of a task, labels of a few. Plain numbers, no store, no names; everything
 * random has a seed, and nothing depends on the number of threads.
 */

import { sampleIndices, seededRandom } from '../../core/random.ts';
import type { Head } from '../../math/heads/head.ts';
import { balancedWeights, type Lesson, oneHot } from '../../math/heads/linear-head.ts';
import { gatherRows, type Matrix, stacked } from '../../math/matrix.ts';

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
  /** Other views of labelled items, which may be taught as well; none where nobody asked for them. */
  readonly views?: Views;
}

export interface Views {
  /** Finished vectors, shape [views, columns]. */
  readonly features: Matrix;
  /** The row each is a view of, shape [views]. */
  readonly of: Int32Array;
}

/** How classes count: `even` gives every item the same weight, `balanced` every class. */
export type ClassWeights = 'even' | 'balanced';

/** Hyperparameters of the base model. */
export interface BaseSettings {
  /** Logistic regression, or a perceptron with one hidden layer. */
  readonly head: Head['kind'];
  /** Inverse strength of the penalty. */
  readonly C: number;
  readonly classWeights: ClassWeights;
  /** Whether augmented views of the labelled items are taught as well. */
  readonly augment: boolean;
}

/** The labelled rows of a matrix over all items. */
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

/** A lesson with the views of the problem's labelled items behind it; an item and its views count as one item. */
export function withViews(problem: Problem, lesson: Lesson, classWeights: ClassWeights): Lesson {
  const { views, labelled, labels, classes } = problem;
  if (!views) throw new RangeError('these items have no views');
  const placeOf = new Map(Array.from(labelled, (row, place) => [row, place]));
  const taken = Array.from(views.of, (row, view) => ({ view, place: placeOf.get(row) })).filter(
    (one): one is { view: number; place: number } => one.place !== undefined,
  );
  const own = weightsOf(labels, classes, classWeights);
  const counts = new Int32Array(labelled.length).fill(1);
  for (const { place } of taken) counts[place] = counts[place] + 1;
  const share = (place: number) => own[place] / counts[place];
  const weights = new Float32Array(lesson.features.rows + taken.length);
  weights.set(lesson.weights);
  // A lesson has the labelled items alone, in their order, or every row of the problem.
  const every = lesson.features.rows > labelled.length;
  for (const [place, row] of labelled.entries()) {
    const at = every ? row : place;
    if (weights[at] > 0) weights[at] = share(place);
  }
  const viewLabels = taken.map(({ place }) => labels[place]);
  for (const [i, { place }] of taken.entries()) weights[lesson.features.rows + i] = share(place);
  return {
    features: stacked(
      lesson.features,
      gatherRows(
        views.features,
        taken.map(({ view }) => view),
      ),
    ),
    targets: stacked(lesson.targets, oneHot(viewLabels, classes)),
    weights,
  };
}

export function weightsOf(labels: Int32Array, classes: number, classWeights: ClassWeights): Float32Array {
  return classWeights === 'balanced' ? balancedWeights(labels, classes) : new Float32Array(labels.length).fill(1);
}

/**
 * The problem with at most `most` rows: every labelled one, and unlabelled ones at random. What is learned from these is
 * good for all rows; the labels keep their places.
 */
export function withinReach(problem: Problem, most: number, seed: number): Problem {
  const { features, groups, labelled } = problem;
  if (features.rows <= most) return problem;
  const known = new Set(labelled);
  const others = Array.from({ length: features.rows }, (_, row) => row).filter((row) => !known.has(row));
  const taken = sampleIndices(others.length, Math.max(0, most - labelled.length), seededRandom(seed, 'teach-reach'));
  const rows = Int32Array.from([...labelled, ...Array.from(taken, (i) => others[i])]).sort();
  const placeOf = new Map(Array.from(rows, (row, place) => [row, place]));
  return {
    ...problem,
    features: gatherRows(features, rows),
    groups: Array.from(rows, (row) => groups[row]),
    labelled: labelled.map((row) => placeOf.get(row) as number),
    views: problem.views && { ...problem.views, of: problem.views.of.map((row) => placeOf.get(row) as number) },
  };
}

/** Puts people's labels in their rows of soft labels, shape [n, classes]; in place. */
export function teachLabels(
  { labelled, labels, classes }: Pick<Problem, 'labelled' | 'labels' | 'classes'>,
  soft: Matrix,
): void {
  for (const [i, row] of labelled.entries()) {
    soft.data.fill(0, row * classes, (row + 1) * classes);
    soft.data[row * classes + labels[i]] = 1;
  }
}

/** The problem with only some of its labels; `places` are places among the labelled rows. */
export function withLabels(problem: Problem, places: readonly number[]): Problem {
  return {
    ...problem,
    labelled: Int32Array.from(places, (place) => problem.labelled[place]),
    labels: Int32Array.from(places, (place) => problem.labels[place]),
  };
}
