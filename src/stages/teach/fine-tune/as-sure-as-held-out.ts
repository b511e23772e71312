/**
 * How sure a fine-tuned network is of the images it is to label.
 *
 * Images without a label are trained on by what was believed of them, and the network is surer of these than its folds' networks
 * are of images that they never saw, from which its temperature comes. So its answers are softened until it is as sure of them, in
 * the mean, as the folds' networks are of held-out labels; what these images are harder or easier than those that people
 * labelled, the frozen embedder tells, which no image had a part in.
 */
import { largestOfRows, softmaxRows } from '../../../math/calibration.ts';
import { gatherRows, type Matrix, newSharedMatrix, rowsOf } from '../../../math/matrix.ts';
import type { RoundsResult } from '../learn-rounds.ts';

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
export function asSureAsHeldOut<T extends Softened>(learned: T, labelled: Int32Array, frozen: Matrix): T {
  const { probabilities, heldOut, temperature, restTemperature } = learned;
  const known = new Set(labelled);
  const open = Array.from({ length: probabilities.rows }, (_, row) => row).filter((row) => !known.has(row));
  if (open.length === 0 || labelled.length === 0) return learned;
  const harder = sureness(gatherRows(frozen, open)) - sureness(gatherRows(frozen, labelled));
  const wanted = sureness(gatherRows(probabilities, labelled)) + harder;
  const logits = gatherRows(probabilities, open);
  for (const [i, chance] of logits.data.entries()) logits.data[i] = Math.log(chance);
  const factor = factorFor(logits, wanted);
  if (factor === 1) return learned;
  const softer = softmaxRows(logits, factor);
  const all = newSharedMatrix(probabilities.rows, probabilities.columns);
  all.data.set(probabilities.data);
  for (const [i, row] of open.entries()) all.data.set(rowsOf(softer, i, i + 1).data, row * all.columns);
  const scaled = newSharedMatrix(heldOut.logits.rows, heldOut.logits.columns);
  for (const [i, logit] of heldOut.logits.data.entries()) scaled.data[i] = factor * logit;
  return {
    ...learned,
    probabilities: all,
    heldOut: { ...heldOut, logits: scaled },
    temperature: factor * temperature,
    restTemperature: factor * restTemperature,
  };
}

/** The temperature at which the mean of the largest probabilities is as wanted; 1 where it is no more than that. */
function factorFor(logits: Matrix, wanted: number): number {
  const surenessAt = (factor: number) => sureness(softmaxRows(logits, factor));
  let [low, high] = [1, MAX_FACTOR];
  if (surenessAt(low) <= wanted) return low;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(low * high);
    if (surenessAt(middle) > wanted) low = middle;
    else high = middle;
  }
  return high;
}

/** The mean of the largest probabilities. */
function sureness(probabilities: Matrix): number {
  return largestOfRows(probabilities).reduce((sum, one) => sum + one, 0) / probabilities.rows;
}
