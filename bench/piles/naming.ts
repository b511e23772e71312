/**
 * A person who names the five largest clusters of a cut, and the cut that is made around them after it. A cluster that is less
 * than four fifths one class is parted once where the tree joins it, and both parts are named.
 */
import type { MergeTree } from '../../src/math/graph-cluster/ward.ts';
import { chosenCount, clusterCounts } from '../../src/stages/discover/cluster-count.ts';
import { cutAround } from '../../src/stages/discover/cluster-cut.ts';
import { cutHierarchy, nodesOfClusters } from '../../src/stages/discover/hierarchy.ts';
import { agreementWith } from '../../src/stages/discover/levels.ts';
import { type Agreement, agreement } from './score.ts';
import { ONE_THING, type Studied } from './study.ts';

const NAMED = 5;

/**
 * @param k clusters that are shown
 * @param weights of the rule that says how many there are
 * @returns agreement of the cut whose number follows the names (`heard`) and of that which only goes around them (`unheard`),
 *   and the number that follows them; null where the tree has no evidence
 */
export function afterNaming(
  { pile, hierarchy, sample }: Pick<Studied, 'pile' | 'hierarchy' | 'sample'>,
  k: number,
  weights: Float64Array,
): { heard: Agreement; unheard: Agreement; k: number } | null {
  const { evidence, leafOf } = sample;
  if (!evidence) return null;
  const known = namesByPerson({ truth: pile.truth, hierarchy }, k);
  const cut = (steps: number) => {
    const names = Array.from({ length: pile.classes }, (_, c) => String(c).padStart(4, '0'));
    const around = cutAround(
      hierarchy,
      { held: { names, whole: names.map(() => true), taken: names.map(() => false) }, classOf: known },
      'auto',
      steps,
    );
    return agreement(pile, hierarchy, around.cut.clusters);
  };
  const said = agreementWith({ ...hierarchy, evidence }, known);
  const heard = chosenCount(clusterCounts(evidence, leafOf.length, { weights, agreement: said }));
  return { heard: cut(heard), unheard: cut(k), k: heard };
}

/** The class that the person named each item's cluster, or its part, after; −1 where neither was named. */
function namesByPerson(
  { truth, hierarchy }: Pick<Studied, 'hierarchy'> & { truth: Int32Array },
  k: number,
): Int32Array {
  const { tree, leafOf } = hierarchy;
  const known = new Int32Array(truth.length).fill(-1);
  const labels = cutHierarchy(hierarchy, k);
  const nodes = nodesOfClusters(hierarchy, k);
  const name = (items: readonly number[]): number => {
    const counts = new Map<number, number>();
    for (const item of items) if (truth[item] >= 0) counts.set(truth[item], (counts.get(truth[item]) ?? 0) + 1);
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    if (!most) return 1;
    for (const item of items) known[item] = most[0];
    return most[1] / [...counts.values()].reduce((sum, count) => sum + count, 0);
  };
  for (let cluster = 0; cluster < Math.min(NAMED, nodes.length); cluster++) {
    const items = [...labels.keys()].filter((item) => labels[item] === cluster);
    const step = nodes[cluster] - tree.points;
    if (name(items) >= ONE_THING || step < 0) continue;
    const left = leavesUnder(tree, tree.left[step]);
    name(items.filter((item) => left.has(leafOf[item])));
    name(items.filter((item) => !left.has(leafOf[item])));
  }
  return known;
}

function leavesUnder(tree: Pick<MergeTree, 'points' | 'left' | 'right'>, node: number): Set<number> {
  const leaves = new Set<number>();
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at < tree.points) leaves.add(at);
    else open.push(tree.left[at - tree.points], tree.right[at - tree.points]);
  }
  return leaves;
}
