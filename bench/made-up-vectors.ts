/** Vectors of images that are none: each near the point of its kind, as a model gives them. */
import type { ImageId } from '../src/core/ids.ts';
import { seededRandom } from '../src/core/random.ts';
import type { Workspace } from '../src/jobs/workspace.ts';
import { matrix } from '../src/math/matrix.ts';
import { recipeOf, saveRecipe } from '../src/stages/embed/recipe.ts';

export interface MadeUp {
  readonly columns: number;
  readonly kinds: number;
  /** Width of a coordinate about that of its kind, over the width of the kinds' own. */
  readonly spread: number;
  readonly imagesAFile: number;
}

/** Of these images, in the workspace's store already, as `embed` would have left them. */
export async function writeMadeUpVectors(
  { store, vectors }: Workspace,
  images: readonly ImageId[],
  { columns, kinds: count, spread, imagesAFile }: MadeUp,
): Promise<void> {
  const random = seededRandom(1);
  const kinds = Float32Array.from({ length: count * columns }, () => random() - 0.5);
  const recipe = recipeOf({ id: 'made-up', key: 'made-up', blocks: [{ columns, weight: 1 }] }, 'images');
  await saveRecipe(store, recipe);
  const sorted = images.toSorted();
  for (let from = 0; from < sorted.length; from += imagesAFile) {
    const ids = sorted.slice(from, from + imagesAFile);
    const data = new Float32Array(ids.length * columns);
    for (const [i, id] of ids.entries()) {
      const kind = Number.parseInt(id.slice(0, 8), 16) % count;
      for (let j = 0; j < columns; j++) data[i * columns + j] = kinds[kind * columns + j] + spread * (random() - 0.5);
    }
    const shard = { space: recipe.space, items: 'images' as const, shard: String(from), runId: null, ids };
    await store.putVectorShard(await vectors.write({ ...shard, vectors: matrix(data, ids.length, columns) }));
  }
}
