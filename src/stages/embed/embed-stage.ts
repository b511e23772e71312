/**
 * The stage `embed`: a vector for every image, or for every region.
 *
 * Owns which items have no vector yet and the order of writing: a shard's file first, then the row that makes it exist.
 * Each image is one independent item: read and decoded once, its views made in the model's graph, run alone, so a vector
 * depends on nothing but the image's bytes, the region's box, and the recipe. What the same pass says of the classes in an
 * image is kept beside its vector, in the same file. Resident beside the items under way: 16 to
 * 32 bytes an item that is done. Images that cannot be read go into quarantine; those whose file is not there now are tried
 * again by the next run.
 */
import { z } from 'zod';
import { IdSet } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import { once } from '../../core/once.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { type Quarantined, quarantinedPaths, requeue } from '../../jobs/read-errors.ts';
import type { Counts, StageDefinition, StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type Matrix, matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder, Look } from '../../models/embedder.ts';
import type { QuarantineRow, VectorShard } from '../../store/store.ts';
import type { NewVectorShard } from '../../vectors/vector-store.ts';
import { countMissing, IMAGE_WORK_SHARD, type ImageWorkShard, ITEM_KIND, imageWorkShards } from '../image-work.ts';
import { itemRunner } from '../item-pixels.ts';
import { itemsDone } from '../items-done.ts';
import { poisonOfImages } from '../poison.ts';
import { runImageWork } from '../run-image-work.ts';
import { columnsOf, type EmbeddingRecipe, recipeOf } from './recipe.ts';

/** Images of a shard: some seconds of work, and a file of about half a megabyte. */
const DEFAULT_SHARD_SIZE = 256;

export const EMBED_SETTINGS = z.object({
  /** The embedder's name. */
  model: z.string(),
  items: ITEM_KIND,
  /** Makes the vectors of this model again, apart from those there are until all of it is done: see {@link remadeSpace}. */
  force: z.boolean(),
});
export type EmbedSettings = z.infer<typeof EMBED_SETTINGS>;

interface ShardResult {
  /** Null where nothing could be read. */
  readonly vectors: VectorShard | null;
  readonly quarantine: readonly QuarantineRow[];
  /** Paths of the images that were read. */
  readonly read: readonly string[];
  readonly counts: Counts;
}

export interface EmbedContext extends Pick<Workspace, 'store' | 'vectors'> {
  readonly job: Pick<StageJob<EmbedSettings>, 'settings' | 'runId' | 'shardSize' | 'limit'>;
  readonly embedder: Partial<Pick<Embedder, 'close'>>;
  readonly recipe: EmbeddingRecipe;
  readonly quarantined: Quarantined;
  /** Items with a vector. */
  readonly done: () => Promise<IdSet>;
  readonly run: ReturnType<typeof itemRunner<Look>>;
}

/** Where rows of a space's vectors wait that are made again, until they take the place of those there are, all at once. */
export const remadeSpace = (space: string) => `${space}#remade`;

export const shardName = (ids: readonly ItemId[]) => sha256Hex(ids.join('\n')).slice(0, 16);

/** @param readBytes default: from the recorded paths. */
export async function embedContext(
  job: StageJob<EmbedSettings>,
  embedder: Pick<Embedder, 'id' | 'key' | 'blocks' | 'input' | 'votes' | 'look'> & Partial<Pick<Embedder, 'close'>>,
  readBytes: ReadPath = originalBytes(job.workspace),
): Promise<EmbedContext> {
  const { store, vectors } = job.workspace;
  const { items, force } = job.settings;
  const recipe = recipeOf(embedder, items);
  const from = { readBytes, input: embedder.input, margin: recipe.margin ?? 0, stage: 'embed' };
  return {
    store,
    vectors,
    job,
    embedder,
    recipe,
    quarantined: await quarantinedPaths(store),
    done: once(async () => (force ? new IdSet() : itemsDone({ store, vectors }, recipe.space, items))),
    run: itemRunner(from, (pixels) => embedder.look(pixels, 1)),
  };
}

export const embedStage: StageDefinition<EmbedSettings, EmbedContext, ImageWorkShard, ShardResult> = {
  name: 'embed',
  settings: EMBED_SETTINGS,
  shard: IMAGE_WORK_SHARD,
  fingerprint: ({ recipe }) => recipe.space,
  poison: poisonOfImages('embed'),

  async open(job) {
    const { settings, workspace, threads } = job;
    return embedContext(job, await workspace.models.openEmbedder(settings.model, { threads }));
  },

  async close({ embedder }) {
    await embedder.close?.();
  },

  async total({ store, done, job: { settings, limit } }) {
    if (settings.items === 'regions') return undefined;
    return Math.min(await countMissing(store, await done()), limit ?? Number.POSITIVE_INFINITY);
  },

  async *plan({ store, done, quarantined, job: { settings, shardSize = DEFAULT_SHARD_SIZE, limit } }) {
    const query = { items: settings.items, done: await done(), quarantined };
    yield* imageWorkShards(store, query, { size: shardSize, limit });
  },

  async process(context, shard, eachItem) {
    const { vectors, recipe, job } = context;
    const { items: made, images, read, quarantine, unread: readErrors } = await runImageWork(context, shard, eachItem);
    return {
      vectors: made.length > 0 ? await vectors.write(vectorsOf(recipe, job.runId, made)) : null,
      quarantine,
      read,
      counts: { embedded: made.length, images, ...readErrors },
    };
  },

  async commit({ store, quarantined, job: { settings } }, _shard, { vectors, quarantine, read, counts }) {
    await requeue(store, quarantined, read);
    if (vectors) {
      await store.putVectorShard(settings.force ? { ...vectors, space: remadeSpace(vectors.space) } : vectors);
    }
    if (quarantine.length > 0) await store.putQuarantine(quarantine);
    return counts;
  },
};

/** @param made in order of id */
function vectorsOf(
  recipe: EmbeddingRecipe,
  runId: string,
  made: readonly { readonly id: ItemId; readonly result: Look }[],
): NewVectorShard {
  const ids = made.map(({ id }) => id);
  const vectors = stacked(
    made.map(({ result }) => result.embeddings),
    newSharedMatrix(made.length, columnsOf(recipe)),
  );
  const said = made.flatMap(({ result }) => result.votes ?? []);
  const [first] = said;
  const votes = first && stacked(said, matrix(new Float32Array(said.length * first.length), said.length, first.length));
  const { space, items } = recipe;
  return { space, items, shard: shardName(ids), runId, ids, vectors, ...(votes ? { votes } : {}) };
}

function stacked(rows: readonly Float32Array[], into: Matrix): Matrix {
  for (const [i, row] of rows.entries()) into.data.set(row, i * into.columns);
  return into;
}
