/** What the rows of known classes say of a row that is not known: a normal distribution. */
import { cholesky } from '../../../math/cholesky.ts';
import type { HeatmapHead } from './tunable-detector.ts';

export interface RowPrior {
  readonly channels: number;
  /** Shape [channels]. */
  readonly mean: Float32Array;
  /** Shape [channels, channels], lower triangle: L with L Lᵀ the covariance. */
  readonly factor: Float32Array;
  /** Mean of the biases. */
  readonly bias: number;
  /** m + L z. @param z shape [classes, channels] */
  rows(z: Float32Array): Float32Array;
}

/** Of the covariance, what is taken to be the same in every direction: there are fewer classes than channels. */
const SPHERE = 0.2;

export function priorOf({ weights, bias }: HeatmapHead): RowPrior {
  const classes = bias.length;
  const channels = weights.length / classes;
  const mean = new Float32Array(channels);
  for (let i = 0; i < weights.length; i++) mean[i % channels] += weights[i] / classes;
  const covariance = new Float64Array(channels * channels);
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < channels; i++) {
      const a = (weights[c * channels + i] - mean[i]) / classes;
      for (let j = 0; j <= i; j++) covariance[i * channels + j] += a * (weights[c * channels + j] - mean[j]);
    }
  }
  let trace = 0;
  for (let i = 0; i < channels; i++) trace += covariance[i * channels + i];
  // Of one class nothing is known but where it is.
  const size = Math.max(trace / channels, 1e-6);
  for (let i = 0; i < channels; i++) {
    for (let j = 0; j <= i; j++) covariance[i * channels + j] *= 1 - SPHERE;
    covariance[i * channels + i] += SPHERE * size;
  }
  const factor = Float32Array.from(cholesky(covariance, channels));
  return {
    channels,
    mean,
    factor,
    bias: bias.reduce((sum, one) => sum + one, 0) / classes,
    rows(z) {
      return z.map((_, at) => {
        const [first, i] = [at - (at % channels), at % channels];
        let sum = mean[i];
        for (let j = 0; j <= i; j++) sum += factor[i * channels + j] * z[first + j];
        return sum;
      });
    },
  };
}
