/** `classify` and `auto --classifier`: a trained classifier on the items of a workspace, as one recorded run. */
import { z } from 'zod';
import { ensureClassesOf } from '../../corpus/same-names.ts';
import type { ReadPath } from '../../jobs/image-reader.ts';
import { inTurn } from '../../jobs/parts/claim.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type Artifact, readArtifact, writeArtifact } from '../../store/typed.ts';
import { type BeginAgainOptions, beginningAgainOnImages } from '../begin-again.ts';
import { adoptPredictions, predictionSpace } from '../predictions.ts';
import { classifyContext, classifyStage, predictionSetOf } from './classify-stage.ts';
import { holdingClassifier } from './held-classifier.ts';

export interface ClassifyOptions extends RunOptions, Pick<BeginAgainOptions, 'onAgain'> {
  /** Confidence that a label needs, 0 to 1. Default: the one that the classifier was made with. */
  readonly threshold?: number;
}

export interface ClassifyResult extends RunResult {
  readonly task: string;
  readonly counts: ReadErrorCounts & {
    /** Items that were looked at in this run. */
    readonly classified: number;
    readonly labelled: number;
    /** Items that got none: below the threshold, or people have spoken. Their best guess is kept for `evaluate`. */
    readonly unsure: number;
    readonly shards: number;
  };
}

/** Names the classifier that was begun last in a task. */
const CLASSIFYING: Artifact<string> = {
  kind: 'classifying',
  version: 1,
  schema: z.string(),
  what: 'The classifier that was begun last',
  remedy: 'Run labelsmith classify again.',
};

const NOTHING = { classified: 0, labelled: 0, unsure: 0, quarantined: 0, away: 0 };

/**
 * Classifies whatever of a workspace this classifier has not seen, and records the run. Where `forget` takes images from under it, it
 * goes on with those that are left.
 *
 * @param classifier stays open. @param readBytes default: from the recorded paths.
 */
export async function classifyIn(
  workspace: Workspace,
  classifier: Parameters<typeof classifyContext>[1],
  options: ClassifyOptions,
  readBytes?: ReadPath,
): Promise<ClassifyResult> {
  const { store, vectors, blobs, engine } = workspace;
  const { task, items, classNames, threshold: own } = classifier.info;
  const threshold = options.threshold ?? own;
  await store.ensureTask({ name: task, rule: 'single', items });
  await ensureClassesOf(store, classNames);
  const recorded = { task, items, threshold };
  const identity = { stage: 'classify', settings: recorded, modelKey: classifier.key };
  const work = async (runId: string): Promise<ClassifyResult> => {
    const set = predictionSetOf(classifier, threshold, runId);
    // Of a classifier that another one was run after, nobody knows which labels are still its own.
    const begin = async () => {
      if ((await readArtifact(store, CLASSIFYING, task)) === set.key) return;
      await vectors.remove(await store.clearVectorShards(predictionSpace(set), items));
      await writeArtifact(store, CLASSIFYING, task, set.key);
    };
    // Of several processes that do a part each, the last to begin would clear what the others have written down.
    await (engine.isPart ? inTurn(store, `classifying ${task}`, begin, options) : begin());
    const job = { ...options, workspace, settings: { classifier: classifier.key, threshold }, runId };
    const context = await classifyContext(job, classifier, readBytes);
    const run = () => engine.run(classifyStage, job, context);
    const { path } = classifier;
    const isHeld = engine.opensElsewhere === true && path !== undefined;
    const done = isHeld ? holdingClassifier(blobs, { key: classifier.key, path }, run) : run();
    const { counts, shards, interrupted } = await done;
    if (!interrupted) await adoptPredictions({ store, vectors }, set);
    return { task, interrupted, counts: { ...NOTHING, ...counts, shards } };
  };
  return beginningAgainOnImages(store, options, () => recordRun(store, identity, options, work));
}
