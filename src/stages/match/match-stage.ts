/** The stage `match`: every image against the references of a task. One file of vectors is one shard. */
import { z } from 'zod';
import type { ItemId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Closing, type Counts, closeContext, type StageDefinition, type StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { newSharedMatrix, rowsOf } from '../../math/matrix.ts';
import type { NewLabel, VectorShard } from '../../store/store.ts';
import { keptSample } from '../discover/kept-sample.ts';
import { chooseSample, readSample } from '../discover/sample.ts';
import {
  centreAndNormalise,
  type EmbeddingRecipe,
  requireMean,
  requireRecipe,
  type SpaceMean,
} from '../embed/recipe.ts';
import { adoptStaged, type PredictionSet, predictionSpace, stagedSpace } from '../predictions.ts';
import { VECTOR_SHARD } from '../vector-shard.ts';
import { fitMatcher, type Matcher, matchRows } from './matcher.ts';
import { meanForMatching } from './mean-of-few.ts';
import type { Matched } from './prototypes.ts';
import { savedReferences } from './references.ts';
import type { RowMatcher } from './row-matcher.ts';
import { type WordMatching, wordMatcher } from './word-matcher.ts';

export const MATCH_SETTINGS = z.object({
  task: z.string(),
  /** Null: each class's own. */
  threshold: z.number().nullable(),
  /** Names the content of what matches: space, seed and references. */
  key: z.string(),
  /** Whether what is thought of every image is kept: not of a run over a subset. */
  keepPredictions: z.boolean(),
  /** In place of references: classes that are words. */
  words: z.object({ classNames: z.array(z.string()), templates: z.array(z.string()) }).optional(),
  /** Names the vectors and the sample that images are compared among, so that what came of others is not taken for it. */
  among: z.string().optional(),
  /** What the sample is kept as among the blobs, where it is (`discover/kept-sample.ts`): else every process draws it. */
  sample: z.string().optional(),
});
export type MatchSettings = z.infer<typeof MATCH_SETTINGS>;

const MATCH_SHARD = z.object({
  vectors: VECTOR_SHARD,
  /** Rows of the file from its beginning; fewer than it has where a limit ends within it. */
  rows: z.number(),
});
type Shard = z.infer<typeof MATCH_SHARD>;

interface ShardResult {
  readonly ids: readonly ItemId[];
  readonly matched: readonly Omit<Matched, 'probabilities'>[];
  /** The file with their probabilities; null where they are not kept. */
  readonly predictions: VectorShard | null;
  readonly counts: Counts;
}

export interface MatchContext extends Closing, Pick<Workspace, 'store' | 'vectors'> {
  readonly job: Pick<StageJob<MatchSettings>, 'settings' | 'runId' | 'limit'>;
  readonly recipe: EmbeddingRecipe;
  readonly matcher: RowMatcher;
  /** Told of every image when its shard is committed. */
  readonly onMatched?: (id: ItemId, className: string, matched: Omit<Matched, 'probabilities'>) => void;
}

/** In the counts of a shard: images labelled, by the place of their class. */
const SIZE = 'class:';

/** Images labelled of each class, from the sums of a run. */
function sizesOf(counts: Counts, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => counts[SIZE + c] ?? 0);
}

function predictionSetOf(
  { settings: { task, key }, runId }: MatchContext['job'],
  { classNames }: Pick<RowMatcher, 'classNames'>,
): PredictionSet {
  return { task, items: 'images', origin: 'reference', classNames, runId, key };
}

export const matchStage: StageDefinition<MatchSettings, MatchContext, Shard, ShardResult> = {
  name: 'match',
  plansAll: true,
  settings: MATCH_SETTINGS,
  shard: MATCH_SHARD,
  open: openFromRecord,

  close: closeContext,

  async total({ store, recipe, job: { limit = Number.POSITIVE_INFINITY } }) {
    const shards = await store.vectorShards(recipe.space, 'images');
    return Math.min(
      limit,
      shards.reduce((sum, { count }) => sum + count, 0),
    );
  },

  async *plan({ store, recipe, job: { limit = Number.POSITIVE_INFINITY } }) {
    let left = limit;
    for (const vectors of await store.vectorShards(recipe.space, 'images')) {
      if (left <= 0) return;
      yield { vectors, rows: Math.min(left, vectors.count) };
      left -= vectors.count;
    }
  },

  async process(context, shard, eachItem) {
    const { vectors, matcher } = context;
    const part = await vectors.read(shard.vectors);
    const ids = part.ids.slice(0, shard.rows);
    const rows = rowsOf(part.vectors, 0, ids.length);
    const found = await matcher.matchRows(ids, rows);
    // Nothing is left to wait for, item by item: this tells how far the stage is.
    const matched = await eachItem(found, async ({ probabilities: _, ...one }) => one);
    return {
      ids,
      matched,
      predictions: await writePredictions(context, shard, ids, found),
      counts: countsOf(matched),
    };
  },

  async commit(context, _shard, { ids, matched, predictions, counts }) {
    const { store, matcher, onMatched, job } = context;
    const { task } = job.settings;
    const { runId } = job;
    const labels = matched.flatMap(({ accepted, class: c, confidence }, i): NewLabel[] => {
      const className = matcher.classNames[c];
      const given = { itemId: ids[i], task, className, present: true, origin: 'reference', confidence, runId } as const;
      return accepted ? [given] : [];
    });
    await store.clearMachineLabels(task, 'reference', ids);
    await store.putLabels(labels);
    if (predictions) await store.putVectorShard({ ...predictions, space: stagedSpace(predictionSetOf(job, matcher)) });
    if (onMatched) for (const [i, one] of matched.entries()) onMatched(ids[i], matcher.classNames[one.class], one);
    return counts;
  },
};

/** What a run of {@link runMatchStage} came to: images seen and labelled, and the labelled of each class, in the classes' order. */
export interface MatchedCounts {
  readonly interrupted: boolean;
  readonly images: number;
  readonly labelled: number;
  readonly sizes: readonly number[];
}

/** Runs the stage over every image. Probabilities of classes take the place of the last run's when all images were seen. */
export async function runMatchStage(
  context: MatchContext & { readonly job: StageJob<MatchSettings> },
): Promise<MatchedCounts> {
  const { job, matcher } = context;
  const { workspace, settings } = job;
  const set = predictionSetOf(job, matcher);
  const { counts, interrupted } = await workspace.engine.run(matchStage, job, context);
  if (!interrupted && settings.keepPredictions) {
    await dropStagedOfOthers(context, set);
    await adoptStaged(workspace, set);
  }
  const { images = 0, labelled = 0 } = counts;
  return { interrupted, images, labelled, sizes: sizesOf(counts, matcher.classNames.length) };
}

/** Of a run that was stopped: files of vectors that are there no more. All others were written over. */
async function dropStagedOfOthers({ store, recipe }: MatchContext, set: PredictionSet): Promise<void> {
  const names = new Set((await store.vectorShards(recipe.space, 'images')).map(({ shard }) => shard));
  const staged = await store.vectorShards(stagedSpace(set), 'images');
  const others = staged.filter(({ shard }) => !names.has(shard));
  if (others.length > 0) await store.replaceVectorShards(others, []);
}

function countsOf(matched: ShardResult['matched']): Counts {
  const counts: Record<string, number> = { images: matched.length, labelled: 0 };
  for (const { accepted, class: c } of matched) {
    if (!accepted) continue;
    counts.labelled++;
    counts[SIZE + c] = (counts[SIZE + c] ?? 0) + 1;
  }
  return counts;
}

async function writePredictions(
  { vectors, matcher, job }: MatchContext,
  { vectors: { shard } }: Shard,
  ids: readonly ItemId[],
  found: readonly Matched[],
): Promise<VectorShard | null> {
  if (!job.settings.keepPredictions) return null;
  const { classNames } = matcher;
  const matrix = newSharedMatrix(ids.length, classNames.length);
  for (const [i, { probabilities }] of found.entries()) matrix.data.set(probabilities, i * classNames.length);
  const space = predictionSpace(predictionSetOf(job, matcher));
  const { runId } = job;
  return vectors.write({ space, items: 'images', shard, runId, ids, vectors: matrix, precision: 'float32' });
}

/** From the references that are kept, for processes that did not gather them. */
async function openFromRecord(job: StageJob<MatchSettings>): Promise<MatchContext> {
  const { workspace, settings, seed, signal } = job;
  if (settings.words) return openWithWords(job, settings.words);
  const { store, vectors, engine } = workspace;
  const recipe = await requireRecipe(store, 'images');
  const ofPile = await requireMean(store, recipe);
  const references = await savedReferences(store, settings.task, recipe);
  if (!references) {
    throw new LabelsmithError('NOT_FOUND', `No references are kept in the task "${settings.task}".`, {
      hint: 'Run labelsmith match REFS.',
    });
  }
  const mean = await meanForMatching(store, ofPile, references);
  centreAndNormalise(references.vectors, recipe, mean.values);
  const shards = await store.vectorShards(recipe.space, 'images');
  const kept = settings.sample === undefined ? undefined : await keptSample(workspace.blobs, settings.sample);
  const sample =
    kept ?? (await readSample(vectors, shards, await chooseSample(vectors, shards, { seed }), recipe, mean));
  const threshold = settings.threshold ?? undefined;
  const pool = await engine.openInference(job);
  const matcher = await fitMatcher(pool, sample, references, { seed, threshold, signal }).catch(async (error) => {
    await pool.close();
    throw error;
  });
  return { store, vectors, job, recipe, matcher: matcherOfRows(matcher, recipe, mean), close: () => pool.close() };
}

/** A matcher of finished vectors as one of vectors as the model gives them. */
export function matcherOfRows(matcher: Matcher, recipe: EmbeddingRecipe, mean: SpaceMean): RowMatcher {
  return {
    classNames: matcher.classNames,
    matchRows(ids, rows) {
      centreAndNormalise(rows, recipe, mean.values);
      return matchRows(matcher, ids, rows);
    },
  };
}

async function openWithWords(
  job: StageJob<MatchSettings>,
  words: Pick<WordMatching, 'classNames' | 'templates'>,
): Promise<MatchContext> {
  const { store, vectors } = job.workspace;
  const threshold = job.settings.threshold ?? undefined;
  const { recipe, shards: _, ...matcher } = await wordMatcher(job.workspace, { ...words, threshold }, job);
  return { store, vectors, job, recipe, matcher };
}
