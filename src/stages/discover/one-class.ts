/**
 * Whether all items may be of one class, whatever the number of clusters that is shown.
 *
 * Images of one class fall into clusters too, by background, pose or light, and scores hardly ever speak for one cluster of many
 * items. What tells such piles better is how many items there are and how well the best cut parts the graph: a logistic regression
 * on piles of one class and of several, and the limit that four of five piles of one class pass. `npm run bench -- one-class`
 * derives both, and scores each pile with what piles without its sets say.
 */
import { type CutEvidence, MEASURES } from '../../math/graph-cluster/cut-evidence.ts';
import type { ClusterCounts } from './cluster-count.ts';

/** Bias, then as {@link oneClassFeatures} has them. */
const WEIGHTS = [8.014, -0.6215, -9.8128];

/**
 * A chance of one cluster below it rules one class out. Set by hand: of two classes far apart the modularity is no higher than of one
 * class, and this chance is less than a ten-thousandth of it.
 */
const LEAST_CHANCE = 1e-4;

/** Log of the items, and the highest modularity of any cut. */
export function oneClassFeatures({ ks, measures }: Pick<CutEvidence, 'ks' | 'measures'>, items: number): number[] {
  const modularity = MEASURES.indexOf('modularity');
  const highest = ks.reduce((most, _, row) => Math.max(most, measures[row * MEASURES.length + modularity]), 0);
  return [Math.log(Math.max(1, items)), highest];
}

/** @param weights bias first; default: the product's own */
export function mayBeOneClass(
  features: readonly number[],
  { ks, chances }: Pick<ClusterCounts, 'ks' | 'chances'>,
  weights: ArrayLike<number> = WEIGHTS,
): boolean {
  if (ks[0] !== 1 || chances[0] < LEAST_CHANCE) return false;
  return features.reduce((sum, one, j) => sum + one * weights[j + 1], weights[0]) >= 0;
}
