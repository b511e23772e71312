/** Embeddings of a workspace as its recipe compares them; none where `embed` has not run to its end. */
import type { ItemId } from '../core/ids.ts';
import type { ItemKind } from '../core/labels.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { finishVectors, savedRecipe, savedStatistics } from '../stages/embed/recipe.ts';
import { arrowVectorStore } from '../vectors/arrow-store.ts';

export async function vectorsOf(
  { dir, store }: Workspace,
  items: ItemKind,
  ids: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, Float32Array>> {
  if (ids.length === 0) return new Map();
  const recipe = await savedRecipe(store, items);
  const statistics = recipe && (await savedStatistics(store, recipe.space));
  if (!recipe || !statistics) return new Map();
  const found = await arrowVectorStore(dir).lookup(await store.vectorShards(recipe.space, items), ids);
  for (const data of found.values()) {
    finishVectors({ data, rows: 1, columns: data.length }, recipe, statistics.mean);
  }
  return found;
}
