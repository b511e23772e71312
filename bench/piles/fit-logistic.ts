/** Logistic regression with a small price on weights of standardised features, by L-BFGS. */
import { minimise } from '../../src/math/heads/lbfgs.ts';

export interface Case {
  readonly features: readonly number[];
  readonly positive: boolean;
  /** Default 1. */
  readonly weight?: number;
}

const PRICE = 1e-3;

/** The bias, then a weight a feature. */
export async function fitLogistic(cases: readonly Case[]): Promise<Float64Array> {
  const width = cases[0]?.features.length ?? 0;
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    mean[j] = cases.reduce((sum, { features }) => sum + features[j], 0) / cases.length;
    const square = cases.reduce((sum, { features }) => sum + (features[j] - mean[j]) ** 2, 0);
    scale[j] = Math.sqrt(square / cases.length) + 1e-6;
  }
  const rows = cases.map(({ features }) => features.map((one, j) => (one - mean[j]) / scale[j]));
  const whole = cases.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const { x } = await minimise(
    async (weights, gradient) => {
      gradient[0] = 0;
      let value = 0;
      for (let j = 1; j <= width; j++) {
        gradient[j] = 2 * PRICE * weights[j];
        value += PRICE * weights[j] ** 2;
      }
      for (const [i, row] of rows.entries()) {
        const { positive, weight = 1 } = cases[i] as Case;
        const logit = row.reduce((sum, one, j) => sum + one * weights[j + 1], weights[0]);
        const chance = 1 / (1 + Math.exp(-logit));
        const part = weight / whole;
        value -= part * Math.log(Math.max(1e-12, positive ? chance : 1 - chance));
        const pull = part * (chance - (positive ? 1 : 0));
        gradient[0] = gradient[0] + pull;
        for (let j = 0; j < width; j++) gradient[j + 1] = gradient[j + 1] + pull * row[j];
      }
      return value;
    },
    new Float64Array(width + 1),
    { maxIterations: 100 },
  );
  const weights = x.map((one, j) => (j === 0 ? one : one / scale[j - 1]));
  for (let j = 0; j < width; j++) weights[0] = weights[0] - weights[j + 1] * mean[j];
  return weights;
}
