/**
 * The clusters that `discover` made before evidence was weighed: Ward's tree on the diffusion map of all items, strange ones and copies
 * too, by their vectors as they are, cut at its longest step up to the square root of the items.
 */
import { diffusionMap } from '../../src/math/graph-cluster/diffusion.ts';
import { wardTree } from '../../src/math/graph-cluster/ward.ts';
import type { Matrix } from '../../src/math/matrix.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { cutHierarchy, neighboursOf } from '../../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../../src/stages/discover/levels.ts';
import type { Pile } from './draw.ts';
import { type Agreement, agreement } from './score.ts';

/** @param vectors one an item, rows of length 1; undefined for piles of fewer than two items */
export async function clusteredAsBefore(
  pool: InferencePool,
  pile: Pile,
  vectors: Matrix,
): Promise<Agreement | undefined> {
  if (vectors.rows < 2) return undefined;
  const map = diffusionMap(await neighboursOf(pool, vectors), { seed: 0 });
  const leafOf = Int32Array.from({ length: vectors.rows }, (_, item) => item);
  const hierarchy = { leafOf, tree: wardTree(map.coordinates) };
  return agreement(pile, hierarchy, cutHierarchy(hierarchy, suggestedK(hierarchy)));
}
