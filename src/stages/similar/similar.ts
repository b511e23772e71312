/**
 * `similar`: the images nearest to one image.
 *
 * Exact search reads every vector once and holds one shard. LSH holds all vectors (4 bytes a number, 4.6 kB an image with
 * the default recipe) and an index of about 50 bytes an image, which is kept in the workspace's cache and extended when
 * images have come in since; it pays where many searches follow each other.
 */
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from '../../blobs/described-blob.ts';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { type Neighbours, noNeighbours, offer } from '../../math/knn/neighbours.ts';
import { decodeLsh, encodeLsh } from '../../math/lsh/lsh-file.ts';
import { LshIndex } from '../../math/lsh/lsh-index.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { VectorShard } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import {
  centreAndNormalise,
  columnsOf,
  type EmbeddingRecipe,
  requireMean,
  requireRecipe,
  type SpaceMean,
} from '../embed/recipe.ts';
import { openSavedEmbedder } from '../embed/saved-embedder.ts';
import { findQuery, type Query, vectorOf } from './query.ts';

export interface SimilarOptions {
  /** How many (default 10). */
  readonly n: number;
  /** `exact` misses nothing; `lsh` reads a few per cent of the vectors and misses about one in twenty. */
  readonly index: 'exact' | 'lsh';
  readonly seed: number;
  readonly threads: number;
}

export interface SimilarImage {
  readonly id: string;
  /** The first path that is still there. */
  readonly path: string;
  /** Cosine, −1 to 1. */
  readonly similarity: number;
}

/** What was searched, and what a search may read of it. */
interface Space {
  readonly recipe: EmbeddingRecipe;
  readonly mean: SpaceMean;
  readonly shards: readonly VectorShard[];
  readonly vectors: VectorStore;
}

export async function similarTo(
  workspace: Workspace,
  query: string,
  options: SimilarOptions,
): Promise<{ readonly query: string; readonly similar: readonly SimilarImage[] }> {
  // Whether there is anything to compare with is told before a file is looked for.
  await requireMean(workspace.store, await requireRecipe(workspace.store, 'images'));
  const asked = await findQuery(workspace.store, query);
  const similar = await similarToQuery(workspace, asked, options);
  return { query: asked.kind === 'image' ? asked.id : asked.path, similar };
}

/** As {@link similarTo}, of what was found already, or never was a file. */
export async function similarToQuery(
  workspace: Workspace,
  asked: Query,
  options: SimilarOptions,
): Promise<readonly SimilarImage[]> {
  const { store, vectors, blobs, engine } = workspace;
  const recipe = await requireRecipe(store, 'images');
  const mean = await requireMean(store, recipe);
  const space: Space = { recipe, mean, vectors, shards: await store.vectorShards(recipe.space, 'images') };
  const vector = await vectorOf(workspace, asked, recipe, () => openSavedEmbedder(workspace, recipe.model, options));
  centreAndNormalise(vector, recipe, mean.values);

  // The image itself is its own nearest neighbour, and not what was asked for.
  const known = space.shards.reduce((sum, { count }) => sum + count, 0);
  const n = Math.min(options.n + (asked.kind === 'image' ? 1 : 0), Math.max(1, known));
  const found = await engine.withInference(options, (pool) =>
    options.index === 'lsh'
      ? searchLsh(pool, blobs, space, vector, n, options.seed)
      : searchExactly(pool, space, vector, n),
  );
  const similar: SimilarImage[] = [];
  const paths = await store.pathsOfImages(found.ids);
  for (const [i, id] of found.ids.entries()) {
    if (asked.kind === 'image' && id === asked.id) continue;
    similar.push({ id, path: paths.get(id)?.[0]?.path ?? id, similarity: rounded(found.similarities[i]) });
  }
  return similar.slice(0, options.n);
}

/** To 6 decimals: identical pictures have 1, which a sum of floats misses by its last bit to either side. */
function rounded(similarity: number): number {
  return Math.round(similarity * 1e6) / 1e6;
}

async function searchExactly(pool: InferencePool, { recipe, mean, shards, vectors }: Space, query: Matrix, n: number) {
  const best = noNeighbours(1, n);
  const ids: string[] = [];
  for await (const part of vectors.stream(shards)) {
    centreAndNormalise(part.vectors, recipe, mean.values);
    const found = await exactIndex(pool, part.vectors).search(query, n);
    for (let i = 0; i < n && found.indices[i] >= 0; i++) {
      const id = part.ids[found.indices[i]];
      offer(best, 0, ids.push(id) - 1, found.similarities[i]);
    }
  }
  return named(best, ids);
}

async function searchLsh(pool: InferencePool, blobs: BlobStore, space: Space, query: Matrix, n: number, seed: number) {
  const { index, ids } = await openLsh(pool, blobs, space, seed);
  try {
    return named(await index.search(query, n), ids);
  } finally {
    await index.close();
  }
}

function named({ indices, similarities }: Neighbours, ids: readonly string[]) {
  const there = [...indices].flatMap((index, i) => (index < 0 ? [] : [[ids[index], similarities[i]] as const]));
  return { ids: there.map(([id]) => id), similarities: there.map(([, similarity]) => similarity) };
}

/** A stored index says which files of vectors it holds, in the order in which they were added. */
const LSH_INDEX: BlobKind<readonly string[]> = { version: 1, header: z.array(z.string()).readonly() };

/** The stored index with what came in since, or a new one where there is none that fits. */
async function openLsh(pool: InferencePool, blobs: BlobStore, space: Space, seed: number) {
  const { recipe, mean, shards, vectors } = space;
  const name = sha256Hex([recipe.space, mean.key, seed].join('\n')).slice(0, 16);
  const key = `lsh/${name}.lsh`;
  const stored = await readStored(blobs, key, shards);
  const byFile = new Map(shards.map((shard) => [shard.file, shard]));
  const old = (stored?.files ?? []).map((known) => byFile.get(known) as VectorShard);
  const added = shards.filter((shard) => !stored?.files.includes(shard.file));
  const ids: string[] = [];
  const read = async (wanted: readonly VectorShard[]) => {
    const rows = wanted.reduce((sum, { count }) => sum + count, 0);
    const all = newSharedMatrix(rows, columnsOf(recipe));
    let row = 0;
    for await (const part of vectors.stream(wanted)) {
      centreAndNormalise(part.vectors, recipe, mean.values);
      all.data.set(part.vectors.data, row * all.columns);
      row += part.vectors.rows;
      ids.push(...part.ids);
    }
    return all;
  };
  let index: LshIndex;
  if (stored) {
    index = new LshIndex(pool, stored.family);
    await index.add(await read(old), stored.hashed);
    if (added.length > 0) await index.add(await read(added));
  } else {
    index = await LshIndex.fit(pool, await read(added), { seed });
  }
  if (added.length > 0) {
    const header = [...old, ...added].map((shard) => shard.file);
    await putDescribed(blobs, key, LSH_INDEX, { header, bytes: encodeLsh(index) });
  }
  return { index, ids };
}

async function readStored(blobs: BlobStore, key: string, shards: readonly VectorShard[]) {
  const there = new Set(shards.map((shard) => shard.file));
  const stored = await getDescribed(blobs, key, LSH_INDEX);
  if (stored === undefined || !stored.header.every((file) => there.has(file))) return undefined;
  try {
    return { files: stored.header, ...decodeLsh(stored.bytes) };
  } catch (error) {
    // Derived: what is damaged is made again.
    if (error instanceof LabelsmithError && error.code === 'BAD_FILE') return undefined;
    throw error;
  }
}
