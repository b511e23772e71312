/**
 * `auto --classifier`: a trained classifier on the items of a workspace, whatever trained it.
 *
 * A shard is done when its probabilities' record exists; its labels are written before that, and again when a killed run
 * is repeated. Labels of origin `model` in the classifier's task are replaced, what people said stays. Resident: 16 to 32
 * bytes an item that is done.
 */

import type { IdSet } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { lifting, type UnreadCounts, unreadAmong } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../../jobs/run.ts';
import type { Stage } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { argMax } from '../../math/calibration.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { NewLabel, Store } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { missing, waiting } from '../embed/embed.ts';
import { type ImageWork, type ItemsResult, itemRunner } from '../item-pixels.ts';
import { itemsDone } from '../items-done.ts';
import { adoptGuesses, type GuessSet, guessSpace } from '../predictions.ts';
import { saidOf } from '../teach/items.ts';
import type { Classifier } from './classifier-file.ts';

export interface ClassifyOptions extends RunOptions {
  /** Confidence that a label needs, 0 to 1. Default: the one that the classifier was made with. */
  readonly threshold?: number;
}

/** What the stage needs of the outside, so that a test drives it with neither files nor a model. */
export interface ClassifyEffects {
  readonly store: Store;
  readonly vectors: VectorStore;
  readonly classifier: Pick<Classifier, 'info' | 'key' | 'classify'>;
  readonly readBytes: ReadPath;
}

export interface ClassifyResult extends RunResult {
  readonly task: string;
  readonly counts: UnreadCounts & {
    /** Items that were looked at in this run. */
    readonly classified: number;
    readonly labelled: number;
    /** Items that got none: below the threshold, or people have spoken. Their best guess is kept for `evaluate`. */
    readonly unsure: number;
    readonly shards: number;
  };
}

const DEFAULT_SHARD_SIZE = 256;

/** Names the classifier that was begun last in a task. */
const classifyingSetting = (task: string) => `classifying:${task}`;

type Tally = { -readonly [Name in keyof ClassifyResult['counts']]: number };

interface Classified {
  readonly id: ItemId;
  /** Probabilities, shape [classes]. */
  readonly result: Float32Array;
}

/** Classifies whatever of a workspace this classifier has not seen, see {@link classify}. */
export function classifyIn(
  workspace: Workspace,
  classifier: Classifier,
  options: ClassifyOptions,
): Promise<ClassifyResult> {
  const { store, vectors } = workspace;
  return classify({ store, vectors, classifier, readBytes: originalBytes(workspace) }, options);
}

export async function classify(effects: ClassifyEffects, options: ClassifyOptions): Promise<ClassifyResult> {
  const { store, vectors, classifier } = effects;
  const { task, items, classNames, threshold: own } = classifier.info;
  const threshold = options.threshold ?? own;
  await store.ensureTask({ name: task, rule: 'single', items });
  await store.ensureClasses(classNames);
  const settings = { task, items, threshold };
  return recordRun(store, { stage: 'classify', settings, modelKey: classifier.key }, options, async (runId) => {
    // Another threshold makes other labels of the same probabilities: its shards are others too.
    const key = sha256Hex(`${classifier.key}\n${threshold}`).slice(0, 16);
    const set: GuessSet = { task, items, origin: 'model', classNames, runId, key };
    // Of a classifier that another one was run after, nobody knows which labels are still its own.
    const last = classifyingSetting(task);
    if ((await store.getSetting(last)) !== key) {
      await vectors.remove(await store.clearVectorShards(guessSpace(set), items));
      await store.putSetting(last, key);
    }
    const done = await itemsDone({ store, vectors }, guessSpace(set), items);
    const tally: Tally = { classified: 0, labelled: 0, unsure: 0, quarantined: 0, away: 0, shards: 0 };
    const stage = await classifyStage(effects, options, { set, threshold, done, tally });
    const { interrupted, shards } = await runOnThisMachine(stage, options);
    tally.shards = shards;
    if (!interrupted) await adoptGuesses({ store, vectors }, set);
    return { task, interrupted, counts: tally };
  });
}

interface Progressing {
  readonly set: GuessSet;
  readonly threshold: number;
  readonly done: IdSet;
  readonly tally: Tally;
}

async function classifyStage(
  { store, vectors, classifier, readBytes }: ClassifyEffects,
  { limit, shardSize = DEFAULT_SHARD_SIZE }: ClassifyOptions,
  { set, threshold, done, tally }: Progressing,
): Promise<Stage<ImageWork, ItemsResult<Float32Array>>> {
  const { items, classNames, runId } = set;
  const { input, margin } = classifier.info;
  const process = itemRunner({ readBytes, input, margin: margin ?? 0, stage: 'classify' }, (pixels) =>
    classifier.classify(pixels),
  );
  const lift = await lifting(store);
  return {
    name: 'classify',
    total: items === 'images' ? Math.min(await waiting(store, done), limit ?? Number.POSITIVE_INFINITY) : undefined,
    shards: () => shardsOf(missing(store, items, done), shardSize, limit),
    process,
    async commit(shard, results) {
      await lift(shard.items.filter((_, i) => results[i]?.kind === 'done'));
      const found = results.flatMap((result) => (result.kind === 'done' ? result.items : []));
      const { rows, counts: unread } = unreadAmong(results);
      found.sort((a, b) => (a.id < b.id ? -1 : 1));
      if (found.length > 0) {
        const ids = found.map(({ id }) => id);
        const labels = await labelsFor(store, set, found, threshold);
        await store.clearMachineLabels(set.task, 'model', ids);
        await store.putLabels(labels, { replace: true });
        const probabilities = newSharedMatrix(found.length, classNames.length);
        for (const [i, item] of found.entries()) probabilities.data.set(item.result, i * classNames.length);
        const shard = sha256Hex(ids.join('\n')).slice(0, 16);
        const space = guessSpace(set);
        const written = { space, items, shard, runId, ids, vectors: probabilities, precision: 'float32' } as const;
        await store.putVectorShard(await vectors.write(written));
        tally.labelled += labels.length;
        tally.unsure += found.length - labels.length;
      }
      if (rows.length > 0) await store.putQuarantine(rows);
      tally.classified += found.length;
      tally.quarantined += unread.quarantined;
      tally.away += unread.away;
    },
  };
}

/** Labels of those that are sure enough, where no person or import has spoken; a refused class is not given. */
async function labelsFor(
  store: Pick<Store, 'labelsOf'>,
  { task, classNames, runId }: GuessSet,
  found: readonly Classified[],
  threshold: number,
): Promise<NewLabel[]> {
  const known = await store.labelsOf(
    found.map(({ id }) => id),
    task,
  );
  return found.flatMap(({ id, result: probabilities }) => {
    const word = saidOf(known.get(id) ?? []);
    if (word.kind !== 'nothing' && word.kind !== 'not') return [];
    const best = argMax(probabilities);
    const className = classNames[best];
    const confidence = probabilities[best];
    if (confidence < threshold || (word.kind === 'not' && word.classNames.includes(className))) return [];
    return [{ itemId: id, task, className, present: true, origin: 'model', confidence, runId }];
  });
}
