/** What `similar` is asked about: an image of the workspace by id or path, or any other file. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ImageId, sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import { createReader } from '../../sources/reader.ts';
import type { Store } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { columnsOf, type EmbeddingRecipe, refuseOtherModel } from '../embed/recipe.ts';

export type Query =
  | { readonly kind: 'image'; readonly id: ImageId }
  | {
      readonly kind: 'file';
      /** What it is called in answers. */
      readonly path: string;
      readonly bytes: Uint8Array;
    };

/** Finds what the user means: a whole id, the path of a known image, or a file that is not in the workspace. */
export async function findQuery(store: Store, text: string, cwd = process.cwd()): Promise<Query> {
  if (/^[0-9a-f]{64}$/.test(text) && (await store.image(text))) return { kind: 'image', id: text };
  const path = resolve(cwd, text);
  const known = (await store.lookupPaths([path])).get(path);
  if (known?.imageId) return { kind: 'image', id: known.imageId };
  if (
    !(await stat(path)
      .then((found) => found.isFile())
      .catch(() => false))
  ) {
    throw new LabelsmithError('NOT_FOUND', `${text} is no image of this workspace and no file.`, {
      hint: 'Name a file, or the 64 digits of an image id as labelsmith export jsonl shows them.',
    });
  }
  const bytes = await createReader().read(path, null, DEFAULT_MAX_BYTES);
  const id = sha256Hex(bytes);
  return (await store.image(id)) ? { kind: 'image', id } : { kind: 'file', path, bytes };
}

/** The query's vector as the model gives it, shape [1, columns]: stored where there is one, else made now. */
export async function vectorOf(
  { store, vectors }: { readonly store: Store; readonly vectors: VectorStore },
  query: Query,
  recipe: EmbeddingRecipe,
  open: () => Promise<Embedder>,
): Promise<Matrix> {
  const vector = newSharedMatrix(1, columnsOf(recipe));
  if (query.kind === 'image') {
    const shards = await store.vectorShards(recipe.space, recipe.items);
    const stored = (await vectors.lookup(shards, [query.id])).get(query.id);
    if (!stored) {
      throw new LabelsmithError('NOT_FOUND', `Image ${query.id.slice(0, 12)} has no embedding yet.`, {
        hint: 'Run labelsmith embed, which does only what is missing.',
      });
    }
    vector.data.set(stored);
    return vector;
  }
  const embedder = await open();
  try {
    refuseOtherModel(recipe, embedder);
    vector.data.set(await embedder.embed(await pixelsFor(query.bytes, embedder.input), 1));
  } finally {
    await embedder.close();
  }
  return vector;
}
