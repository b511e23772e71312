/**
 * What a person says of a cut, and the cut that is made around it after it: names for the five largest clusters, of which one that is
 * less than four fifths one class is parted once where the tree joins it, both parts named; or labels for some images of two classes.
 */
import type { MergeTree } from '../../src/math/graph-cluster/ward.ts';
import { chosenCount, clusterCounts } from '../../src/stages/discover/cluster-count.ts';
import { cutAround } from '../../src/stages/discover/cluster-cut.ts';
import { cutHierarchy, nodesOfClusters } from '../../src/stages/discover/hierarchy.ts';
import { agreementWith } from '../../src/stages/discover/levels.ts';
import { drawingMembers } from '../../src/stages/discover/lone-members.ts';
import { type Agreement, agreement } from './score.ts';
import { ONE_THING, type Studied } from './study.ts';

const NAMED = 5;
const LABELLED_CLASSES = 2;
const LABELS_A_CLASS = 8;

/** Of each item the class that a person said of it by itself or with its cluster, [items]; −1 for none. */
export type Words = (studied: Pick<Studied, 'pile' | 'hierarchy'>, k: number) => Int32Array;

/**
 * @param k clusters that are shown
 * @param weights of the rule that says how many there are
 * @returns agreement of the cut whose number follows the words (`heard`) and of that which only goes around them (`unheard`),
 *   and the number that follows them; null where the tree has no evidence
 */
export function afterWords(
  { pile, hierarchy, sample }: Pick<Studied, 'pile' | 'hierarchy' | 'sample'>,
  { k, weights, words }: { readonly k: number; readonly weights: Float64Array; readonly words: Words },
): { heard: Agreement; unheard: Agreement; k: number } | null {
  const { evidence, leafOf } = sample;
  if (!evidence) return null;
  const known = words({ pile, hierarchy }, k);
  const drawing = drawingMembers(hierarchy, k, known);
  const cut = (steps: number) => {
    const names = Array.from({ length: pile.classes }, (_, c) => String(c).padStart(4, '0'));
    const around = cutAround(
      hierarchy,
      { held: { names, whole: names.map(() => true), taken: names.map(() => false) }, classOf: known, drawing },
      'auto',
      steps,
    );
    return agreement(pile, hierarchy, around.cut.clusters);
  };
  const said = agreementWith({ ...hierarchy, evidence }, drawing);
  const heard = chosenCount(clusterCounts(evidence, leafOf.length, { weights, agreement: said }));
  return { heard: cut(heard), unheard: cut(k), k: heard };
}

/** The class that the person named each item's cluster, or its part, after; −1 where neither was named. */
export const namesOfClusters: Words = ({ pile: { truth }, hierarchy }, k) => {
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
};

/** Of the first classes by number, the first images. */
export const labelsOfImages: Words = ({ pile: { truth } }) => {
  const known = new Int32Array(truth.length).fill(-1);
  for (let one = 0; one < LABELLED_CLASSES; one++) {
    const images = [...truth.keys()].filter((item) => truth[item] === one);
    for (const item of images.slice(0, LABELS_A_CLASS)) known[item] = one;
  }
  return known;
};

function leavesUnder(tree: Pick<MergeTree, 'points' | 'left' | 'right'>, node: number): Set<number> {
  const leaves = new Set<number>();
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at < tree.points) leaves.add(at);
    else open.push(tree.left[at - tree.points], tree.right[at - tree.points]);
  }
  return leaves;
}
