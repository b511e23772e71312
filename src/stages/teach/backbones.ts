/**
 * Which embedder, and which parts of its vectors, the labels are best learned on: every candidate embeds the labelled
 * items alone and is cross-validated on them, folds by group. Writes nothing; the table of what was tried is handed back.
 *
 * Few labels tell little, so the first candidate wins that is no worse than the best by more than one standard error of
 * the difference (the "1 SE" rule: Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3), and the
 * one in use is the first. What is chosen does not depend on which of them was in use when it was chosen before, so a run
 * that was killed while it embedded everything anew chooses the same again.
 */

import { IdSet } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import { enoughInFlight, ItemLanes } from '../../jobs/item-lanes.ts';
import { quarantinedPaths } from '../../jobs/read-errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { correctRows } from '../../math/calibration.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { centreAndNormalise, meanOf, recipeOf, type VectorBlock } from '../embed/recipe.ts';
import { missingWork, readablePaths } from '../image-work.ts';
import { itemRunner } from '../item-pixels.ts';
import { foldsOf } from './cross-validation.ts';
import type { TaskItems } from './items.ts';
import type { Problem } from './problem.ts';
import { baseCandidates, searchBase } from './search.ts';

export interface BackboneOptions extends Pick<RunOptions, 'seed' | 'threads' | 'signal'> {
  /** Embedders to try beside the one in use, as `embed --model` takes them, in order of preference. */
  readonly models: readonly string[];
  /** On the clock of `performance.now()`: after it no further candidate is begun. */
  readonly deadlineMs: number;
  /** On the same clock: a candidate that could not embed all items by then is not taken. */
  readonly endMs: number;
  readonly onTrial?: (trial: BackboneTrial) => void;
}

/** One way to a vector, cross-validated with the best strength and class weights found for it. */
export interface BackboneTrial {
  readonly model: string;
  /** What each part of the vector counts, as `blocks` of the recipe. */
  readonly weights: readonly number[];
  readonly accuracy: number;
  /** Mean cross-entropy, nats. */
  readonly loss: number;
  /** Labels that it was scored on. */
  readonly labels: number;
}

export interface BackboneChoice {
  readonly model: string;
  readonly weights: readonly number[];
  /** In order of preference. */
  readonly trials: readonly BackboneTrial[];
  /** Why a candidate has no trial. */
  readonly skipped: readonly { readonly model: string; readonly reason: string }[];
}

/** More labels than these say no more about which of two embedders is better. */
const MAX_LABELS = 1000;
const FOLDS = 5;

interface Scored extends BackboneTrial {
  /** 1 where the held-out prediction was correct, shape [labels]. */
  readonly correct: Uint8Array;
}

export async function searchBackbones(
  workspace: Workspace,
  pool: InferencePool,
  items: TaskItems,
  problem: Problem,
  options: BackboneOptions,
): Promise<BackboneChoice> {
  const { seed, threads, models, deadlineMs, endMs, signal, onTrial } = options;
  const inUse = items.recipe.model;
  const sample = labelledSample(items, problem, seed);
  const scored: Scored[] = [];
  const skipped: { model: string; reason: string }[] = [];
  for (const model of [inUse, ...models.filter((name) => name !== inUse)]) {
    signal?.throwIfAborted();
    if (performance.now() > deadlineMs && scored.length > 0) {
      skipped.push({ model, reason: 'the time budget left none for it' });
      continue;
    }
    const embedder = await openOrSay(model, (name) => workspace.models.openEmbedder(name, { threads }), inUse);
    if (typeof embedder === 'string') {
      skipped.push({ model, reason: embedder });
      continue;
    }
    try {
      const begunAt = performance.now();
      const vectors = await embedSample(workspace, items, sample, embedder, options);
      const now = performance.now();
      const allMs = ((now - begunAt) / sample.ids.length) * (items.whole?.count ?? items.ids.length);
      if (model !== inUse && now + allMs > endMs) {
        skipped.push({
          model,
          reason: `embedding everything would take ${Math.ceil(allMs / 1000)} s, more than is left`,
        });
        continue;
      }
      for (const blocks of blockVariants(embedder.blocks, model)) {
        const trial = await score(pool, sample, vectors, blocks, { model, seed, signal });
        scored.push(trial);
        onTrial?.(trial);
      }
    } finally {
      await embedder.close();
    }
  }
  const { model, weights } = simplestGood(scored);
  return { model, weights, trials: scored.map(({ correct: _, ...trial }) => trial), skipped };
}

/** Candidates: every embedder by itself, then two side by side, in the order given. */
export function backboneNames(embedders: readonly string[]): string[] {
  const pairs = embedders.flatMap((a, i) => embedders.slice(i + 1).map((b) => `${a}+${b}`));
  return [...embedders, ...pairs];
}

interface Sample {
  readonly ids: readonly ItemId[];
  readonly groups: readonly string[];
  readonly labels: Int32Array;
  readonly classes: number;
}

function labelledSample({ ids, groups }: TaskItems, { labelled, labels, classes }: Problem, seed: number): Sample {
  const places = sampleIndices(labelled.length, Math.min(MAX_LABELS, labelled.length), seededRandom(seed, 'backbones'));
  const rows = Array.from(places, (place) => labelled[place]);
  return {
    ids: rows.map((row) => ids[row]),
    groups: rows.map((row) => groups[row]),
    labels: Int32Array.from(places, (place) => labels[place]),
    classes,
  };
}

/** A candidate that cannot be had or does not fit is left out with its reason; the one in use has to be there. */
async function openOrSay(
  model: string,
  open: (model: string) => Promise<Embedder>,
  inUse: string,
): Promise<Embedder | string> {
  try {
    return await open(model);
  } catch (error) {
    if (model === inUse || !(error instanceof LabelsmithError) || error.code === 'INTERRUPTED') throw error;
    return error.message;
  }
}

/** Stored vectors of the sample's items, in its order; undefined for items that cannot be read any more. */
async function embedSample(
  workspace: Workspace,
  { task }: TaskItems,
  { ids }: Sample,
  embedder: Embedder,
  { threads, signal }: Pick<BackboneOptions, 'threads' | 'signal'>,
): Promise<(Float32Array | undefined)[]> {
  const { store } = workspace;
  const wanted = new IdSet();
  for (const id of ids) wanted.add(id);
  const found = new Map<ItemId, Float32Array>();
  const { margin } = recipeOf(embedder, task.items);
  const readBytes = originalBytes(workspace);
  const from = { readBytes, input: embedder.input, margin: margin ?? 0, stage: 'embed' };
  const run = itemRunner(from, (pixels) => embedder.embed(pixels, 1));
  const quarantined = await quarantinedPaths(store);
  const lanes = new ItemLanes(enoughInFlight(threads));
  for await (const page of missingWork(store, { items: task.items, done: new IdSet(), quarantined })) {
    signal?.throwIfAborted();
    const work = page
      .map(({ id, regions }) => ({ id, regions: regions?.filter((region) => wanted.has(region.id)) ?? null }))
      .filter(({ id, regions }) => (regions ? regions.length > 0 : wanted.has(id)));
    const imageIds = work.map(({ id }) => id);
    const paths = await readablePaths(store, imageIds, quarantined);
    const results = await lanes.forShard().eachItem(work, (one) => run(one, paths.get(one.id) ?? []));
    for (const result of results) {
      if (result.kind === 'done') for (const item of result.items) found.set(item.id, item.result);
    }
  }
  return ids.map((id) => found.get(id));
}

/** The parts as they are weighed, all alike, and, of a single model, the first alone. */
function blockVariants(blocks: readonly VectorBlock[], model: string): VectorBlock[][] {
  const variants = [[...blocks]];
  if (blocks.length > 1) {
    variants.push(blocks.map(({ columns }) => ({ columns, weight: 1 })));
    if (!model.includes('+')) variants.push(blocks.map(({ columns }, i) => ({ columns, weight: i === 0 ? 1 : 0 })));
  }
  return variants;
}

async function score(
  pool: InferencePool,
  sample: Sample,
  vectors: readonly (Float32Array | undefined)[],
  blocks: readonly VectorBlock[],
  { model, seed, signal }: { readonly model: string; readonly seed: number; readonly signal?: AbortSignal },
): Promise<Scored> {
  const there = vectors.flatMap((vector, place) => (vector ? [place] : []));
  const features: Matrix = newSharedMatrix(
    there.length,
    blocks.reduce((sum, { columns }) => sum + columns, 0),
  );
  for (const [i, place] of there.entries()) features.data.set(vectors[place] as Float32Array, i * features.columns);
  centreAndNormalise(features, { blocks }, meanOf(features));
  const problem: Problem = {
    features,
    groups: there.map((place) => sample.groups[place]),
    labelled: Int32Array.from(there, (_, i) => i),
    labels: Int32Array.from(there, (place) => sample.labels[place]),
    classes: sample.classes,
  };
  const context = { pool, joined: null, principal: null, seed, signal };
  const folds = foldsOf(problem, FOLDS, seed);
  const { best, heldOut } = await searchBase(context, problem, folds, baseCandidates('quick', false));
  return {
    model,
    weights: blocks.map(({ weight }) => weight),
    accuracy: best.accuracy,
    loss: best.loss,
    labels: there.length,
    correct: correctRows(heldOut.logits, problem.labels),
  };
}

/** The first that is within one standard error of the best, the likelier of equally good ones being the best. */
export function simplestGood<Trial extends Pick<Scored, 'accuracy' | 'loss' | 'correct'>>(
  scored: readonly Trial[],
): Trial {
  const [best] = [...scored].sort((a, b) => b.accuracy - a.accuracy || a.loss - b.loss);
  if (!best) throw new RangeError('no candidates');
  return scored.find(({ correct }) => isAsGood(correct, best.correct)) as Trial;
}

/** Whether it is right no more seldom than the best by more than one standard error; 1 where it is right, item by item. */
export function isAsGood(correct: Uint8Array, best: Uint8Array): boolean {
  const n = best.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const difference = best[i] - correct[i];
    sum += difference;
    squares += difference * difference;
  }
  const mean = sum / n;
  const error = Math.sqrt(Math.max(0, squares - n * mean * mean) / (n * Math.max(1, n - 1)));
  // One item more or less is exactly one standard error.
  return mean <= error * (1 + 1e-9);
}
