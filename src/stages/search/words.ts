/**
 * Words beside images: texts and images as vectors of one space, of an embedder that was trained with both.
 *
 * Images and texts lie in different parts of that space, so a cosine between the two means nothing by itself: what is told of one
 * is how far it stands out from those of the pile. Vectors are compared as they were trained, without the data set's mean.
 */
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import { medianOf } from '../../math/median.ts';
import type { TextEncoder } from '../../models/text-encoder.ts';
import type { VectorShard } from '../../store/store.ts';
import { columnsOf, type EmbeddingRecipe, requireRecipe } from '../embed/recipe.ts';

export interface WordSpace {
  readonly recipe: EmbeddingRecipe;
  readonly shards: readonly VectorShard[];
  readonly encoder: TextEncoder;
}

/** Opens the text side of the workspace's embedder; whoever asks closes it. */
export async function openWords(
  { store, models }: Pick<Workspace, 'store' | 'models'>,
  items: 'images' | 'regions',
  { threads }: { readonly threads: number },
): Promise<WordSpace> {
  const recipe = await requireRecipe(store, items);
  const shards = await store.vectorShards(recipe.space, items);
  const encoder = await models.openTextEncoder(recipe.model, { threads });
  if (encoder.dimensions === columnsOf(recipe)) return { recipe, shards, encoder };
  await encoder.close();
  throw new LabelsmithError('UNSUPPORTED', `the vectors here are not those that ${recipe.model} compares with words`, {
    hint: `labelsmith embed --model ${recipe.model} makes them.`,
  });
}

/** Cosines of each row to each text, shape [rows, texts]. @param texts rows of length 1 @param rows as the model gives them */
export function cosinesTo(texts: Matrix, { data, rows, columns }: Matrix): Float32Array {
  const out = new Float32Array(rows * texts.rows);
  for (let row = 0; row < rows; row++) {
    let square = 0;
    for (let j = 0; j < columns; j++) square += data[row * columns + j] ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let t = 0; t < texts.rows; t++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += data[row * columns + j] * texts.data[t * columns + j];
      out[row * texts.rows + t] = sum * scale;
    }
  }
  return out;
}

/** Middle and spread of what a pile says to a text: the median, and its median deviation as of a normal distribution. */
export interface Spread {
  readonly middle: number;
  readonly spread: number;
}

export function spreadOf(values: Float32Array): Spread {
  if (values.length === 0) return { middle: 0, spread: 0 };
  const middle = medianOf(values);
  return { middle, spread: 1.4826 * medianOf(values.map((value) => Math.abs(value - middle))) };
}

/** How many spreads a cosine is above the pile's middle. */
export function standingOut(value: number, { middle, spread }: Spread): number {
  return spread > 0 ? (value - middle) / spread : 0;
}
