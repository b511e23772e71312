/**
 * `embed`: a vector for every image, or for every region.
 *
 * Owns which items have no vector yet and the order of writing: a shard's file first, then the row that makes it exist.
 * Each image is one independent item: read and decoded once, its views made in the model's graph, run alone, so a vector
 * depends on nothing but the image's bytes, the region's box, and the recipe. Resident beside the items under way: 16 to
 * 32 bytes an item that is done. Images that cannot be read go into quarantine; those whose file is not there now are tried
 * again by the next run.
 */

import { IdSet } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { lifting, type UnreadCounts, unreadAmong } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../../jobs/run.ts';
import type { Stage } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { gatherRows, newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import { FILE_GONE, type Store, type VectorShard } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { type ImageWork, type ItemsResult, itemRunner } from '../item-pixels.ts';
import { itemsDone } from '../items-done.ts';
import { columnsOf, type EmbeddingRecipe, fitMean, recipeOf, savedMean, saveRecipe } from './recipe.ts';

/** Images of a shard: some seconds of work, and a file of about half a megabyte. */
const DEFAULT_SHARD_SIZE = 256;

export interface EmbedOptions extends RunOptions {
  /** Whole images, or the regions that detectors and people left. Default `images`. */
  readonly items?: ItemKind;
  /** Makes the vectors of this model again; those of images that cannot be read now stay. Default false. */
  readonly force?: boolean;
}

/** What the stage needs of the outside, so that a test drives it with neither files nor a model. */
export interface EmbedEffects {
  readonly store: Store;
  readonly vectors: VectorStore;
  readonly embedder: Pick<Embedder, 'id' | 'key' | 'blocks' | 'dimensions' | 'input' | 'batch' | 'embed'>;
  readonly readBytes: ReadPath;
}

export interface EmbedEstimate {
  readonly model: string;
  readonly items: number;
  readonly estimatedMs: number;
  /** Of vectors, in half precision, and their ids. */
  readonly vectorBytes: number;
}

export interface EmbedResult extends RunResult {
  readonly space: string;
  readonly counts: UnreadCounts & {
    /** Images or regions that got a vector in this run. */
    readonly embedded: number;
    /** Images that were read. */
    readonly images: number;
    readonly shards: number;
    /** Items with a vector, those of earlier runs included. */
    readonly total: number;
  };
}

/** Embeds whatever of a workspace has no vector yet, see {@link embed}. */
export function embedIn(workspace: Workspace, embedder: Embedder, options: EmbedOptions): Promise<EmbedResult> {
  const { store, vectors } = workspace;
  return embed({ store, vectors, embedder, readBytes: originalBytes(workspace) }, options);
}

const TIMED_IMAGES = 5;
/** Reading and decoding a photograph of a third of a megapixel, in shares of the time in the model. */
const DECODE_SHARE = 1.6;

/** Times the model on a few blank images, and multiplies. Writes nothing. */
export async function estimateEmbed(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  embedder: Embedder,
  { items = 'images', force = false, limit, threads }: EmbedOptions,
): Promise<EmbedEstimate> {
  const { space } = recipeOf(embedder, items);
  const done = force ? new IdSet() : await itemsDone({ store, vectors }, space, items, { dryRun: true });
  const all = items === 'images' ? await waiting(store, done) : (await store.summary()).regions - done.size;
  const count = Math.min(Math.max(0, all), limit ?? Number.POSITIVE_INFINITY);
  const { width, height } = embedder.input;
  const pixels = new Uint8Array(width * height * 3);
  await embedder.embed(pixels, 1);
  const startedAt = performance.now();
  for (let i = 0; i < TIMED_IMAGES; i++) await embedder.embed(pixels, 1);
  const perItemMs = ((performance.now() - startedAt) / TIMED_IMAGES) * DECODE_SHARE;
  return {
    model: embedder.key,
    items: count,
    estimatedMs: Math.round((perItemMs * count) / threads),
    vectorBytes: count * (2 * embedder.dimensions + 70),
  };
}

export async function embed(effects: EmbedEffects, options: EmbedOptions): Promise<EmbedResult> {
  const { store, vectors, embedder } = effects;
  const { items = 'images', force = false } = options;
  const recipe = recipeOf(embedder, items);
  const { space } = recipe;
  const settings = { items, force, recipe };
  return recordRun(store, { stage: 'embed', settings, modelKey: embedder.key }, options, async (runId) => {
    await saveRecipe(store, recipe);
    const done = force ? new IdSet() : await itemsDone({ store, vectors }, space, items);
    const tally = { embedded: 0, images: 0, quarantined: 0, away: 0 };
    const remade: VectorShard[] = [];
    const keep = async (shard: VectorShard) => {
      if (force) remade.push(shard);
      else await store.putVectorShard(shard);
    };
    const stage = await embedStage(effects, options, { recipe, runId, done, tally, keep });
    const { interrupted, shards } = await runOnThisMachine(stage, options);
    if (force) await putInPlace(effects, recipe, remade);
    const there = await store.vectorShards(space, items);
    const whole = !interrupted && options.limit === undefined && there.length > 0;
    // Made again by force, vectors are what they were: another mean would make everything else be made again too.
    const known = whole ? await savedMean(store, space) : undefined;
    if (whole && (!known || known.subset)) await fitMean(store, vectors, recipe, there);
    const total = there.reduce((sum, { count }) => sum + count, 0);
    return { space, interrupted, counts: { ...tally, shards, total } };
  });
}

interface Embedding {
  readonly recipe: EmbeddingRecipe;
  readonly runId: string;
  readonly done: IdSet;
  readonly tally: { embedded: number; images: number; quarantined: number; away: number };
  /** Makes a written shard exist, now or later. */
  readonly keep: (shard: VectorShard) => Promise<void>;
}

const shardName = (ids: readonly ItemId[]) => sha256Hex(ids.join('\n')).slice(0, 16);

/**
 * Puts shards that were made again in the place of all others of the space, at once; vectors that were not made again
 * move into shards of their own. A run that is killed before leaves everything as it was. Reads every file twice; holds one.
 */
async function putInPlace(
  { store, vectors }: Pick<EmbedEffects, 'store' | 'vectors'>,
  { space, items }: EmbeddingRecipe,
  remade: readonly VectorShard[],
): Promise<void> {
  const made = new IdSet();
  for await (const { ids } of vectors.stream(remade)) for (const id of ids) made.add(id);
  // Only those whose files are whole.
  await itemsDone({ store, vectors }, space, items);
  const shards = [...remade];
  const there = await store.vectorShards(space, items);
  for (const before of there) {
    const { ids, vectors: matrix } = await vectors.read(before);
    const rows = ids.flatMap((id, row) => (made.has(id) ? [] : [row]));
    if (rows.length === 0) continue;
    const left = rows.map((row) => ids[row]);
    const { runId } = before;
    const kept = { space, items, shard: shardName(left), runId, ids: left, vectors: gatherRows(matrix, rows) };
    shards.push(await vectors.write(kept));
  }
  await store.replaceVectorShards(there, shards);
  const files = new Set(shards.map(({ file }) => file));
  await vectors.remove(there.filter(({ file }) => !files.has(file)));
}

async function embedStage(
  { store, vectors, embedder, readBytes }: EmbedEffects,
  { items = 'images', limit, shardSize = DEFAULT_SHARD_SIZE }: EmbedOptions,
  { recipe, runId, done, tally, keep }: Embedding,
): Promise<Stage<ImageWork, ItemsResult<Float32Array>>> {
  const { space } = recipe;
  const columns = columnsOf(recipe);
  const margin = recipe.margin ?? 0;
  const process = itemRunner({ readBytes, input: embedder.input, margin, stage: 'embed' }, (pixels) =>
    embedder.embed(pixels, 1),
  );

  const lift = await lifting(store);

  return {
    name: 'embed',
    total: items === 'images' ? Math.min(await waiting(store, done), limit ?? Number.POSITIVE_INFINITY) : undefined,
    shards: () => shardsOf(missing(store, items, done), shardSize, limit),
    process,
    async commit(shard, results) {
      await lift(shard.items.filter((_, i) => results[i]?.kind === 'done'));
      const made = results.flatMap((result) => (result.kind === 'done' ? result.items : []));
      const { rows, counts: unread } = unreadAmong(results);
      made.sort((a, b) => (a.id < b.id ? -1 : 1));
      if (made.length > 0) {
        const matrix = newSharedMatrix(made.length, columns);
        for (const [i, { result }] of made.entries()) matrix.data.set(result, i * columns);
        const ids = made.map(({ id }) => id);
        await keep(await vectors.write({ space, items, shard: shardName(ids), runId, ids, vectors: matrix }));
      }
      if (rows.length > 0) await store.putQuarantine(rows);
      tally.embedded += made.length;
      tally.images += results.filter(({ kind }) => kind === 'done').length;
      tally.quarantined += unread.quarantined;
      tally.away += unread.away;
    },
  };
}

/** Images that are there and not done. */
export async function waiting(store: Store, done: IdSet): Promise<number> {
  if (done.size === 0) return store.countImages();
  let count = 0;
  for await (const page of store.images()) for (const { id } of page) if (!done.has(id)) count++;
  return count;
}

/**
 * Images with something to do, in order of id, in pages. Those whose every path is in quarantine are left out, unless it is
 * there because its file was gone.
 */
export async function* missing(store: Store, items: ItemKind, done: IdSet): AsyncIterable<readonly ImageWork[]> {
  const quarantined = new Set<string>();
  for await (const page of store.quarantine()) {
    for (const { path, reason } of page) if (reason !== FILE_GONE) quarantined.add(path);
  }
  for await (const page of store.images()) {
    const ids = page.map(({ id }) => id);
    const regions = items === 'regions' ? await store.regionsOf(ids) : undefined;
    const paths = await store.pathsOfImages(ids);
    const work: ImageWork[] = [];
    for (const id of ids) {
      const left = regions?.get(id)?.filter((region) => !region.deleted && !done.has(region.id)) ?? [];
      if (regions ? left.length === 0 : done.has(id)) continue;
      const usable = (paths.get(id) ?? []).filter(({ path, missing: gone }) => !gone && !quarantined.has(path));
      if (usable.length > 0) work.push({ id, paths: usable, regions: regions ? left : null });
    }
    if (work.length > 0) yield work;
  }
}
