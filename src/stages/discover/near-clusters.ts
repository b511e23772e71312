/**
 * Clusters that may be one class: their most typical items are nearly as like one another across the two as within each.
 *
 * The likeness of two clusters is the mean cosine between their exemplars, over the mean of those within each. On `caltech-30`,
 * cut into 61 clusters (55 pairs of which are of one class), 11 of the 20 pairs of 0.6 or more are; cut into 29, no pair
 * reaches it and none is of one class. So they are proposals for a person who sees both, and nothing merges by itself.
 *
 * Cost: reads the shards of at most {@link MAX_EXEMPLARS} items a cluster, then clusters² · columns products.
 */
import type { ItemId } from '../../core/ids.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { dot } from '../../math/dot.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import { centreAndNormalise, columnsOf, savedMean, savedRecipe } from '../embed/recipe.ts';
import type { ClusterModel } from './cluster-model.ts';

export interface NearClusters {
  /** Places in the model's clusters, `a` < `b`. */
  readonly a: number;
  readonly b: number;
  /** 1: as like one another as within themselves. */
  readonly likeness: number;
}

const MIN_LIKENESS = 0.6;
/** One alone is like nothing within its cluster. */
const MIN_EXEMPLARS = 3;
const MAX_EXEMPLARS = 9;
/** More are not compared, since it would take long: so many are not named by hand, one after the other. */
const MAX_CLUSTERS = 500;

/** The nearest first. Nothing where the vectors are not those that were clustered any more. */
export async function nearClusters(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  { items, space, clusters }: Pick<ClusterModel, 'items' | 'space' | 'clusters'>,
): Promise<readonly NearClusters[]> {
  const recipe = await savedRecipe(store, items);
  const mean = recipe && (await savedMean(store, recipe.space));
  if (!recipe || !mean || recipe.space !== space || clusters.length > MAX_CLUSTERS) return [];
  const typical = clusters.map(({ exemplars }) => exemplars.slice(0, MAX_EXEMPLARS));
  const found = await vectors.lookup(await store.vectorShards(space, items), typical.flat());
  const sums = typical.map((ids) => {
    const there = rowsOf(ids, found, columnsOf(recipe));
    centreAndNormalise(there, recipe, mean.values);
    return sumOf(there);
  });
  const near: NearClusters[] = [];
  for (const [b, second] of sums.entries()) {
    for (const [a, first] of sums.slice(0, b).entries()) {
      const likeness = likenessOf(first, second);
      if (likeness >= MIN_LIKENESS) near.push({ a, b, likeness });
    }
  }
  return near.sort((one, other) => other.likeness - one.likeness || one.a - other.a || one.b - other.b);
}

function rowsOf(ids: readonly ItemId[], found: ReadonlyMap<ItemId, Float32Array>, columns: number): Matrix {
  const there = ids.flatMap((id) => found.get(id) ?? []);
  const rows = newSharedMatrix(there.length, columns);
  for (const [row, vector] of there.entries()) rows.data.set(vector, row * columns);
  return rows;
}

/** Vectors of length 1, of which the sum tells all mean cosines. */
interface Sum {
  readonly values: Float32Array;
  readonly count: number;
  /** Mean cosine between two of them. */
  readonly within: number;
}

function sumOf({ data, rows, columns }: Matrix): Sum {
  const values = new Float32Array(columns);
  for (let i = 0; i < data.length; i++) values[i % columns] += data[i];
  // |Σ v|² = n + Σ of the cosines of pairs, each twice.
  const within = rows < 2 ? 0 : (dot(values, values) - rows) / (rows * (rows - 1));
  return { values, count: rows, within };
}

function likenessOf(one: Sum, other: Sum): number {
  const within = (one.within + other.within) / 2;
  if (Math.min(one.count, other.count) < MIN_EXEMPLARS || within <= 0) return 0;
  return dot(one.values, other.values) / (one.count * other.count) / within;
}
