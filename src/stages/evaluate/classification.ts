/** Labels of images against the classes of a truth. */
import {
  accuracy,
  accuracyOfAll,
  coverage,
  expectedCalibrationError,
  macroF1,
} from '../../math/metrics/classification.ts';
import type { ClassificationPart, EvaluationDetails, LabelsRight } from './evaluation.ts';
import type { Truth } from './ground-truth.ts';
import type { ImageColumns } from './image-columns.ts';

const CONFUSIONS_SHOWN = 10;

interface JudgedImages {
  readonly truth: number[];
  readonly predicted: number[];
}

export function classify(
  truth: Truth,
  columns: ImageColumns,
): { part: ClassificationPart | null; judged: JudgedImages } {
  const judged: JudgedImages = { truth: [], predicted: [] };
  const forced: JudgedImages = { truth: [], predicted: [] };
  const confidences: number[] = [];
  const correct: number[] = [];
  const [machine, people] = [new RightCount(), new RightCount()];
  for (const { order, classes } of truth.images.values()) {
    if (classes.length === 0) continue;
    const label = columns.label[order];
    const guess = label >= 0 ? label : columns.guess[order];
    judged.truth.push(columns.truth[order]);
    judged.predicted.push(label);
    // A guess at any of an image's true classes is right, as a label would be.
    forced.truth.push(classes.includes(guess) ? guess : columns.truth[order]);
    forced.predicted.push(guess);
    if (label >= 0) {
      confidences.push(columns.confidence[order]);
      correct.push(Number(label === columns.truth[order]));
      (columns.machine[order] === 1 ? machine : people).add(label === columns.truth[order]);
    }
  }
  const share = coverage(judged);
  const forcedAccuracy = accuracyOfAll(forced);
  if (!columns.named || share === null || forcedAccuracy === null) return { part: null, judged };
  const part: ClassificationPart = {
    machine: machine.value(),
    people: people.value(),
    accuracy: accuracy(judged),
    coverage: share,
    accuracyForced: forcedAccuracy,
    macroF1: macroF1(judged),
    ece: expectedCalibrationError(confidences, correct),
  };
  return { part, judged };
}

class RightCount {
  #labels = 0;
  #right = 0;

  add(right: boolean): void {
    this.#labels++;
    if (right) this.#right++;
  }

  value(): LabelsRight {
    return { labels: this.#labels, accuracy: this.#labels === 0 ? null : this.#right / this.#labels };
  }
}

/** Most frequent first. */
export function confusions(judged: JudgedImages, names: readonly string[]): EvaluationDetails['confusions'] {
  const counts = new Map<number, number>();
  for (const [i, t] of judged.truth.entries()) {
    const p = judged.predicted[i];
    if (p >= 0 && p !== t) counts.set(t * names.length + p, (counts.get(t * names.length + p) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, CONFUSIONS_SHOWN)
    .map(([key, count]) => ({
      truth: names[Math.floor(key / names.length)],
      predicted: names[key % names.length],
      count,
    }));
}
