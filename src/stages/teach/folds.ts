/** Folds for cross-validation: groups stay together, classes are spread evenly. */
import { pushTo } from '../../core/lists.ts';
import { seededRandom, shuffled } from '../../core/random.ts';

export interface FoldItems {
  /** Class of each item, shape [n]. */
  readonly labels: ArrayLike<number>;
  /** Group of each item (near-duplicates, frames of a video), shape [n]. */
  readonly groups: ArrayLike<number | string>;
}

/**
 * The fold of each item, 0 to `folds` − 1; shape [n]. Groups are dealt out largest first (equal ones at random), each to
 * the fold that has the fewest of its classes so far, then the fewest items. Cost O(n · folds).
 */
export function groupFolds({ labels, groups }: FoldItems, folds: number, seed: number): Int32Array {
  const members = new Map<number | string, number[]>();
  for (let i = 0; i < labels.length; i++) pushTo(members, groups[i], i);
  const order = shuffled([...members.values()], seededRandom(seed, 'folds')).sort((a, b) => b.length - a.length);
  const sizes = new Float64Array(folds);
  const counts = Array.from({ length: folds }, () => new Map<number, number>());
  const result = new Int32Array(labels.length);
  for (const group of order) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let fold = 0; fold < folds; fold++) {
      let load = 0;
      for (const i of group) load += counts[fold]?.get(labels[i]) ?? 0;
      // Fewer than one item of a class: only between folds that are alike in their classes.
      load += sizes[fold] / (labels.length + 1);
      if (load >= least) continue;
      least = load;
      best = fold;
    }
    for (const i of group) {
      result[i] = best;
      const label = labels[i];
      counts[best]?.set(label, (counts[best]?.get(label) ?? 0) + 1);
    }
    sizes[best] = sizes[best] + group.length;
  }
  return result;
}
