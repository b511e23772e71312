/**
 * `match REFS`: labels by similarity to reference images.
 *
 * What looks like none of the references stays unlabelled: its best guess is kept apart (`predictions.ts`). With `limit` only so
 * many images are labelled, the first in the order of their vectors' files; all are in the neighbour graph. Deterministic in
 * the embeddings, the references and the seed; running it again replaces the labels of origin `reference` in the task and
 * nothing else. Where files of vectors were taken away while it read them, it begins again with those that there are. Resident:
 * see `matcher.ts`.
 */
import { holdingBlobs } from '../../blobs/held-blobs.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import { ensureClassesOf } from '../../corpus/same-names.ts';
import { inTurn } from '../../jobs/parts/claim.ts';
import { dropParts } from '../../jobs/reduction.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Source } from '../../sources/source.ts';
import { type BeginAgainOptions, beginningAgain } from '../begin-again.ts';
import { dropSample, holdSample, keptKey } from '../discover/kept-sample.ts';
import { sampleKey } from '../discover/sample.ts';
import { drawSample, sampleStage } from '../discover/sample-stage.ts';
import {
  centreAndNormalise,
  type EmbeddingRecipe,
  requireMean,
  requireRecipe,
  type SpaceMean,
} from '../embed/recipe.ts';
import { openSavedEmbedder } from '../embed/saved-embedder.ts';
import { countItems, SPREAD_FROM } from '../vector-shard.ts';
import { matcherOfRows, runMatchStage } from './match-stage.ts';
import { fitMatcher, type Matcher } from './matcher.ts';
import { meanForMatching } from './mean-of-few.ts';
import type { Matched } from './prototypes.ts';
import { type GatheredReferences, gatherReferences, type ReferenceProblem, type References } from './references.ts';

export interface MatchOptions extends RunOptions, BeginAgainOptions {
  /** The task that gets the labels. Default `class`. */
  readonly task: string;
  /** Cosine from which on an image is taken for one of its class; undefined: each class's own, from its references. */
  readonly threshold?: number;
  /** Forgets references of earlier runs; else these join them. */
  readonly replace: boolean;
  /** Vectors from which the sample is drawn by all machines, and kept for those that match. Default 100,000. */
  readonly spreadFrom?: number;
  /** Told of every image, with the class that is nearest, labelled or not. */
  readonly onMatched?: (id: ItemId, className: string, matched: Omit<Matched, 'probabilities'>) => void;
}

export interface MatchedClass {
  readonly name: string;
  readonly references: number;
  /** Images labelled. */
  readonly images: number;
  readonly threshold: number;
  /** Share of its references that are recognised when left out; null with one reference. */
  readonly referenceAccuracy: number | null;
  /** The class it is most like, by its references. */
  readonly confusedWith: string | null;
}

export interface MatchResult extends RunResult {
  readonly counts: {
    /** Images that were looked at. */
    readonly images: number;
    readonly labelled: number;
    readonly unlabelled: number;
    readonly references: number;
    readonly classes: number;
    readonly badReferences: number;
  };
  /** Whether `limit` left images out: these keep the labels they had, and all images their guesses. */
  readonly pilot: boolean;
  readonly classes: readonly MatchedClass[];
  /** Files that were left out. */
  readonly problems: readonly ReferenceProblem[];
  /** What the references cannot say. */
  readonly warnings: readonly string[];
}

/** Matches every embedded image of a workspace with references, and records the run. @param source of the references */
export function matchIn(workspace: Workspace, source: Source, options: MatchOptions): Promise<MatchResult> {
  return beginningAgain(workspace.store, 'images', options, () => matchRun(workspace, source, options));
}

async function matchRun(workspace: Workspace, source: Source, options: MatchOptions): Promise<MatchResult> {
  const { store } = workspace;
  const { task, threshold, limit } = options;
  const recipe = await requireRecipe(store, 'images');
  await store.ensureTask({ name: task, rule: 'single', items: 'images' });
  const recorded = {
    references: source.spec,
    task,
    threshold: threshold ?? null,
    space: recipe.space,
    limit: limit ?? null,
  };
  const identity = { stage: 'match', settings: recorded, modelKey: recipe.modelKey };
  return recordRun(store, identity, options, async (runId) => {
    const ofPile = await requireMean(store, recipe);
    const embedder = await openSavedEmbedder(workspace, recipe.model, options);
    const gather = () => gatherReferences(store, source, recipe, embedder, options);
    // Of several processes that do a part each, one reads the references, and the others find them.
    const gathering = workspace.engine.isPart ? inTurn(store, `references of ${task}`, gather, options) : gather();
    const gathered = await gathering.finally(() => embedder.close());
    await ensureClassesOf(store, gathered.references.classNames);
    return workspace.engine.withInference(options, (pool) =>
      matchAgainst(workspace, pool, { recipe, ofPile, gathered, runId }, options),
    );
  });
}

interface Gathered {
  readonly recipe: EmbeddingRecipe;
  /** The mean of the workspace's vectors. */
  readonly ofPile: SpaceMean;
  readonly gathered: GatheredReferences;
  readonly runId: string;
}

async function matchAgainst(
  workspace: Workspace,
  pool: InferencePool,
  { recipe, ofPile, gathered, runId }: Gathered,
  options: MatchOptions,
): Promise<MatchResult> {
  const { store, vectors, blobs } = workspace;
  const { task, seed, threshold, limit, onMatched, spreadFrom = SPREAD_FROM } = options;
  const { references, problems, bare } = gathered;
  const mean = await meanForMatching(store, ofPile, references);
  centreAndNormalise(references.vectors, recipe, mean.values);
  const { classNames } = references;
  const shards = await store.vectorShards(recipe.space, 'images');
  const all = countItems(shards);
  const sample = await drawSample({ ...options, workspace, runId }, { recipe, mean, shards, spreadFrom });
  const matcher = await fitMatcher(pool, sample, references, options);
  const pilot = Math.min(all, limit ?? all) < all;
  const key = keyOf(recipe, seed, references);
  const drawn = { space: recipe.space, meanKey: mean.key, seed, sample: sample.ids.map(sampleKey) };
  const among = keptKey(drawn, shards);
  const kept = all >= spreadFrom ? `match-${among}` : undefined;
  const settings = { task, threshold: threshold ?? null, key, keepPredictions: !pilot, among, sample: kept };
  const job = { ...options, workspace, settings, runId };
  const rows = matcherOfRows(matcher, recipe, mean);
  const run = () => runMatchStage({ store, vectors, job, recipe, matcher: rows, onMatched });
  const runHolding = async (key: string) => {
    const held = holdingBlobs(blobs, (hold) => holdSample(blobs, key, sample, hold).then(run));
    return held.finally(() => dropSample(blobs, key));
  };
  const matched = await (kept === undefined ? run() : runHolding(kept));
  const { interrupted, images, labelled, sizes } = matched;
  if (!interrupted) await dropParts(blobs, [sampleStage.name]);
  return {
    interrupted,
    pilot,
    problems,
    warnings: warningsOf(classNames, bare, matcher.foreign),
    classes: classNames.map((name, c) => describe(name, c, matcher, sizes)),
    counts: {
      images,
      labelled,
      unlabelled: images - labelled,
      references: references.ids.length,
      classes: classNames.length,
      badReferences: problems.length,
    },
  };
}

function keyOf({ space }: EmbeddingRecipe, seed: number, { ids, classes, classNames }: References): string {
  const annotated = ids.map((id, i) => `${id} ${classNames[classes[i]]}`);
  return sha256Hex([space, seed, ...annotated].join('\n')).slice(0, 16);
}

function describe(
  name: string,
  c: number,
  { prototypes: { classes, thresholds }, classNames }: Matcher,
  sizes: readonly number[],
): MatchedClass {
  const fit = classes[c];
  return {
    name,
    references: fit.references,
    images: sizes[c],
    threshold: thresholds[c],
    referenceAccuracy: fit.accuracy,
    confusedWith: fit.nearestOther === null ? null : classNames[fit.nearestOther.class],
  };
}

function warningsOf(classNames: readonly string[], bare: readonly string[], foreign: number): string[] {
  const warnings: string[] = [];
  if (bare.length > 0) {
    warnings.push(
      `no image can be of ${bare.map((name) => JSON.stringify(name)).join(', ')}: no reference that can be read`,
    );
  }
  if (classNames.length === 1) {
    warnings.push(
      `all references are of one class, ${JSON.stringify(classNames[0])}: a confidence says only how far an image is above the threshold; give references of other things too`,
    );
  }
  if (foreign > 0) {
    warnings.push(
      `about ${foreign} images look like none of the references, more than left-out references do; they are left for people: give references of what else there is`,
    );
  }
  return warnings;
}
