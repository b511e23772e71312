/** `evaluate` as a whole: a file or folder of ground truth against what a workspace says of the same images. */
import type { Origin } from '../../core/labels.ts';
import { Reckoning, type ReckoningReport } from '../../formats/reckoning.ts';
import { guessFormat, readerNamed } from '../../formats/table.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { vectorsOf } from '../embed/vectors-of.ts';
import { resolveLabels } from '../import/resolve.ts';
import { type LabelFiles, openLabelFiles } from '../import/unpack.ts';
import { openPredictions } from '../predictions.ts';
import { evaluate } from './evaluate.ts';
import { readTruth } from './ground-truth.ts';
import { labelErrorMetrics } from './label-error-metrics.ts';
import { canonicalNames, defaultTask, predictionsOf } from './predictions.ts';

export interface EvaluateRequest {
  /** Default: `objects` where the ground truth has boxes, else `class`. */
  readonly task?: string;
  /** Only what this origin says. */
  readonly origin?: Origin;
  /** Of the ground truth. Default: told from its name. */
  readonly format?: string;
  /** Whose candidates mAP is computed on. Default: the last run's. */
  readonly model?: string;
}

export interface EvaluatedAgainst extends Awaited<ReturnType<typeof evaluate>> {
  /** How well `teach errors` finds wrong labels; null where no model has judged them. */
  readonly labelErrors: Awaited<ReturnType<typeof labelErrorMetrics>> | null;
  /** What was read of the ground truth, and what was not. */
  readonly reckoning: ReckoningReport;
  /** Where the ground truth names files that no image here matches: the first of them. */
  readonly unmatchedWhere: readonly string[];
}

export async function evaluateAgainst(
  workspace: Workspace,
  path: string,
  request: EvaluateRequest,
): Promise<EvaluatedAgainst> {
  const reckoning = new Reckoning();
  const files = await openLabelFiles(path, 'auto', reckoning);
  try {
    return await evaluateFiles(workspace, { ...files, reckoning }, request);
  } finally {
    await files.close();
  }
}

async function evaluateFiles(
  workspace: Workspace,
  { path, base, reckoning }: Pick<LabelFiles, 'path' | 'base'> & { readonly reckoning: Reckoning },
  request: EvaluateRequest,
): Promise<EvaluatedAgainst> {
  const { store } = workspace;
  const format = request.format === undefined ? await guessFormat(path) : readerNamed(request.format).name;
  const resolved = await resolveLabels(store, format, path, { reckoning, base });
  const canonical = await canonicalNames(store);
  const truthOf = (task: string, counted: Reckoning) =>
    readTruth(resolved.read(), {
      reckoning: counted,
      resolve: (page) => Promise.all(page.map(async (entry) => (await resolved.find(entry)).image)),
      task,
      canonical,
    });
  const guessed = request.task ?? (await defaultTask(store, null));
  const first = await truthOf(guessed, reckoning);
  const task = request.task ?? (await defaultTask(store, first));
  // What it says of the task it turned out to be about; labels that name no task belong to any.
  const truth = task === guessed ? first : await truthOf(task, new Reckoning());
  const opened = await openPredictions(workspace, task);
  const predictions = await predictionsOf(store, truth, {
    task,
    guesses: opened && ((ids) => opened.best(ids)),
    origin: request.origin,
    modelKey: request.model,
  });
  const compared = await evaluate(truth, {
    ...predictions,
    vectorsOf: (ids) => vectorsOf(workspace, 'images', ids),
  });
  const labelErrors = opened ? await labelErrorMetrics(workspace, task, truth) : null;
  return { ...compared, labelErrors, reckoning: reckoning.report(), unmatchedWhere: truth.unmatchedWhere };
}
