/**
 * Labels that are probably wrong: confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating
 * Uncertainty in Dataset Labels", JAIR 70, 2021).
 *
 * From probabilities that were not learned from the label in question: a class's threshold is the mean probability of
 * that class among the items labelled with it. An item counts as confidently of another class when that class's
 * probability reaches its threshold and is the largest that does. All labels are ranked by self-confidence, the
 * probability of the label that was given, the least first. Cost n · classes.
 */
import type { Matrix } from './matrix.ts';

export interface LabelDoubt {
  /** Place among the labels given. */
  readonly place: number;
  /** Probability of the given label, 0 to 1: the less, the more likely it is wrong. */
  readonly selfConfidence: number;
  /** Class of the largest probability. */
  readonly suggested: number;
  /** Confidently of another class, which is also the likeliest: in an off-diagonal cell of the confident joint. */
  readonly flagged: boolean;
}

/**
 * The most doubtful label first, equal ones in their order.
 * @param probabilities shape [n, classes], out of sample. @param labels shape [n].
 */
export function rankLabelErrors({ data, columns }: Matrix, labels: Int32Array): LabelDoubt[] {
  const sums = new Float64Array(columns);
  const counts = new Int32Array(columns);
  for (const [i, label] of labels.entries()) {
    sums[label] = sums[label] + data[i * columns + label];
    counts[label] = counts[label] + 1;
  }
  const thresholds = sums.map((sum, c) => (counts[c] > 0 ? sum / counts[c] : 2));
  const doubts = Array.from(labels, (label, place): LabelDoubt => {
    const row = data.subarray(place * columns, (place + 1) * columns);
    let suggested = 0;
    let confident = -1;
    for (let c = 0; c < columns; c++) {
      if (row[c] > row[suggested]) suggested = c;
      if (row[c] < thresholds[c]) continue;
      if (confident < 0 || row[c] > row[confident]) confident = c;
    }
    // A label that is the likeliest class is in no doubt, however low its class's threshold or another's.
    const flagged = confident >= 0 && confident !== label && suggested !== label;
    return { place, selfConfidence: row[label], suggested, flagged };
  });
  return doubts.sort((a, b) => a.selfConfidence - b.selfConfidence || a.place - b.place);
}
