/**
 * Augmented views of labelled images, embedded like the images themselves. Resident: `count` vectors a labelled image.
 * Made anew each time from the originals and the seed: some hundred images take seconds.
 */
import { type ItemId, isImageId } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { augmentedView } from '../../images/augment.ts';
import { decodeWithin } from '../../images/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { originalBytes, readImage } from '../../jobs/image-reader.ts';
import { isAboutOneFile } from '../../jobs/read-errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import { centreAndNormalise, refuseOtherModel } from '../embed/recipe.ts';
import type { TaskItems } from './items.ts';
import type { Augmentations, Problem } from './problem.ts';

export interface AugmentationOptions {
  /** Augmentations of each labelled image. */
  readonly count: number;
  readonly seed: number;
  /** The recipe's embedder, open. */
  readonly embedder: Embedder;
  readonly signal?: AbortSignal;
}

/** Larger than any embedder's input. */
const LONGEST = 640;

/** Stored vectors of augmented views of an image, not finished: shape [count, columns]. */
export async function embedAugmentations(
  id: ItemId,
  bytes: Uint8Array,
  { count, seed, embedder }: Pick<AugmentationOptions, 'count' | 'seed' | 'embedder'>,
): Promise<Float32Array[]> {
  const image = await decodeWithin(bytes, LONGEST);
  const random = seededRandom(seed, `view:${id}`);
  const files: Uint8Array[] = [];
  for (let i = 0; i < count; i++) files.push(await augmentedView(image, random));
  return Promise.all(files.map(async (file) => embedder.embed(await pixelsFor(file, embedder.input), 1)));
}

/** Images that cannot be read any more have none. */
export async function augmentationsOf(
  workspace: Workspace,
  { task, recipe, mean, ids, features }: TaskItems,
  { labelled }: Problem,
  options: AugmentationOptions,
): Promise<Augmentations> {
  const { embedder, signal } = options;
  if (task.items !== 'images') {
    throw new LabelsmithError('UNSUPPORTED', `The task "${task.name}" is on regions; views are made of whole images.`, {
      hint: 'Leave out --views.',
    });
  }
  refuseOtherModel(recipe, embedder);
  const read = originalBytes(workspace);
  const made: { row: number; vectors: Float32Array[] }[] = [];
  for (const row of labelled) {
    signal?.throwIfAborted();
    const id = ids[row];
    if (!isImageId(id)) continue;
    try {
      made.push({ row, vectors: await embedAugmentations(id, await readImage(workspace.store, id, read), options) });
    } catch (error) {
      if (!isAboutOneFile(error)) throw error;
    }
  }
  const all = made.flatMap(({ row, vectors }) => vectors.map((vector) => ({ row, vector })));
  const matrix = newSharedMatrix(all.length, features.columns);
  for (const [i, { vector }] of all.entries()) matrix.data.set(vector, i * features.columns);
  centreAndNormalise(matrix, recipe, mean.values);
  return { features: matrix, of: Int32Array.from(all, ({ row }) => row) };
}
