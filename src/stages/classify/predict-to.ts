/** `teach predict --out` and `--fleet`: a trained classifier on files anywhere, by several processes, with the rows of one. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { refuseProtected, trueLocation } from '../../files/place.ts';
import { PartDone } from '../../jobs/parts/part-done.ts';
import type { Part } from '../../jobs/parts/parts-engine.ts';
import { progressMeter } from '../../jobs/progress.ts';
import { type RunOptions, recordRun, versionOfResults } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { uriOf } from '../../sources/cloud/address.ts';
import { isObjectPath } from '../../sources/cloud/object-reader.ts';
import { addressIn } from '../../sources/cloud/object-stores.ts';
import { openSource } from '../../sources/open.ts';
import type { Classifier } from './classifier-file.ts';
import { holdingClassifier } from './held-classifier.ts';
import { type FilePrediction, refuseRegions } from './predict.ts';
import { PREDICT_SHARD_SIZE, type PredictShard, predictShard, shardName, shardsOfSource } from './predict-shards.ts';
import { predictContext, predictStage } from './predict-stage.ts';
import { PredictionsPlace, type WholePredictions } from './predictions-place.ts';

const STAGE = 'teach predict';

export interface PredictToOptions extends RunOptions {
  /** Below this confidence the class is empty. Default 0: every file has one. */
  readonly threshold?: number;
  /** Told of each shard that this process does, or that workers do for it, in the order of the files. */
  readonly onPredicted?: (predictions: readonly FilePrediction[]) => void;
}

export type PredictedTo =
  | { readonly kind: 'interrupted' }
  /** Nothing is written. */
  | { readonly kind: 'no files' }
  /** `there`: it was, of the same files, or another process has written it. */
  | { readonly kind: 'written' | 'there'; readonly labels: string; readonly whole: WholePredictions };

/**
 * Predicts what is missing of the files of `spec` at the place `out`, and writes the whole when all is there.
 *
 * @param part of so many processes; the others do the rest. Without it all that is missing is done.
 * @throws PartDone where the parts of others are missing
 */
export async function predictTo(
  classifier: Classifier,
  spec: string,
  out: string,
  { part, ...options }: PredictToOptions & { readonly part?: Part },
): Promise<PredictedTo> {
  const { signal, limit, threshold = 0, onPredicted, onProgress } = options;
  return atPlace(classifier, spec, out, options, async (place, source, before) => {
    const meter = progressMeter(STAGE, undefined, () => performance.now());
    const shardSize = options.shardSize ?? PREDICT_SHARD_SIZE;
    const names: string[] = [];
    let [shards, items] = [0, 0];
    for await (const shard of shardsOfSource(source, { shardSize, limit })) {
      if (signal?.aborted) break;
      const name = shardName(shard);
      const isMine = part === undefined || names.length % part.count === part.index;
      names.push(name);
      if (!isMine || before.has(name)) continue;
      const predictions = await predictShard(classifier, shard, { threshold, signal });
      if (predictions.length < shard.files.length) break;
      await place.put(name, predictions);
      onPredicted?.(predictions);
      shards++;
      items += predictions.length;
      meter.add(predictions.length);
      onProgress?.(meter.snapshot(shards));
    }
    if (signal?.aborted) return undefined;
    const done = await place.done();
    const missing = names.filter((name) => !done.has(name)).length;
    if (missing > 0 && part !== undefined && (await place.wholeOf(names)) === undefined) {
      const { index, count } = part;
      const doneShards = names.length - missing;
      const otherShards = done.size - doneShards;
      throw new PartDone({
        stage: STAGE,
        index,
        count,
        shards,
        items,
        doneShards,
        allShards: names.length,
        otherShards,
        isOver: false,
      });
    }
    return { names, parts: names };
  });
}

/** The same with every shard done by the workers of a workspace. @param out none: the predictions are told, and kept nowhere */
export async function predictByWorkers(
  workspace: Workspace,
  classifier: Classifier,
  spec: string,
  { out, ...options }: PredictToOptions & { readonly out?: string },
): Promise<PredictedTo | { readonly kind: 'told' }> {
  const { threshold = 0, onPredicted } = options;
  const identity = {
    stage: 'predict',
    settings: { source: spec, task: classifier.info.task, threshold, out: out ?? null },
    modelKey: classifier.key,
  };
  const run = async (
    source: Parameters<typeof shardsOfSource>[0],
    isDone: (shard: PredictShard) => boolean,
    onShard: (shard: PredictShard, predictions: readonly FilePrediction[]) => Promise<void>,
  ) =>
    recordRun(workspace.store, identity, options, async (runId) => {
      const job = { ...options, workspace, settings: { classifier: classifier.key, threshold }, runId };
      const context = predictContext(job, classifier, { source, isDone, onPredicted: onShard });
      return holdingClassifier(workspace.blobs, classifier, () => workspace.engine.run(predictStage, job, context));
    });
  refuseRegions(classifier.info);
  if (out === undefined) {
    const source = await openSource(spec, { cwd: process.cwd() });
    const { interrupted } = await run(
      source,
      () => false,
      async (_, predictions) => onPredicted?.(predictions),
    );
    return { kind: interrupted ? 'interrupted' : 'told' };
  }
  return atPlace(classifier, spec, out, options, async (place, source, before) => {
    const names: string[] = [];
    // A shard that no worker gets over is cut: its pieces have names of their own.
    const parts: string[] = [];
    const isDone = (shard: PredictShard) => {
      const name = shardName(shard);
      names.push(name);
      if (before.has(name)) parts.push(name);
      return before.has(name);
    };
    const { interrupted } = await run(source, isDone, async (shard, predictions) => {
      const name = shardName(shard);
      await place.put(name, predictions);
      parts.push(name);
      onPredicted?.(predictions);
    });
    // Names begin with the place of their first file.
    return interrupted ? undefined : { names, parts: parts.sort() };
  });
}

/** Names of the shards as planned, and as they are done; undefined where it was interrupted. */
type Done = { readonly names: readonly string[]; readonly parts: readonly string[] } | undefined;

async function atPlace(
  { info, key }: Classifier,
  spec: string,
  out: string,
  { threshold = 0, limit, shardSize = PREDICT_SHARD_SIZE }: PredictToOptions,
  work: (place: PredictionsPlace, source: Awaited<ReturnType<typeof openSource>>, before: Set<string>) => Promise<Done>,
): Promise<PredictedTo> {
  refuseRegions(info);
  const source = await openSource(spec, { cwd: process.cwd() });
  const { task } = info;
  const from = isObjectPath(spec) ? spec : resolve(spec);
  const version = await versionOfResults();
  const about = { model: key, task, threshold, source: from, limit: limit ?? null, shardSize, version };
  await refuseWithin(from, out);
  const place = await PredictionsPlace.open(out, about);
  try {
    const { labels, whole: earlier } = place;
    if (earlier !== undefined) {
      const names: string[] = [];
      for await (const shard of shardsOfSource(source, { shardSize, limit })) names.push(shardName(shard));
      const whole = await place.wholeOf(names);
      if (whole === undefined) throw otherFiles(place.uri);
      return { kind: 'there', labels, whole };
    }
    const done = await work(place, source, await place.done());
    if (done === undefined) return { kind: 'interrupted' };
    if (done.names.length === 0) return { kind: 'no files' };
    const theirs = await place.wholeOf(done.names);
    if (theirs !== undefined) {
      await place.dropParts();
      return { kind: 'there', labels, whole: theirs };
    }
    try {
      return { kind: 'written', labels, whole: await place.finish(done.names, done.parts) };
    } catch (error) {
      // Another process has put the parts together, and taken them away.
      const whole = await place.wholeOf(done.names);
      if (whole === undefined) throw error;
      return { kind: 'there', labels, whole };
    }
  } finally {
    await place.close();
  }
}

/** Predictions among the files that they are of would be files of them the next time. @param from absolute */
async function refuseWithin(from: string, out: string): Promise<void> {
  const [there, here] = [addressIn(from), addressIn(out)];
  if (there === undefined && here === undefined) {
    return refuseProtected(await trueLocation(resolve(out)), [{ path: from, what: 'what is predicted' }]);
  }
  if (there === undefined || here === undefined) return;
  const [files, place] = [`${uriOf(there)}/`, `${uriOf(here)}/`];
  if (!files.startsWith(place) && !place.startsWith(files)) return;
  throw new LabelsmithError('REFUSED', `${out} is, holds or is inside of ${from}, whose files are predicted.`, {
    hint: 'Choose another place with --out.',
  });
}

function otherFiles(uri: string): LabelsmithError {
  return new LabelsmithError('REFUSED', `The predictions at ${uri} are whole, of other files than there are now.`, {
    hint: 'Files came, went or changed since. Choose another place with --out, or delete what is there.',
  });
}
