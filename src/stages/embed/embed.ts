/** `embed`: a vector for every image, or for every region, as one recorded run; and the mean of all vectors after it. */

import { IdSet } from '../../core/id-set.ts';
import type { ItemKind } from '../../core/labels.ts';
import { inputBytes } from '../../core/pillow.ts';
import type { ReadPath } from '../../jobs/image-reader.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { gatherRows } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import { beginningAgain } from '../begin-again.ts';
import { countMissing } from '../image-work.ts';
import { itemsDone } from '../items-done.ts';
import { removeStale } from '../stale-vectors.ts';
import { embedContext, embedStage, remadeSpace, shardName } from './embed-stage.ts';
import { fitMeanTogether } from './mean-stage.ts';
import { type EmbeddingRecipe, recipeOf, savedMean, saveRecipe } from './recipe.ts';

export interface EmbedOptions extends RunOptions {
  /** Whole images, or the regions that detectors and people left. Default `images`. */
  readonly items?: ItemKind;
  /** Makes the vectors of this model again; those of images that cannot be read now stay. Default false. */
  readonly force?: boolean;
  /** Why this embedder, where it was chosen and not named. */
  readonly because?: string;
  /** Vectors from which their mean is taken by all machines there are. Default 100,000. */
  readonly spreadFrom?: number;
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
  readonly counts: ReadErrorCounts & {
    /** Images or regions that got a vector in this run. */
    readonly embedded: number;
    /** Images that were read. */
    readonly images: number;
    readonly shards: number;
    /** Items with a vector, those of earlier runs included. */
    readonly total: number;
  };
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
  const all = items === 'images' ? await countMissing(store, done) : (await store.summary()).regions - done.size;
  const count = Math.min(Math.max(0, all), limit ?? Number.POSITIVE_INFINITY);
  return {
    model: embedder.key,
    items: count,
    estimatedMs: await estimatePictures(embedder, count, threads),
    vectorBytes: count * (2 * embedder.dimensions + 70),
  };
}

/** Milliseconds that so many pictures take, by the model's time for blank ones. */
export async function estimatePictures(
  embedder: Pick<Embedder, 'embed' | 'input'> & Partial<Pick<Embedder, 'gathered'>>,
  count: number,
  threads: number,
): Promise<number> {
  const pixels = new Uint8Array(inputBytes(embedder.input));
  const { gathered = 1 } = embedder;
  const once = () => Promise.all(Array.from({ length: gathered }, () => embedder.embed(pixels, 1)));
  await once();
  const startedAt = performance.now();
  for (let i = 0; i < TIMED_IMAGES; i++) await once();
  const perItemMs = ((performance.now() - startedAt) / TIMED_IMAGES / gathered) * DECODE_SHARE;
  return Math.round((perItemMs * count) / threads);
}

const NOTHING = { embedded: 0, images: 0, quarantined: 0, away: 0 };

/**
 * Embeds whatever of a workspace has no vector yet, and records the run.
 *
 * @param embedder stays open. @param readBytes default: from the recorded paths.
 */
export async function embedIn(
  workspace: Workspace,
  embedder: Parameters<typeof embedContext>[1],
  options: EmbedOptions,
  readBytes?: ReadPath,
): Promise<EmbedResult> {
  const { store, engine } = workspace;
  const { items = 'images', force = false, limit, because, spreadFrom } = options;
  const recipe = { ...recipeOf(embedder, items), ...(because === undefined ? {} : { because }) };
  const { space } = recipe;
  const recorded = { items, force, recipe };
  return recordRun(store, { stage: 'embed', settings: recorded, modelKey: embedder.key }, options, async (runId) => {
    await saveRecipe(store, recipe);
    if (force) await store.clearVectorShards(remadeSpace(space), items);
    const job = { ...options, workspace, settings: { model: embedder.id, items, force }, runId };
    const context = await embedContext(job, embedder, readBytes);
    // By force, what the run has done is another space, and what is not made again stays.
    const there = force ? await itemsDone(workspace, space, items) : await context.done();
    await removeStale(workspace, recipe, there);
    const { counts, shards, interrupted } = await engine.run(embedStage, job, context);
    if (force) await putInPlace(workspace, recipe);
    // A forget beside it takes files of vectors away that the mean would be of: then it is that of those that are left.
    const made = await beginningAgain(store, items, options, async () => {
      const shards = await store.vectorShards(space, items);
      const whole = !interrupted && limit === undefined && shards.length > 0;
      // Made again by force, vectors are what they were: another mean would make everything else be made again too.
      const known = whole ? await savedMean(store, space) : undefined;
      const part = { ...options, workspace, runId };
      if (whole && (!known || known.subset)) await fitMeanTogether(part, recipe, shards, { subset: false, spreadFrom });
      return shards;
    });
    const total = made.reduce((sum, { count }) => sum + count, 0);
    return { space, interrupted, counts: { ...NOTHING, ...counts, shards, total } };
  });
}

/**
 * Puts shards that were made again in the place of all others of the space, at once; vectors that were not made again
 * move into shards of their own. A run that is killed before leaves everything as it was. Reads every file twice; holds one.
 */
async function putInPlace(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  { space, items }: EmbeddingRecipe,
): Promise<void> {
  const remade = (await store.vectorShards(remadeSpace(space), items)).map((shard) => ({ ...shard, space }));
  const made = new IdSet();
  for await (const { ids } of vectors.stream(remade)) for (const id of ids) made.add(id);
  // Only those whose files are whole.
  await itemsDone({ store, vectors }, space, items);
  const shards = [...remade];
  const there = await store.vectorShards(space, items);
  for (const before of there) {
    const { ids, vectors: matrix, votes } = await vectors.read(before);
    const rows = ids.flatMap((id, row) => (made.has(id) ? [] : [row]));
    if (rows.length === 0) continue;
    const left = rows.map((row) => ids[row]);
    const { runId } = before;
    const kept = { space, items, shard: shardName(left), runId, ids: left, vectors: gatherRows(matrix, rows) };
    shards.push(await vectors.write(votes ? { ...kept, votes: gatherRows(votes, rows) } : kept));
  }
  await store.replaceVectorShards(there, shards);
  await store.clearVectorShards(remadeSpace(space), items);
  const files = new Set(shards.map(({ file }) => file));
  await vectors.remove(there.filter(({ file }) => !files.has(file)));
}
