/** One training of a fine-tuning: on some of the labels, from a weak classifier on the features as they were. */
import { sha256Hex } from '../../../core/ids.ts';
import { LABELSMITH_VERSION } from '../../../core/version.ts';
import { fitLinearHead, type LinearHead } from '../../../math/heads/linear-head.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import type { StepReport } from '../../../math/training/train.ts';
import type { HeldOut, TuningSet } from '../../../models/tuning/batches.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import { type Tuned, type TuneOptions, tuneNetwork } from '../../../models/tuning/tune.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { encodeModel } from '../../../onnx/proto.ts';
import type { Beliefs } from './beliefs.ts';
import type { TuningStep } from './steps.ts';
import type { TuningRecord } from './tuning-record.ts';
import type { PreparedTuning } from './tuning-set.ts';

export interface TrainingRequest {
  readonly embedder: TunableEmbedder;
  readonly step: TuningStep;
  readonly prepared: PreparedTuning;
  readonly beliefs: Beliefs;
  /** Images whose labels this training does not see. */
  readonly heldOut?: HeldOut;
  /** See {@link TuneOptions.endShare}. */
  readonly endShare?: number;
  readonly seed: number;
  readonly record?: TuningRecord;
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  readonly onTakenOver?: TuneOptions['onTakenOver'];
}

export async function trainOnce(pool: InferencePool, request: TrainingRequest): Promise<Tuned> {
  const { embedder, step, seed, record, signal, onStep, onTakenOver } = request;
  const { features } = request.prepared;
  const set = setOf(request);
  const head = await startingHead(pool, set, features, signal);
  const options = { ...optionsOf(step, seed), endShare: request.endShare };
  const checkpoints = record?.checkpointsOf(keyOfTraining(request));
  return tuneNetwork(pool, embedder.network, { ...set, heldOut: readable(request) }, head, {
    ...options,
    checkpoints,
    signal,
    onStep,
    onTakenOver,
  });
}

/** Those of the held-out images that could be read. */
function readable({ heldOut, prepared }: TrainingRequest): HeldOut | undefined {
  if (!heldOut) return undefined;
  const there = new Set(prepared.members);
  const places = [...heldOut.images.keys()].filter((i) => there.has(heldOut.images[i] ?? -1));
  const at = (list: readonly number[]) => places.map((i) => list[i] ?? 0);
  return { images: at(heldOut.images), labels: at(heldOut.labels) };
}

/** Those that could be read and count. */
export function setOf({ prepared, beliefs }: Pick<TrainingRequest, 'prepared' | 'beliefs'>): TuningSet {
  const members = prepared.members.filter((image) => (beliefs.weights[image] ?? 0) > 0);
  return { ...prepared.set, ...beliefs, members };
}

function optionsOf(
  { from: _, shares: __, strongViews: ___, pseudoLabels: ____, ...options }: TuningStep,
  seed: number,
): TuneOptions {
  return { ...options, seed };
}

/** Names everything that the training follows from; the pixels follow from the images' identities, how views are made, and the seed. */
export function keyOfTraining(request: TrainingRequest): string {
  const { embedder, prepared, step, seed } = request;
  const set = setOf(request);
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    sha256Hex(Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength)));
  const follows = {
    version: LABELSMITH_VERSION,
    network: sha256Hex(encodeModel(embedder.network.model)),
    options: optionsOf(step, seed),
    cut: set.cut.value,
    views: set.views,
    members: set.members,
    classes: set.classes,
    images: prepared.ids,
    augment: prepared.augment,
    strongViews: prepared.strongViews,
    beliefs: [bytes(set.targets), bytes(set.weights)],
    heldOut: step.patience === undefined ? undefined : request.heldOut,
    endShare: request.endShare,
  };
  return sha256Hex(JSON.stringify(follows)).slice(0, 32);
}

/** Strength of the classifier that training begins with: one that knows its images by heart has nothing to tell the layers below. */
const START_C = 1;

/** A weak classifier on the features of every view as they were. */
async function startingHead(
  pool: InferencePool,
  { views, classes, members = [], ...set }: TuningSet,
  features: Matrix,
  signal: AbortSignal | undefined,
): Promise<LinearHead> {
  const rows = members.flatMap((image) => Array.from({ length: views }, (_, view) => image * views + view));
  const targets = newSharedMatrix(rows.length, classes);
  const weights = new Float32Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const image = Math.floor(row / views);
    targets.data.set(set.targets.subarray(image * classes, (image + 1) * classes), i * classes);
    weights[i] = (set.weights[image] ?? 1) / views;
  }
  return fitLinearHead(pool, { features: gatherRows(features, rows), targets, weights }, { C: START_C, signal });
}
