/**
 * How many clusters there seem to be: what was measured at each number of clusters, weighed by what was right on other sets.
 *
 * A number's score is a weighted sum, and its chance the softmax of the scores, softened. The weights made the expected worth of the
 * cut greatest, drawn by the softmax as it is, over piles drawn from thirteen sets with two embedders (`npm run bench -- piles`
 * derives them again, each set scored with weights that never saw it). Worth is the adjusted Rand index and nearness to the true
 * number, where too few counts for more than too many: merging two clusters is one action, taking one apart is many. For the same
 * reason the number that is shown is not the likeliest one: three fifths of the softmax lie at it or below.
 */
import { type CutEvidence, MEASURES } from '../../math/graph-cluster/cut-evidence.ts';

/** Beside the measures themselves, in this order. */
const DERIVED = ['two', 'modularityBelowMost', 'modularityBelowMostByItems'] as const;
/** What {@link cutFeatures} gives for each number of clusters. */
export const CUT_FEATURES: readonly string[] = [...MEASURES, ...DERIVED];

const WEIGHTS: Readonly<Record<(typeof MEASURES)[number] | (typeof DERIVED)[number], number>> = {
  step: 2.922,
  eigengap: 2.2896,
  modularity: 3.488,
  concentration: 2.8936,
  silhouette: 3.1441,
  largest: -1.7148,
  lastSplit: 0.515,
  nextSplits: -1.4359,
  two: -3.9125,
  modularityBelowMost: 4.2092,
  modularityBelowMostByItems: 0.8832,
};

const OWN_WEIGHTS = CUT_FEATURES.map((name) => WEIGHTS[name as keyof typeof WEIGHTS]);

/**
 * Scores that choose best are surer than they should be, so they are divided by this before they become chances. How often the
 * likely range holds the true number on piles of sets left out is `rangeHolds` of `npm run bench -- piles`.
 */
const SOFTENING = 2;

/**
 * What full agreement with people's words adds to a score, over agreement by chance, where they spoke of half of the items or of
 * as many classes as there seem to be; less in proportion where of fewer of both. It is set by hand, not fitted: from 8 to 32, of
 * which it is the middle, the simulated person of `npm run bench -- piles` (`named`) gets much the same clusters.
 */
const AGREEMENT = 16;

/** The numbers of clusters in question, ascending. */
export interface ClusterCounts {
  readonly ks: readonly number[];
  /** The chance of each to be the right one; they sum to 1. */
  readonly chances: readonly number[];
  /** The same as the weights were fitted, surer than they should be: what the choice goes by; they sum to 1. */
  readonly shares: readonly number[];
}

/** Shape [ks, features]. */
export function cutFeatures({ ks, measures }: Pick<CutEvidence, 'ks' | 'measures'>, items: number): Float64Array[] {
  const width = MEASURES.length;
  const modularity = MEASURES.indexOf('modularity');
  const most = ks.reduce((max, _, row) => Math.max(max, measures[row * width + modularity]), Number.NEGATIVE_INFINITY);
  return ks.map((k, row) => {
    const own = measures.subarray(row * width, (row + 1) * width);
    const below = own[modularity] - most;
    return Float64Array.of(...own, k === 2 ? 1 : 0, below, below * Math.log(Math.max(1, items)));
  });
}

/** What people's words say of the cuts. */
export interface PeoplesAgreement {
  /** How well each number's cut agrees with the classes that they said of some items, 0 to 1, [ks]. */
  readonly ofCuts: ArrayLike<number>;
  /** Classes that they said. */
  readonly classes: number;
  /** Items that they said so of. */
  readonly items: number;
}

/** What a choice goes by beside the evidence. */
interface CountOptions {
  /** Of each of {@link CUT_FEATURES}; default: the product's own. */
  readonly weights?: ArrayLike<number>;
  /** Absent: they said nothing. */
  readonly agreement?: PeoplesAgreement;
}

export function clusterCounts(
  evidence: Pick<CutEvidence, 'ks' | 'measures'>,
  items: number,
  { weights = OWN_WEIGHTS, agreement }: CountOptions = {},
): ClusterCounts {
  const unheard = cutFeatures(evidence, items).map((row) => row.reduce((sum, value, j) => sum + value * weights[j], 0));
  const counts = countsOf(evidence.ks, unheard);
  if (!agreement) return counts;
  // Of two classes of many the coarsest cut that parts them keeps each whole best, and says nothing of the others.
  const said = Math.min(1, Math.max(agreement.classes / chosenCount(counts), (2 * agreement.items) / items));
  return countsOf(
    evidence.ks,
    unheard.map((score, at) => score + AGREEMENT * said * agreement.ofCuts[at]),
  );
}

function countsOf(ks: readonly number[], scores: readonly number[]): ClusterCounts {
  return { ks, chances: softmax(scores, SOFTENING), shares: softmax(scores, 1) };
}

function softmax(scores: readonly number[], softening: number): number[] {
  const most = Math.max(...scores);
  const parts = scores.map((score) => Math.exp((score - most) / softening));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / whole);
}

/**
 * How much of the shares lies at the number that is shown or below it. Set by hand between .5 and .8, of which more leaves fewer
 * piles with too few clusters and more with too many; `npm run bench -- piles` prints what each does (`choices`).
 */
const AT_OR_BELOW = 0.6;

/** The number that is shown: rather more than fewer. @param atOrBelow see {@link AT_OR_BELOW} */
export function chosenCount({ ks, shares }: Pick<ClusterCounts, 'ks' | 'shares'>, atOrBelow = AT_OR_BELOW): number {
  let sum = 0;
  for (const [i, k] of ks.entries()) {
    sum += shares[i];
    if (sum >= atOrBelow) return k;
  }
  return ks.at(-1) ?? 1;
}

/**
 * Chances that lie below the range that is told and above it. Set by hand: with these the truth of piles of sets left out was
 * within it in four of five, and below it about as often as above (`rangeHolds` of `npm run bench -- piles`).
 */
const BELOW = 0.02;
const ABOVE = 0.15;

/**
 * From the least to the most that is likely; what is shown is within.
 *
 * @param mayBeOne whether all may be of one class, which the chances alone say too seldom; default false
 */
export function likelyRange(
  counts: ClusterCounts,
  { mayBeOne = false }: { readonly mayBeOne?: boolean } = {},
): { least: number; most: number } {
  const { ks, chances } = counts;
  let below = 0;
  let [least, most] = [ks.at(-1) ?? 1, ks[0] ?? 1];
  for (const [i, k] of ks.entries()) {
    if (below < 1 - ABOVE) most = k;
    below += chances[i];
    if (below > BELOW) least = Math.min(least, k);
  }
  const k = chosenCount(counts);
  return { least: mayBeOne ? 1 : Math.min(least, k), most: Math.max(most, k) };
}
