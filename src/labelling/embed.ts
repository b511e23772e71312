/**
 * `embed`: a vector for every image, or for every region.
 *
 * Owns which items have no vector yet and the order of writing: a shard's file first, then the row that makes it exist.
 * Each image is one independent item: read and decoded once, its views made in the model's graph, run alone, so a vector
 * depends on nothing but the image's bytes, the region's box, and the recipe. Resident beside the items under way: 16 to
 * 32 bytes an item that is done. Images that cannot be read go into quarantine.
 */
import { type ItemId, sha256Hex } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import type { ItemKind } from '../core/labels.ts';
import { decodeCovered, decodeLetterboxed, decodeUpright, type Pixels } from '../images/decode.ts';
import { regionPixels } from '../images/region-pixels.ts';
import { newSharedMatrix } from '../math/matrix.ts';
import type { Embedder } from '../models/embedder.ts';
import { originalBytes, type ReadPath, readFirstIntact } from '../pipeline/originals.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../pipeline/run.ts';
import type { Stage } from '../pipeline/stage.ts';
import type { Workspace } from '../pipeline/workspace.ts';
import type { QuarantineRow, Store, StoredRegion } from '../store/store.ts';
import { arrowVectorStore } from '../store/vectors/arrow-store.ts';
import type { VectorStore } from '../store/vectors/vector-store.ts';
import { IdSet } from './id-set.ts';
import { columnsOf, type EmbeddingRecipe, fitStatistics, recipeOf, savedStatistics, saveRecipe } from './recipe.ts';
import { isAboutOneFile, quarantineRowOf } from './unreadable.ts';

/** Images of a shard: some seconds of work, and a file of about half a megabyte. */
const DEFAULT_SHARD_SIZE = 256;

export interface EmbedOptions extends RunOptions {
  /** Whole images, or the regions that detectors and people left. Default `images`. */
  readonly items?: ItemKind;
  /** Drops the vectors of this model and makes them again. Default false. */
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
  readonly counts: {
    /** Images or regions that got a vector in this run. */
    readonly embedded: number;
    /** Images that were read. */
    readonly images: number;
    readonly shards: number;
    readonly quarantined: number;
    /** Items with a vector, those of earlier runs included. */
    readonly total: number;
  };
}

/** An image with something to do. */
export interface ImageWork {
  readonly id: ItemId;
  readonly paths: readonly ImagePath[];
  /** Null for the whole image. */
  readonly regions: readonly StoredRegion[] | null;
}

type ItemResult =
  | { readonly kind: 'done'; readonly vectors: readonly { readonly id: ItemId; readonly vector: Float32Array }[] }
  | { readonly kind: 'bad'; readonly row: QuarantineRow };

/** Embeds whatever of a workspace has no vector yet, see {@link embed}. */
export function embedIn(workspace: Workspace, embedder: Embedder, options: EmbedOptions): Promise<EmbedResult> {
  const { store, dir } = workspace;
  return embed({ store, vectors: arrowVectorStore(dir), embedder, readBytes: originalBytes(workspace) }, options);
}

const TIMED_IMAGES = 5;
/** Reading and decoding a photograph of a third of a megapixel, in shares of the time in the model. */
const DECODE_SHARE = 1.6;

/** Times the model on a few blank images, and multiplies. Writes nothing. */
export async function estimateEmbed(
  { store }: Workspace,
  embedder: Embedder,
  { items = 'images', force = false, limit, threads }: EmbedOptions,
): Promise<EmbedEstimate> {
  const { space } = recipeOf(embedder, items);
  const done = force ? 0 : (await store.vectorShards(space, items)).reduce((sum, { count }) => sum + count, 0);
  const all = items === 'images' ? await store.countImages({ present: true }) : (await store.summary()).regions;
  const count = Math.min(Math.max(0, all - done), limit ?? all);
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
    if (force) await vectors.remove(await store.clearVectorShards(space, items));
    const done = new IdSet();
    for await (const { ids } of vectors.stream(await store.vectorShards(space, items))) {
      for (const id of ids) done.add(id);
    }
    const tally = { embedded: 0, images: 0, quarantined: 0 };
    const stage = await embedStage(effects, options, recipe, runId, done, tally);
    const { interrupted, shards } = await runOnThisMachine(stage, options);
    const there = await store.vectorShards(space, items);
    const whole = !interrupted && options.limit === undefined && there.length > 0;
    if (whole && (force || !(await savedStatistics(store, space)))) await fitStatistics(store, vectors, recipe, there);
    const total = there.reduce((sum, { count }) => sum + count, 0);
    return { space, interrupted, counts: { ...tally, shards, total } };
  });
}

async function embedStage(
  { store, vectors, embedder, readBytes }: EmbedEffects,
  { items = 'images', limit, shardSize = DEFAULT_SHARD_SIZE }: EmbedOptions,
  recipe: EmbeddingRecipe,
  runId: string,
  done: IdSet,
  tally: { embedded: number; images: number; quarantined: number },
): Promise<Stage<ImageWork, ItemResult>> {
  const { space } = recipe;
  const columns = columnsOf(recipe);
  const one = async (pixels: Uint8Array) => {
    try {
      return await embedder.embed(pixels, 1);
    } catch (error) {
      throw new ModelFailure(error);
    }
  };

  const vectorsOf = async (work: ImageWork, bytes: Uint8Array) => {
    const result: { id: ItemId; vector: Float32Array }[] = [];
    for await (const { id, pixels } of pixelsOfWork(work, bytes, embedder.input, recipe.margin)) {
      result.push({ id, vector: await one(pixels) });
    }
    return result;
  };

  return {
    name: 'embed',
    total: items === 'images' ? Math.min(await waiting(store, done), limit ?? Number.POSITIVE_INFINITY) : undefined,
    shards: () => shardsOf(missing(store, items, done), shardSize, limit),
    async process(work) {
      try {
        const bytes = await readFirstIntact(work.id, work.paths, readBytes);
        return { kind: 'done', vectors: await vectorsOf(work, bytes) };
      } catch (error) {
        if (error instanceof ModelFailure) throw error.cause;
        if (!isAboutOneFile(error)) throw error;
        return { kind: 'bad', row: quarantineRowOf(work.id, work.paths[0], error, 'embed') };
      }
    },
    async commit(_shard, results) {
      const made = results.flatMap((result) => (result.kind === 'done' ? result.vectors : []));
      const rows = results.flatMap((result) => (result.kind === 'bad' ? [result.row] : []));
      made.sort((a, b) => (a.id < b.id ? -1 : 1));
      if (made.length > 0) {
        const matrix = newSharedMatrix(made.length, columns);
        for (const [i, { vector }] of made.entries()) matrix.data.set(vector, i * columns);
        const ids = made.map(({ id }) => id);
        const shard = sha256Hex(ids.join('\n')).slice(0, 16);
        await store.putVectorShard(await vectors.write({ space, items, shard, runId, ids, vectors: matrix }));
      }
      if (rows.length > 0) await store.putQuarantine(rows);
      tally.embedded += made.length;
      tally.images += results.length - rows.length;
      tally.quarantined += rows.length;
    },
  };
}

export async function waiting(store: Store, done: IdSet): Promise<number> {
  return Math.max(0, (await store.countImages({ present: true })) - done.size);
}

/** Images with something to do, in order of id, in pages. Those whose every path is in quarantine are left out. */
export async function* missing(store: Store, items: ItemKind, done: IdSet): AsyncIterable<readonly ImageWork[]> {
  const quarantined = new Set<string>();
  for await (const page of store.quarantine()) for (const { path } of page) quarantined.add(path);
  for await (const page of store.images({ present: true })) {
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

/** What a model sees of an image's items, one after the other: an image may have hundreds of regions. */
export async function* pixelsOfWork(
  { id, regions }: Pick<ImageWork, 'id' | 'regions'>,
  bytes: Uint8Array,
  input: Embedder['input'],
  margin: number | null,
): AsyncGenerator<{ readonly id: ItemId; readonly pixels: Uint8Array }> {
  if (regions === null) {
    yield { id, pixels: await pixelsFor(bytes, input) };
    return;
  }
  const image = await decodeUpright(bytes);
  for (const region of regions) {
    const { width: size, kernel } = input;
    yield { id: region.id, pixels: await regionPixels(image, region.box, { size, kernel, margin: margin ?? 0 }) };
  }
}

/** A whole image as an embedder takes it: shape [height, width, 3], RGB. */
export async function pixelsFor(bytes: Uint8Array, input: Embedder['input']): Promise<Uint8Array> {
  const { width, height, fit, pad, kernel } = input;
  const decode = (): Promise<Pick<Pixels, 'pixels'>> => {
    switch (fit) {
      case 'cover':
        return decodeCovered(bytes, width, { kernel });
      case 'letterbox':
        return decodeLetterboxed(bytes, { width, height, pad, kernel });
      default:
        return fit satisfies never;
    }
  };
  return (await decode()).pixels;
}

/** Keeps what went wrong in the model apart from what is wrong with a file. */
class ModelFailure extends Error {
  constructor(cause: unknown) {
    super('the model failed', { cause });
  }
}
