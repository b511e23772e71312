/**
 * How sure a fine-tuned network is of the images it is to label.
 *
 * Images without a label are trained on by what was believed of them, and the network is surer of these than its folds' networks
 * are of images that they never saw, from which its temperature comes. So its answers are softened until it is as sure of them, in
 * the mean, as the folds' networks are of held-out labels; what these images are harder or easier than those that people
 * labelled, the frozen embedder tells, which no image had a part in.
 */
import { type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import type { RoundsResult } from '../learn-rounds.ts';

/** Rows that are looked at: their mean says no less than that of all. */
const MAX_ROWS = 2000;
const MAX_FACTOR = 64;
const BISECTIONS = 30;

type Softened = Pick<RoundsResult, 'probabilities' | 'heldOut' | 'temperature' | 'restTemperature'>;

/**
 * Its logits are on another scale afterwards, those of held-out labels too, so that what is said of these stays as it was.
 * Never surer than before.
 *
 * @param labelled rows of `learned`
 * @param frozen what the frozen embedder came to: shape as `learned`'s, rows as well
 */
export function asSureAsHeldOut<T extends Softened>(learned: T, labelled: readonly number[], frozen: Matrix): T {
  const { probabilities, heldOut, temperature, restTemperature } = learned;
  const known = new Set(labelled);
  const open = Array.from({ length: probabilities.rows }, (_, row) => row).filter((row) => !known.has(row));
  const some = everyNth(open, MAX_ROWS);
  if (some.length === 0 || labelled.length === 0) return learned;
  const harder = sureness(frozen, some) - sureness(frozen, labelled);
  const wanted = sureness(probabilities, labelled) + harder;
  const factor = factorFor(probabilities, some, wanted);
  if (factor === 1) return learned;
  const softened = newSharedMatrix(probabilities.rows, probabilities.columns);
  softened.data.set(probabilities.data);
  for (const row of open) softened.data.set(softenedRow(probabilities, row, factor), row * probabilities.columns);
  const logits = newSharedMatrix(heldOut.logits.rows, heldOut.logits.columns);
  for (const [i, logit] of heldOut.logits.data.entries()) logits.data[i] = factor * logit;
  return {
    ...learned,
    probabilities: softened,
    heldOut: { ...heldOut, logits },
    temperature: factor * temperature,
    restTemperature: factor * restTemperature,
  };
}

/** By which logits have to be divided until the mean of the largest probabilities is as wanted; 1 where it is no more than that. */
function factorFor(probabilities: Matrix, rows: readonly number[], wanted: number): number {
  const meanWith = (factor: number) =>
    rows.reduce((sum, row) => sum + Math.max(...softenedRow(probabilities, row, factor)), 0) / rows.length;
  let [low, high] = [1, MAX_FACTOR];
  if (meanWith(low) <= wanted) return low;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(low * high);
    if (meanWith(middle) > wanted) low = middle;
    else high = middle;
  }
  return high;
}

function softenedRow({ data, columns }: Matrix, row: number, factor: number): Float64Array {
  const powers = Float64Array.from(data.subarray(row * columns, (row + 1) * columns), (one) => one ** (1 / factor));
  const sum = powers.reduce((total, one) => total + one, 0);
  return powers.map((one) => one / sum);
}

/** The mean of the largest probabilities. */
function sureness({ data, columns }: Matrix, rows: readonly number[]): number {
  const largest = (row: number) => Math.max(...data.subarray(row * columns, (row + 1) * columns));
  return rows.reduce((sum, row) => sum + largest(row), 0) / rows.length;
}

function everyNth(rows: readonly number[], most: number): readonly number[] {
  const step = Math.max(1, rows.length / most);
  return Array.from({ length: Math.min(rows.length, most) }, (_, i) => rows[Math.floor(i * step)] ?? 0);
}
