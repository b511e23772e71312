/** How deep a network is fine-tuned, as a table: from little to much. */
import { type Cut, parametersIn, type TunableNetwork } from '../../../models/tuning/tunable-network.ts';
import type { TuneOptions } from '../../../models/tuning/tune.ts';

export interface TuningStep
  extends Pick<
    TuneOptions,
    | 'trains'
    | 'samples'
    | 'learningRate'
    | 'headRate'
    | 'mixing'
    | 'smoothing'
    | 'averageDecay'
    | 'patience'
    | 'margins'
  > {
  /** Where training begins: at the pixels, or with the last part that holds this share of the network's weights. */
  readonly from: 'pixels' | { readonly share: number };
  /** Of the weights that come out, the share of those after training, the rest being those before (WiSE-FT): what is tried. */
  readonly shares: readonly number[];
  /** Of an image's views, how many are strong (default 0); they are taught what is believed of the image as it is. */
  readonly strongViews?: number;
  /**
   * What images without a label are taken for: the soft labels of one method, counted by how sure it is (default), or what the
   * mean of several methods is surer of than its class's threshold.
   */
  readonly pseudoLabels?: 'soft' | 'mean-of-methods';
}

/**
 * Fewer labels a class than this (on average) are not enough for any step. Some are, since what the teacher believes of the other
 * images is learned from as well.
 */
export const MIN_LABELS = 4;

const HEAD_RATE = 0.02;

export const STEPS = {
  /** Biases and normalisations alone (Cai et al., "TinyTL", NeurIPS 2020; Ben Zaken et al., "BitFit", ACL 2022). */
  bias: {
    from: 'pixels',
    trains: 'bias',
    samples: 2500,
    learningRate: 0.005,
    headRate: HEAD_RATE,
    shares: [0.5, 1],
  },
  /** What lies above values that are computed once: the quickest. */
  last: {
    from: { share: 1 / 3 },
    trains: 'all',
    samples: 3000,
    learningRate: 0.005,
    headRate: HEAD_RATE,
    shares: [0.3, 0.6, 1],
  },
  /** At a rate of .002 the loss on `electronics` doubled where the rate was highest, and the mean of the weights was of no use. */
  all: {
    from: 'pixels',
    trains: 'all',
    samples: 2500,
    learningRate: 0.0006,
    headRate: HEAD_RATE,
    shares: [0.3, 0.6, 1],
  },
} as const satisfies Record<string, TuningStep>;

export type StepName = keyof typeof STEPS;
export const STEP_NAMES: readonly StepName[] = ['bias', 'last', 'all'];

/** A depth, and which of its rounds, from 1. */
export interface DepthRound {
  readonly step: StepName;
  readonly round: number;
}

export function roundText({ step, round }: { readonly step: string; readonly round: number }): string {
  return round === 1 ? step : `${step}, round ${round}`;
}

/** The last cut with so much behind it: the fewest values to keep, and the least to compute. */
export function cutFor({ cuts }: TunableNetwork, { from }: Pick<TuningStep, 'from'>): Cut {
  const [first] = cuts;
  if (!first) throw new RangeError('a network without a cut');
  if (from === 'pixels') return first;
  const least = from.share * parametersIn(first);
  return cuts.findLast((cut) => parametersIn(cut) >= least) ?? first;
}
