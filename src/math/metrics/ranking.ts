/** How well a score ranks positives above negatives. Equal scores count as one step, so the order of items is no matter. */

interface Step {
  /** Items at or above this score so far, and the positives among them. */
  readonly items: number;
  readonly positives: number;
}

/**
 * Area under the ROC curve: the chance that a random positive scores above a random negative, a tie counting half.
 * Null when either kind is missing. Cost O(n log n).
 *
 * @param positive shape [n], 1 for a positive, else 0.
 * @param scores shape [n], higher means more likely positive.
 */
export function auroc(positive: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  const steps = descend(positive, scores);
  const last = steps.at(-1);
  if (!last || last.positives === 0 || last.positives === last.items) return null;
  let area = 0;
  let before: Step = { items: 0, positives: 0 };
  for (const step of steps) {
    const negatives = step.items - step.positives - (before.items - before.positives);
    area += (negatives * (step.positives + before.positives)) / 2;
    before = step;
  }
  return area / (last.positives * (last.items - last.positives));
}

/**
 * Average precision, the step-wise area under the precision-recall curve: Σ (Rₙ − Rₙ₋₁) · Pₙ, without interpolation.
 * Null when there is no positive. Cost O(n log n).
 *
 * @param positive shape [n], 1 for a positive, else 0.
 * @param scores shape [n], higher means more likely positive.
 */
export function averagePrecision(positive: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  const steps = descend(positive, scores);
  const all = steps.at(-1)?.positives ?? 0;
  if (all === 0) return null;
  let sum = 0;
  let before = 0;
  for (const step of steps) {
    sum += ((step.positives - before) / all) * (step.positives / step.items);
    before = step.positives;
  }
  return sum;
}

function descend(positive: ArrayLike<number>, scores: ArrayLike<number>): Step[] {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const steps: Step[] = [];
  let positives = 0;
  for (const [place, i] of order.entries()) {
    if (positive[i] !== 0) positives++;
    if (place + 1 < order.length && scores[order[place + 1]] === scores[i]) continue;
    steps.push({ items: place + 1, positives });
  }
  return steps;
}
