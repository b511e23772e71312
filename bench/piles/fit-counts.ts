/**
 * Weights of the rule that says how many clusters there are, derived from piles: those that make the expected worth of the cut
 * greatest when a cut is drawn by the softmax of its score. By L-BFGS on standardised features, with a small price on weights.
 */
import { minimise } from '../../src/math/heads/lbfgs.ts';

/** One pile: features and worth of each number of clusters. */
export interface CountProblem {
  readonly sets: readonly string[];
  readonly features: readonly Float64Array[];
  readonly worth: readonly number[];
}

const PRICE = 0.05;
const MAX_ITERATIONS = 80;

export async function fitCounts(problems: readonly CountProblem[]): Promise<Float64Array> {
  const width = problems[0]?.features[0]?.length ?? 0;
  const { mean, scale } = standardisation(problems, width);
  const standard = problems.map(({ features, worth }) => ({
    worth,
    features: features.map((row) => row.map((value, j) => (value - mean[j]) / scale[j])),
  }));
  const { x } = await minimise(
    async (weights, gradient) => {
      for (let j = 0; j < width; j++) gradient[j] = (2 * PRICE * weights[j]) / width;
      let value = (PRICE * weights.reduce((sum, one) => sum + one * one, 0)) / width;
      for (const { features, worth } of standard) {
        const scores = features.map((row) => row.reduce((sum, one, j) => sum + one * weights[j], 0));
        const most = Math.max(...scores);
        const parts = scores.map((score) => Math.exp(score - most));
        const whole = parts.reduce((sum, part) => sum + part, 0);
        const expected = parts.reduce((sum, part, i) => sum + (part / whole) * worth[i], 0);
        value -= expected / standard.length;
        for (const [i, row] of features.entries()) {
          const pull = (parts[i] / whole) * (worth[i] - expected);
          for (let j = 0; j < width; j++) {
            gradient[j] = gradient[j] - (pull * row[j]) / standard.length;
          }
        }
      }
      return value;
    },
    new Float64Array(width),
    { maxIterations: MAX_ITERATIONS, tolerance: 1e-4 },
  );
  return x.map((weight, j) => weight / scale[j]);
}

function standardisation(
  problems: readonly CountProblem[],
  width: number,
): { mean: Float64Array; scale: Float64Array } {
  const rows = problems.flatMap(({ features }) => features);
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    mean[j] = rows.reduce((sum, row) => sum + row[j], 0) / rows.length;
    const square = rows.reduce((sum, row) => sum + (row[j] - mean[j]) ** 2, 0);
    scale[j] = Math.sqrt(square / rows.length) + 1e-6;
  }
  return { mean, scale };
}

/** What a number of clusters is worth: agreement, and nearness to the truth, too few counting for more than too many. */
export function worthOf(
  k: number,
  { ari, classes, findable }: { ari: number; classes: number; findable: boolean },
): number {
  const factor = Math.log(k / classes);
  const off = factor < 0 ? -1.6 * factor : factor;
  const nearness = Math.exp(-((off / 0.35) ** 2)) - (k < classes / 2 ? 0.5 : 0);
  return ari + (findable ? 0.6 : 0.18) * nearness;
}
