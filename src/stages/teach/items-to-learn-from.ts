/** What `teach` learns from: every item of a task, or of a large pile a part that is read by all machines there are. */
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { countItems, SPREAD_FROM } from '../vector-shard.ts';
import type { FineTuneChoice } from './fine-tune/fine-tuned-task.ts';
import { everyItem, type TaskItems, taskVectors } from './items.ts';
import { type ManyItemsOptions, manyItems } from './many-items.ts';

export interface ItemsOptions extends Pick<RunOptions, 'seed' | 'threads' | 'signal' | 'onProgress'> {
  readonly task: string;
  /** Default `off`. */
  readonly fineTune?: FineTuneChoice;
  /** Items from which they are read in parts (default 100,000). */
  readonly spreadFrom?: number;
  /** How many of them are held then. */
  readonly held?: ManyItemsOptions;
}

/** @param weights what each part of a vector counts, in place of the recipe's own. */
export async function itemsToLearnFrom(
  workspace: Workspace,
  options: ItemsOptions,
  weights?: readonly number[],
): Promise<TaskItems> {
  const { task: name, spreadFrom = SPREAD_FROM, fineTune = 'off', held } = options;
  const { task, recipe, mean, shards } = await taskVectors(workspace, name, weights);
  const tunes = fineTune !== 'off' && fineTune !== 'head';
  if (tunes || countItems(shards) < spreadFrom) return everyItem(workspace, { task, recipe, mean, shards });
  const run = { stage: 'teach read', settings: { task: name, space: recipe.space }, modelKey: recipe.modelKey };
  const { items } = await recordRun(workspace.store, run, options, async (runId) => {
    const read = await manyItems({ ...options, workspace, runId }, { task, recipe, mean, shards }, held);
    return { counts: { items: read.ids.length }, interrupted: false, items: read };
  });
  return items;
}
