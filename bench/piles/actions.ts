/**
 * What it takes a person to bring a pile in order, who looks at its clusters: naming one is an action, splitting one where the
 * tree joins it is one, moving an image is one. Two clusters of one name are one class. Counted until 95 % are right.
 *
 * The person is a good one: for a price of a wrong image, 0 to 1 action, the cheapest plan is worked out from the leaves up (a
 * cluster is left alone, named as it is, or split), images are moved one by one until 95 % are right, and the cheapest price
 * wins. Cost O(classes · items) a cluster and price.
 */
import type { MergeTree } from '../../src/math/graph-cluster/ward.ts';

const RIGHT = 0.95;
const PRICES = [0, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1];

interface Clustering {
  /** Class of every item; −1 for junk, which need not be right. */
  readonly truth: ArrayLike<number>;
  /** Cluster of every item; those of none have to be moved. */
  readonly labels: ArrayLike<number>;
  /** Leaf of every item. */
  readonly leafOf: ArrayLike<number>;
  readonly tree: MergeTree;
}

/** A cluster, or a part of it: counts of each class, and what it can be split into. */
interface Part {
  readonly counts: Int32Array;
  readonly size: number;
  readonly most: number;
  readonly halves: readonly [Part, Part] | null;
}

interface Plan {
  readonly actions: number;
  readonly wrong: number;
}

export function actionsTo95({ truth, labels, leafOf, tree }: Clustering): number {
  const all = Array.from(truth, (_, i) => i).filter((i) => truth[i] >= 0);
  if (all.length === 0) return 0;
  const classes = all.reduce((most, i) => Math.max(most, truth[i] + 1), 0);
  const byCluster = new Map<number, number[]>();
  let alone = 0;
  for (const i of all) {
    const cluster = labels[i];
    if (cluster < 0) alone++;
    else byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), i]);
  }
  const parts = [...byCluster.values()].map((items) => partOf(items, { truth, leafOf, tree, classes }));
  const allowed = Math.floor((1 - RIGHT) * all.length);
  const totals = PRICES.map((price) => {
    let [actions, wrong] = [0, alone];
    for (const part of parts) {
      const plan = planOf(part, price);
      actions += plan.actions;
      wrong += plan.wrong;
    }
    return actions + Math.max(0, wrong - allowed);
  });
  return Math.min(...totals);
}

function partOf(
  items: readonly number[],
  { truth, leafOf, tree, classes }: Pick<Clustering, 'truth' | 'leafOf' | 'tree'> & { classes: number },
): Part {
  const nodes = new Map<number, Part>();
  const made = (counts: Int32Array, halves: Part['halves']): Part => ({
    counts,
    size: counts.reduce((sum, count) => sum + count, 0),
    most: counts.reduce((most, count) => Math.max(most, count), 0),
    halves,
  });
  for (const i of items) {
    const leaf = leafOf[i];
    const counts = nodes.get(leaf)?.counts ?? new Int32Array(classes);
    const c = truth[i];
    counts[c] = counts[c] + 1;
    nodes.set(leaf, made(counts, null));
  }
  let top: Part | undefined;
  for (let s = 0; s < tree.left.length && nodes.size > 0; s++) {
    const [a, b] = [nodes.get(tree.left[s]), nodes.get(tree.right[s])];
    nodes.delete(tree.left[s]);
    nodes.delete(tree.right[s]);
    const joined =
      a && b
        ? made(
            a.counts.map((count, c) => count + b.counts[c]),
            [a, b],
          )
        : (a ?? b);
    if (joined) nodes.set(tree.points + s, joined);
    if (joined && joined.size === items.length) top = joined;
  }
  return top ?? ([...nodes.values()][0] as Part);
}

/** The cheapest at a price of a wrong image; the plans of parts that are one class need no look inside. */
function planOf({ size, most, halves }: Part, price: number): Plan {
  const cost = ({ actions, wrong }: Plan) => actions + price * wrong;
  const whole: Plan[] = [
    { actions: 0, wrong: size },
    { actions: 1, wrong: size - most },
  ];
  if (halves && most < size) {
    const [a, b] = [planOf(halves[0], price), planOf(halves[1], price)];
    whole.push({ actions: 1 + a.actions + b.actions, wrong: a.wrong + b.wrong });
  }
  return whole.reduce((best, plan) => (cost(plan) < cost(best) ? plan : best));
}
