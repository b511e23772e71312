/** `teach train` and `teach rounds` as a whole: what has no vector is embedded first, then it is learned. */
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import { keptFile, taughtPath } from '../../jobs/taught-files.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { requireEmbedder } from '../../models/prepare-embedder.ts';
import { type BeginAgainOptions, beginningAgain } from '../begin-again.ts';
import type { EmbedResult } from '../embed/embed.ts';
import { embedWith } from '../embed/embed-with.ts';
import { refuseUnlabelled, singleTask } from './items.ts';
import { type TeachOptions, teachIn } from './teach.ts';
import type { TeachResult } from './teach-result.ts';

export interface TeachRequest
  extends Pick<
    TeachOptions,
    'task' | 'threshold' | 'budgetMs' | 'search' | 'views' | 'labelRest' | 'final' | 'fineTune' | 'keepEmbedder'
  > {
  /** Embedders to try. Default: none, and with a wide search all that are on this machine. */
  readonly backbones?: readonly string[];
}

export interface TeachHooks
  extends Pick<TeachOptions, 'onTrial' | 'onStep' | 'onAttempt' | 'onTraining' | 'onTakenOver' | 'onDepth'>,
    Pick<BeginAgainOptions, 'onAgain'> {
  /** Told before learning begins. */
  readonly onEmbedded?: (result: EmbedResult, items: 'images' | 'regions') => void;
}

/**
 * Where `forget` takes images from under it, it learns again from those that are left.
 *
 * @returns null where it was interrupted before there was anything to learn from
 */
export async function teachWith(
  workspace: Workspace,
  request: TeachRequest,
  run: RunOptions & TeachHooks,
): Promise<TeachResult | null> {
  const { task, backbones, search, labelRest } = request;
  for (const name of backbones ?? []) {
    // What was taught in the workspace is brought here first.
    await workspace.models.imported(name);
    await requireEmbedder(name);
  }
  await refuseKeeping(workspace, request);
  const { items } = await singleTask(workspace.store, task);
  await refuseUnlabelled(workspace.store, task);
  const embedded = await embedWith(workspace, { items }, run);
  if (embedded.interrupted) return null;
  run.onEmbedded?.(embedded, items);
  const { seed, threads, signal, onProgress, onTrial, onStep, onAttempt, onTraining, onTakenOver, onDepth } = run;
  const options: TeachOptions = {
    seed,
    threads,
    signal,
    onProgress,
    onTrial,
    onStep,
    onAttempt,
    onTraining,
    onTakenOver,
    onDepth,
    ...request,
    methods: labelRest ? undefined : [],
    backbones: backbones ?? (search === 'wide' ? await workspace.models.embeddersHere() : []),
  };
  // What was embedded while `forget` took it out has vectors and no image, until the next embedding.
  const mend = () => embedWith(workspace, { items }, run);
  return beginningAgain(workspace.store, items, { ...run, mend }, () => teachIn(workspace, options));
}

/** Refuses to keep an embedder where there will be none, or under a name that it cannot have. */
export async function refuseKeeping(
  workspace: Pick<Workspace, 'dir'>,
  { keepEmbedder, fineTune = 'off', task }: Pick<TeachRequest, 'keepEmbedder' | 'fineTune' | 'task'>,
): Promise<void> {
  if (keepEmbedder === undefined) return;
  if (fineTune === 'head') {
    throw new LabelsmithError('USAGE', '--fine-tune head trains no embedder that could be kept.', {
      hint: 'Give --fine-tune auto, bias, last or all, or leave out --keep-embedder.',
    });
  }
  if (fineTune === 'off') {
    throw new LabelsmithError('USAGE', 'There is no fine-tuned embedder to keep without fine-tuning.', {
      hint: 'Add --fine-tune auto, or leave out --keep-embedder.',
    });
  }
  const { refuseTunedName } = await import('../../models/tuning/keep-tuned.ts');
  await refuseTunedName(keepEmbedder, { path: taughtPath(workspace, keptFile(keepEmbedder)), task });
}
