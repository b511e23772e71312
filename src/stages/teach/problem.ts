/**
 * What is learned from: features of all items of a task, labels of a few. Plain numbers, no store, no names; everything
 * random has a seed, and nothing depends on the number of threads.
 */

import { sampleIndices, seededRandom } from '../../core/random.ts';
import type { Head } from '../../math/heads/head.ts';
import { balancedWeights, oneHot, type TrainingSet } from '../../math/heads/linear-head.ts';
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
  /** Augmented views of labelled items, which may be learned from as well; none where nobody asked for them. */
  readonly augmentations?: Augmentations;
  /**
   * Where what makes the vectors was trained on the labels: of each fold of the cross-validation, every row by what had
   * not seen the fold's labels. Without it nothing of these vectors depends on a label.
   */
  readonly foldFeatures?: readonly Matrix[];
}

export interface Augmentations {
  /** Finished vectors, shape [augmentations, columns]. */
  readonly features: Matrix;
  /** The row each was made of, shape [augmentations]. */
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
  /** Whether augmented views of the labelled items are learned from as well. */
  readonly augment: boolean;
}

/** The labelled rows of a matrix over all items. */
export function labelledSet(
  { labelled, labels, classes }: Pick<Problem, 'labelled' | 'labels' | 'classes'>,
  features: Matrix,
  classWeights: ClassWeights,
): TrainingSet {
  return {
    features: gatherRows(features, labelled),
    targets: oneHot(labels, classes),
    weights: weightsOf(labels, classes, classWeights),
  };
}

/** A training set with the augmentations of its labelled items behind it; an item and its augmentations count as one item. */
export function withAugmentations(problem: Problem, trainingSet: TrainingSet, classWeights: ClassWeights): TrainingSet {
  const { augmentations, labelled, labels, classes } = problem;
  if (!augmentations) throw new RangeError('these items have no augmentations');
  const placeOf = new Map(Array.from(labelled, (row, place) => [row, place]));
  const taken = Array.from(augmentations.of, (row, at) => ({ at, place: placeOf.get(row) })).filter(
    (one): one is { at: number; place: number } => one.place !== undefined,
  );
  const own = weightsOf(labels, classes, classWeights);
  const counts = new Int32Array(labelled.length).fill(1);
  for (const { place } of taken) counts[place] = counts[place] + 1;
  const share = (place: number) => own[place] / counts[place];
  const weights = new Float32Array(trainingSet.features.rows + taken.length);
  weights.set(trainingSet.weights);
  // A training set has the labelled items alone, in their order, or every row of the problem.
  const every = trainingSet.features.rows > labelled.length;
  for (const [place, row] of labelled.entries()) {
    const at = every ? row : place;
    if (weights[at] > 0) weights[at] = share(place);
  }
  const ownLabels = taken.map(({ place }) => labels[place]);
  for (const [i, { place }] of taken.entries()) weights[trainingSet.features.rows + i] = share(place);
  return {
    features: stacked(
      trainingSet.features,
      gatherRows(
        augmentations.features,
        taken.map(({ at }) => at),
      ),
    ),
    targets: stacked(trainingSet.targets, oneHot(ownLabels, classes)),
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
export function subsample(problem: Problem, most: number, seed: number): Problem {
  const { features, groups, labelled, augmentations } = problem;
  if (features.rows <= most) return problem;
  const rows = sampledRows(problem, most, seed);
  const placeOf = new Map(Array.from(rows, (row, place) => [row, place]));
  return {
    ...problem,
    features: gatherRows(features, rows),
    foldFeatures: problem.foldFeatures?.map((matrix) => gatherRows(matrix, rows)),
    groups: Array.from(rows, (row) => groups[row]),
    labelled: labelled.map((row) => placeOf.get(row) as number),
    augmentations: augmentations && {
      ...augmentations,
      of: augmentations.of.map((row) => placeOf.get(row) as number),
    },
  };
}

/** The rows of {@link subsample}, ascending. */
export function sampledRows(
  { features, labelled }: Pick<Problem, 'features' | 'labelled'>,
  most: number,
  seed: number,
): Int32Array {
  const known = new Set(labelled);
  const others = Array.from({ length: features.rows }, (_, row) => row).filter((row) => !known.has(row));
  const taken = sampleIndices(others.length, Math.max(0, most - labelled.length), seededRandom(seed, 'teach-reach'));
  return Int32Array.from([...labelled, ...Array.from(taken, (i) => others[i])]).sort();
}

/** The problem as a fold sees it: with vectors that none of the fold's labels had a part in. */
export function inFold(problem: Problem, fold: number): Problem {
  const features = problem.foldFeatures?.[fold];
  return features ? { ...problem, features } : problem;
}

/** Puts people's labels in their rows of soft labels, shape [n, classes]; in place. */
export function putLabelsIn(
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
