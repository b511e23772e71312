/**
 * `match --classes`: labels for classes that are words, with no picture of them (`word-classes.ts` has the rule). What everyday
 * words describe as well stays unlabelled. Labels have the origin `reference`, as those by reference images, and take their place.
 */
import { sha256Hex } from '../../core/ids.ts';
import { ensureClassesOf } from '../../corpus/same-names.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type BeginAgainOptions, beginningAgain } from '../begin-again.ts';
import { keptKey } from '../discover/kept-sample.ts';
import { requireRecipe } from '../embed/recipe.ts';
import { countItems } from '../vector-shard.ts';
import { runMatchStage } from './match-stage.ts';
import { TEMPLATES, WORD_THRESHOLD } from './word-classes.ts';
import { wordMatcher } from './word-matcher.ts';

export interface MatchWordsOptions extends RunOptions, BeginAgainOptions {
  /** The task that gets the labels. Default `class`. */
  readonly task: string;
  /** Names of classes, none twice. */
  readonly classNames: readonly string[];
  /** Sentences with `{}` for the name (default {@link TEMPLATES}). */
  readonly templates?: readonly string[];
  /** Share of the class against the others and everyday words, 0 to 1 (default .5). */
  readonly threshold?: number;
}

export interface MatchWordsResult extends RunResult {
  readonly counts: {
    readonly images: number;
    readonly labelled: number;
    readonly unlabelled: number;
    readonly classes: number;
  };
  /** Whether `limit` left images out. */
  readonly pilot: boolean;
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  readonly warnings: readonly string[];
}

export function matchWordsIn(workspace: Workspace, options: MatchWordsOptions): Promise<MatchWordsResult> {
  return beginningAgain(workspace.store, 'images', options, () => matchWordsRun(workspace, options));
}

async function matchWordsRun(workspace: Workspace, options: MatchWordsOptions): Promise<MatchWordsResult> {
  const { store, vectors } = workspace;
  const { task, limit, seed, threshold = WORD_THRESHOLD, templates = TEMPLATES } = options;
  const classNames = [...options.classNames].sort();
  const recipe = await requireRecipe(store, 'images');
  await store.ensureTask({ name: task, rule: 'single', items: 'images' });
  const words = { classNames, templates: [...templates] };
  const recorded = { words, task, threshold, space: recipe.space, limit: limit ?? null };
  return recordRun(store, { stage: 'match', settings: recorded, modelKey: recipe.modelKey }, options, async (runId) => {
    await ensureClassesOf(store, classNames);
    const key = sha256Hex(JSON.stringify([recipe.space, seed, words])).slice(0, 16);
    const { recipe: _, shards, ...matcher } = await wordMatcher(workspace, { ...words, threshold }, options);
    const all = countItems(shards);
    const pilot = Math.min(all, limit ?? all) < all;
    // What they are to the words is less what the pile is to them.
    const among = keptKey({ space: recipe.space, meanKey: '', seed, sample: [] }, shards);
    const settings = { task, threshold, key, keepPredictions: !pilot, words, among };
    const job = { ...options, workspace, settings, runId };
    const matched = await runMatchStage({ store, vectors, job, recipe, matcher });
    const { interrupted, images, labelled, sizes } = matched;
    return {
      interrupted,
      pilot,
      classes: classNames.map((name, c) => ({ name, images: sizes[c] })),
      warnings: warningsOf(classNames, sizes),
      counts: { images, labelled, unlabelled: images - labelled, classes: classNames.length },
    };
  });
}

function warningsOf(classNames: readonly string[], sizes: readonly number[]): string[] {
  const none = classNames.filter((_, c) => sizes[c] === 0);
  const said =
    'a confidence is how far the class is ahead of the others and of everyday words, and no measured chance: audit it';
  if (none.length === 0) return [said];
  return [said, `no image fits ${none.map((name) => JSON.stringify(name)).join(', ')}`];
}
