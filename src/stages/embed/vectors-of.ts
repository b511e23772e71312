/** Embeddings of a workspace as its recipe compares them; none where `embed` has not run to its end. */
import type { ItemId } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { centreAndNormalise, savedMean, savedRecipe } from './recipe.ts';

export async function vectorsOf(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  items: ItemKind,
  ids: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, Float32Array>> {
  if (ids.length === 0) return new Map();
  const recipe = await savedRecipe(store, items);
  const mean = recipe && (await savedMean(store, recipe.space));
  if (!recipe || !mean) return new Map();
  const found = await vectors.lookup(await store.vectorShards(recipe.space, items), ids);
  for (const data of found.values()) {
    centreAndNormalise({ data, rows: 1, columns: data.length }, recipe, mean.values);
  }
  return found;
}
