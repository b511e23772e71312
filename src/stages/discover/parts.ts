/** Some items clustered by themselves: the parts they fall into. */
import { IdMap, IdSet } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { gatherRows } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { centreAndNormalise, requireMean, requireRecipe } from '../embed/recipe.ts';
import { cutHierarchy, hierarchyOf } from './hierarchy.ts';
import { assignByNeighbours } from './knn-assignment.ts';
import { nuisanceFor, withoutNuisance } from './nuisance.ts';
import { MAX_SAMPLE, readSample, sampleKey } from './sample.ts';
import { mostTypicalFirst } from './typical.ts';

export interface Parts {
  /** The part of each item that has a vector, the largest part first. */
  readonly partOf: IdMap;
  /** Of each part the items that stand for it, best first. */
  readonly exemplars: readonly (readonly ItemId[])[];
}

export interface PartsRequest {
  readonly items: ItemKind;
  readonly into: number;
  readonly pool: InferencePool;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

const EXEMPLARS = 9;

/** @param ids in order. Of more than {@link MAX_SAMPLE} a sample is clustered, and the others go with their neighbours. */
export async function partsOf(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  ids: readonly ItemId[],
  { items, into, pool, seed, signal }: PartsRequest,
): Promise<Parts> {
  const recipe = await requireRecipe(store, items);
  const mean = await requireMean(store, recipe);
  const shards = await store.vectorShards(recipe.space, items);
  // Ids are hashes of contents, so the first in order are a random sample.
  const wanted = new Set(ids.slice(0, MAX_SAMPLE).map(sampleKey));
  const sample = await readSample(vectors, shards, wanted, recipe, mean);
  const partOf = new IdMap();
  if (sample.ids.length === 0) return { partOf, exemplars: [] };
  const comparable = await withoutNuisance(pool, sample.vectors, nuisanceFor(recipe));
  const clusters = cutHierarchy(await hierarchyOf(pool, comparable, { method: 'graph', seed, signal }), into);
  const clustered = { index: exactIndex(pool, sample.vectors), ids: sample.ids, clusters };
  for (const [i, id] of sample.ids.entries()) partOf.set(id, clusters[i]);
  const k = clusters.reduce((most, cluster) => Math.max(most, cluster + 1), 0);
  const order = await mostTypicalFirst(clustered, sample.vectors, k);
  const exemplars = order.map((rows) => rows.slice(0, EXEMPLARS).map((row) => sample.ids[row]));
  if (ids.length <= MAX_SAMPLE) return { partOf, exemplars };
  const all = new IdSet();
  for (const id of ids) all.add(id);
  for await (const part of vectors.stream(shards)) {
    const rows = [...part.ids.keys()].filter(
      (row) => all.has(part.ids[row]) && partOf.get(part.ids[row]) === undefined,
    );
    if (rows.length === 0) continue;
    const matrix = gatherRows(part.vectors, rows);
    centreAndNormalise(matrix, recipe, mean.values);
    const others = rows.map((row) => part.ids[row]);
    const found = await assignByNeighbours(clustered, others, matrix, []);
    for (const [i, id] of others.entries()) partOf.set(id, found[i].cluster);
  }
  return { partOf, exemplars };
}
