/**
 * Classes from a few references each: prototypes (Snell, Swersky and Zemel, "Prototypical Networks for Few-shot Learning",
 * NeurIPS 2017), thresholds from the references themselves, and how well the references tell their classes apart.
 * Pure; vectors have length 1 throughout.
 */

import { argMax } from '../../math/calibration.ts';
import { goldenSection } from '../../math/golden-section.ts';
import { type Matrix, newSharedMatrix, sumsByPart } from '../../math/matrix.ts';

export interface Prototypes {
  /** Shape [classes, columns], rows of length 1. */
  readonly vectors: Matrix;
  /** Shape [classes]: cosine from which on an image is taken for one of the class. */
  readonly thresholds: Float32Array;
  /** Cosines are divided by it before the softmax that gives a confidence. */
  readonly temperature: number;
  readonly classes: readonly ClassFit[];
}

export interface ClassFit {
  readonly references: number;
  /** Share of its references whose own class is the nearest when they are left out; null with one reference. */
  readonly accuracy: number | null;
  /** Mean cosine of a reference to its own class without it; null with one reference. */
  readonly own: number | null;
  /** The class that its references come nearest to else, and their mean cosine to it; null with one class. */
  readonly nearestOther: { readonly class: number; readonly cosine: number } | null;
}

/** A class's own evidence counts as much as the pooled one when it has so many references. */
const PRIOR_REFERENCES = 3;
/** Where between strangers (0) and its own references (1) the threshold of a class lies. */
const THRESHOLD_PLACE = 0.5;
const DEFAULT_TEMPERATURE = 0.1;

/** @param references shape [n, columns]. @param classes shape [n], 0 to `count` − 1, each at least once. */
export function fitPrototypes(references: Matrix, classes: Int32Array, count: number): Prototypes {
  const { columns } = references;
  const sums = sumsByPart(references, classes, count);
  const sizes = new Int32Array(count);
  for (const c of classes) sizes[c] = sizes[c] + 1;
  const vectors = newSharedMatrix(count, columns);
  for (let c = 0; c < count; c++) vectors.data.set(unit(sums.subarray(c * columns, (c + 1) * columns)), c * columns);

  const left = leftOut(references, classes, sums, sizes, vectors);
  const fits = classFits(left, classes, sizes, count);
  return {
    vectors,
    thresholds: thresholdsOf(fits, sizes),
    temperature: temperatureOf(left, classes, sizes),
    classes: fits,
  };
}

/** Cosines [n, classes] of each reference to every prototype, its own made without it (NaN where it is the only one). */
function leftOut(references: Matrix, classes: Int32Array, sums: Float64Array, sizes: Int32Array, all: Matrix): Matrix {
  const { columns, rows, data } = references;
  const count = all.rows;
  const cosines = newSharedMatrix(rows, count);
  const rest = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const own = classes[i];
    const row = data.subarray(i * columns, (i + 1) * columns);
    for (let c = 0; c < count; c++) {
      let against: ArrayLike<number> = all.data.subarray(c * columns, (c + 1) * columns);
      if (c === own) {
        if (sizes[c] === 1) {
          cosines.data[i * count + c] = Number.NaN;
          continue;
        }
        for (let j = 0; j < columns; j++) rest[j] = sums[c * columns + j] - row[j];
        against = unit(rest);
      }
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += row[j] * against[j];
      cosines.data[i * count + c] = sum;
    }
  }
  return cosines;
}

function classFits(left: Matrix, classes: Int32Array, sizes: Int32Array, count: number): ClassFit[] {
  return Array.from({ length: count }, (_, c) => {
    const means = new Float64Array(count);
    let right = 0;
    for (let i = 0; i < left.rows; i++) {
      if (classes[i] !== c) continue;
      const row = left.data.subarray(i * count, (i + 1) * count);
      let best = 0;
      for (let k = 0; k < count; k++) {
        means[k] = means[k] + row[k] / sizes[c];
        if (row[k] > row[best]) best = k;
      }
      if (best === c) right++;
    }
    const several = sizes[c] > 1;
    let other = -1;
    for (let k = 0; k < count; k++) if (k !== c && (other < 0 || means[k] > means[other])) other = k;
    return {
      references: sizes[c],
      accuracy: several ? right / sizes[c] : null,
      own: several ? means[c] : null,
      nearestOther: other < 0 ? null : { class: other, cosine: means[other] },
    };
  });
}

/**
 * Half-way between how near a class's references are to it and how near they come to another class; what few references
 * say is drawn towards what all of them say together.
 */
function thresholdsOf(fits: readonly ClassFit[], sizes: Int32Array): Float32Array {
  const weighted = (pick: (fit: ClassFit) => number | null) => {
    let sum = 0;
    let weight = 0;
    for (const [c, fit] of fits.entries()) {
      const value = pick(fit);
      if (value === null) continue;
      sum += value * sizes[c];
      weight += sizes[c];
    }
    return weight > 0 ? sum / weight : null;
  };
  const strangers = weighted((fit) => fit.nearestOther?.cosine ?? null) ?? 0;
  // With one reference a class nobody knows how near its own are: as far again from the strangers as those from 1.
  const own = weighted((fit) => fit.own) ?? (1 + strangers) / 2;
  return Float32Array.from(fits, (fit, c) => {
    const share = sizes[c] / (sizes[c] + PRIOR_REFERENCES);
    const near = fit.own === null ? own : share * fit.own + (1 - share) * own;
    const far = fit.nearestOther === null ? strangers : share * fit.nearestOther.cosine + (1 - share) * strangers;
    return Math.max(far, far + THRESHOLD_PLACE * (near - far));
  });
}

/** The temperature under which the left-out references are most likely; golden-section search on its logarithm. */
function temperatureOf(left: Matrix, classes: Int32Array, sizes: Int32Array): number {
  const count = left.columns;
  const judged = Array.from(classes.keys()).filter((i) => sizes[classes[i]] > 1);
  if (judged.length === 0 || count === 1) return DEFAULT_TEMPERATURE;
  const loss = (logTemperature: number) => {
    const scale = Math.exp(-logTemperature);
    let sum = 0;
    for (const i of judged) {
      const row = left.data.subarray(i * count, (i + 1) * count);
      const most = Math.max(...row);
      let all = 0;
      for (const cosine of row) all += Math.exp((cosine - most) * scale);
      sum += Math.log(all) - (row[classes[i]] - most) * scale;
    }
    return sum;
  };
  return Math.exp(goldenSection(loss, { low: Math.log(0.01), high: Math.log(1), steps: 40, onTie: 'high' }));
}

export interface Matched {
  /** The class whose prototype is nearest. */
  readonly class: number;
  readonly cosine: number;
  /** Shape [classes], see {@link probabilitiesOf}. */
  readonly probabilities: Float32Array;
  /** That of the class. */
  readonly confidence: number;
  /** Whether it is near enough to be one at all. */
  readonly accepted: boolean;
}

/** @param cosines shape [classes] of one item. */
export function decide(cosines: ArrayLike<number>, prototypes: Prototypes): Matched {
  const best = argMax(cosines);
  const cosine = cosines[best];
  const probabilities = probabilitiesOf(cosines, prototypes);
  return {
    class: best,
    cosine,
    probabilities: Float32Array.from(probabilities),
    confidence: probabilities[best],
    accepted: cosine >= prototypes.thresholds[best],
  };
}

/**
 * Shape [classes]: softmax of the cosines over the temperature, how sure among the classes, given that it is one of them.
 * Of one class alone a softmax says nothing: there its threshold stands for everything else, and has .5.
 */
function probabilitiesOf(cosines: ArrayLike<number>, { thresholds, temperature }: Prototypes): Float64Array {
  const rivals = cosines.length === 1 ? [cosines[0], thresholds[0]] : Array.from(cosines);
  const most = Math.max(...rivals);
  const shares = rivals.map((cosine) => Math.exp((cosine - most) / temperature));
  const all = shares.reduce((sum, share) => sum + share, 0);
  return Float64Array.from(cosines, (_, c) => shares[c] / all);
}

function unit(vector: ArrayLike<number>): Float32Array {
  let square = 0;
  for (let j = 0; j < vector.length; j++) square += vector[j] ** 2;
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  return Float32Array.from(vector, (value) => value * scale);
}
