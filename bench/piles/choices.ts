/**
 * Which number of clusters is shown, where scores speak for several: the likeliest, or the one that so much of the shares lies at
 * or below. Each is compared with the likeliest, pile by pile, with weights of piles of other sets.
 */
import { type ClusterCounts, chosenCount } from '../../src/stages/discover/cluster-count.ts';
import { cutHierarchy } from '../../src/stages/discover/hierarchy.ts';
import { rounded } from '../process.ts';
import { type Agreement, agreement } from './score.ts';
import { FINDABLE, NEAR, type Studied } from './study.ts';

const QUANTILES = [0.5, 0.6, 0.7, 0.8];

type Judged = Pick<Studied, 'pile' | 'hierarchy' | 'best'>;
type Choice = (counts: ClusterCounts) => number;

/** The number with the highest score, of equal ones the least. */
function likeliest({ ks, shares }: ClusterCounts): number {
  let best = 0;
  for (let i = 1; i < ks.length; i++) if (shares[i] > shares[best]) best = i;
  return ks[best] ?? 1;
}

/** What is asked of a choice, and by how much it differs from the likeliest number: mean and standard error over the piles. */
export function choices(piles: readonly { readonly one: Judged; readonly counts: ClusterCounts }[]) {
  const foundBy = (choice: Choice) =>
    piles.map(({ one, counts }) => ({
      one,
      found: agreement(one.pile, one.hierarchy, cutHierarchy(one.hierarchy, choice(counts))),
    }));
  const before = foundBy(likeliest);
  const rules: [string, Choice][] = QUANTILES.map((share) => [
    `${share} at or below`,
    (counts) => chosenCount(counts, share),
  ]);
  return Object.fromEntries([
    ['likeliest', compared(before, before)],
    ...rules.map(([name, choice]) => [name, compared(foundBy(choice), before)]),
  ]);
}

type Found = readonly { readonly one: Judged; readonly found: Agreement }[];

function compared(own: Found, before: Found) {
  const findable = ({ one }: Found[number]) => one.best.nmi >= FINDABLE;
  const told = (pick: (one: Found[number]) => number, counts: (one: Found[number]) => boolean = () => true) => {
    const now = own.filter(counts).map(pick);
    const then = before.filter(counts).map(pick);
    const differences = now.map((value, i) => value - then[i]);
    const mean = meanOf(differences);
    const variance = meanOf(differences.map((one) => (one - mean) ** 2));
    const error = Math.sqrt(variance / differences.length);
    return { mean: rounded(meanOf(now)), difference: rounded(mean), standardError: rounded(error) };
  };
  const asNumber = (test: (k: number, classes: number) => boolean) => (one: Found[number]) =>
    test(one.found.k, one.one.pile.classes) ? 1 : 0;
  return {
    kNear: told(
      asNumber((k, classes) => Math.max(k / classes, classes / k) <= NEAR),
      findable,
    ),
    kBelowHalf: told(
      asNumber((k, classes) => k < classes / 2),
      findable,
    ),
    kAboveDouble: told(
      asNumber((k, classes) => k > 2 * classes),
      findable,
    ),
    ari: told(({ found }) => found.ari),
    actions: told(({ found }) => found.actions),
  };
}

const meanOf = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
