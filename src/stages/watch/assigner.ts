/**
 * Classes for images that arrive: by a taught classifier, by references, or by clusters, whichever the workspace has. Opened
 * once, and anew when what it goes by has changed: classes that people renamed, another clustering, more references.
 */

import { existsSync, statSync } from 'node:fs';
import type { ItemId } from '../../core/ids.ts';
import { ensureClassesOf } from '../../corpus/same-names.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { StageJob, Workspace } from '../../jobs/stage.ts';
import { classifierFile, taughtFile, taughtVersion } from '../../jobs/taught-files.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { VectorShard } from '../../store/store.ts';
import { classifierInfo, openClassifier } from '../classify/classifier-file.ts';
import { classifyContext, classifyStage } from '../classify/classify-stage.ts';
import { type AssignContext, assignStage } from '../discover/assign.ts';
import { savedModel } from '../discover/cluster-model.ts';
import { mapKeyOf, mapSpace } from '../discover/map-record.ts';
import { centreAndNormalise, type EmbeddingRecipe, savedMean } from '../embed/recipe.ts';
import { matchStage } from '../match/match-stage.ts';
import { savedReferences } from '../match/references.ts';
import { predictionSpace } from '../predictions.ts';
import { withShards } from './given-shards.ts';
import type { KeptSpace } from './small-files.ts';

export type AssignedBy = 'classifier' | 'references' | 'clusters';

export interface AssignRequest {
  readonly task: string;
  /** Path of a classifier; default: the one that was taught here for the task. */
  readonly classifier?: string;
}

export interface Assigner {
  readonly by: AssignedBy;
  readonly task: string;
  /** Labels a batch. @param vectors the file that the batch's vectors are in */
  assign(images: readonly ItemId[], vectors: VectorShard | undefined): Promise<void>;
  /** What it writes vectors to. */
  readonly spaces: readonly KeptSpace[];
  close(): Promise<void>;
}

type Job = Omit<StageJob<never>, 'settings'>;

export interface AssignerPlace {
  readonly workspace: Workspace;
  readonly recipe: EmbeddingRecipe;
  readonly runId: string;
  readonly options: RunOptions;
  readonly request: AssignRequest;
}

/** Undefined where the workspace has no classes to give yet. */
export async function openAssigner(place: AssignerPlace): Promise<Assigner | undefined> {
  const { workspace, recipe, request } = place;
  const classifier = request.classifier ?? (await taughtFile(workspace, classifierFile(request.task)));
  if (classifier !== undefined && existsSync(classifier)) return byClassifier(place, classifier);
  // Nothing can be compared before there is a mean.
  if ((await savedMean(workspace.store, recipe.space)) === undefined) return undefined;
  if (await savedReferences(workspace.store, request.task, recipe)) return byReferences(place);
  const clusters = await savedModel(workspace.store, request.task);
  return clusters?.items === 'images' ? byClusters(place) : undefined;
}

/** Changes when an assigner that is open no longer says what one that is opened now would. */
export async function assignerVersion({ workspace, recipe, request }: AssignerPlace): Promise<string> {
  const { store } = workspace;
  const { task, classifier } = request;
  const clusters = await store.artifact('clusters', task);
  const references = await savedReferences(store, task, recipe);
  const { classes, synonyms } = await store.corpus();
  return JSON.stringify([
    await classifierVersion(workspace, classifier, task),
    clusters?.data.length ?? 0,
    clusters?.data.slice(-2000) ?? '',
    references?.ids.length ?? 0,
    [...classes.values()].map(({ id, name, rootId }) => [id, name, rootId]),
    [...synonyms],
  ]);
}

function classifierVersion(workspace: Workspace, named: string | undefined, task: string): Promise<string> | number {
  if (named === undefined) return taughtVersion(workspace, classifierFile(task));
  return existsSync(named) ? statSync(named).mtimeMs : 0;
}

function jobOf({ workspace, runId, options }: AssignerPlace): Job {
  return { ...options, workspace, runId };
}

async function byClassifier(place: AssignerPlace, path: string): Promise<Assigner> {
  const { workspace, options } = place;
  const { store, engine } = workspace;
  const { threshold, task, items, classNames } = classifierInfo(await readWholeFile(path), path);
  await store.ensureTask({ name: task, rule: 'single', items });
  await ensureClassesOf(store, classNames);
  const job = { ...jobOf(place), settings: { classifier: path, threshold } };
  const classifier = await openClassifier(path, options);
  const context = await classifyContext(job, classifier);
  return {
    by: 'classifier',
    task,
    async assign(images) {
      const shard = { images: images.map((id) => ({ id, regions: null })) };
      await engine.run(withShards(classifyStage, [shard]), job, context);
    },
    spaces: [{ space: predictionSpace(context.set), precision: 'float32' }],
    close: () => classifier.close(),
  };
}

async function byReferences(place: AssignerPlace): Promise<Assigner> {
  const { workspace, request, runId } = place;
  const { task } = request;
  // What is thought of every image belongs to a whole `match`; here only labels are given.
  const settings = { task, threshold: null, key: runId, keepPredictions: false };
  const job = { ...jobOf(place), settings };
  const context = await matchStage.open(job);
  return {
    by: 'references',
    task,
    async assign(_, vectors) {
      if (vectors === undefined) return;
      await workspace.engine.run(withShards(matchStage, [{ vectors, rows: vectors.count }]), job, context);
    },
    spaces: [],
    close: async () => matchStage.close?.(context),
  };
}

async function byClusters(place: AssignerPlace): Promise<Assigner> {
  const { workspace, request, recipe } = place;
  const { task } = request;
  const { store, vectors: files } = workspace;
  const job = { ...jobOf(place), settings: { task, items: 'images' as const } };
  const context = await assignStage.open(job);
  const least = await leastSimilarity(context);
  return {
    by: 'clusters',
    task,
    async assign(_, vectors) {
      if (vectors === undefined) return;
      await workspace.engine.run(withShards(assignStage, [vectors]), job, context);
      // The nearest cluster of something that is like nothing here is no class for it.
      const { ids, vectors: rows } = await files.read(vectors);
      centreAndNormalise(rows, recipe, context.mean.values);
      const { similarities, n } = await context.sample.index.search(rows, 1);
      const strange = ids.filter((_, row) => (similarities[row * n] ?? 0) < least);
      if (strange.length > 0) await store.clearMachineLabels(task, 'cluster', strange);
    },
    spaces: [{ space: mapSpace(task, mapKeyOf(context.model)), precision: 'float32' }],
    close: async () => assignStage.close?.(context),
  };
}

/** Items of the sample that say how alike those of one pile are. */
const COMPARED = 500;
/** Share of the pile itself that is less like its nearest than this. */
const STRANGE_SHARE = 0.01;

/**
 * How like its nearest other item nearly every item of the sample is: what is less so fits no class. Of the sample alone, or what
 * came since, and was judged by it, would move it.
 */
async function leastSimilarity({ sample, recipe, vectors, store, mean }: AssignContext): Promise<number> {
  const shards = await store.vectorShards(recipe.space, 'images');
  const found = await vectors.lookup(shards, [...sample.ids].sort().slice(0, COMPARED));
  const ids = [...found.keys()];
  const rows = newSharedMatrix(found.size, found.get(ids[0])?.length ?? 0);
  for (const [row, vector] of [...found.values()].entries()) rows.data.set(vector, row * rows.columns);
  centreAndNormalise(rows, recipe, mean.values);
  const { indices, similarities, n } = await sample.index.search(rows, Math.min(2, sample.index.size));
  const nearest = ids.flatMap((id, row) => {
    for (let e = row * n; e < (row + 1) * n; e++) {
      if (sample.ids[indices[e]] !== id) return similarities[e];
    }
    return [];
  });
  nearest.sort((a, b) => a - b);
  return nearest[Math.floor(nearest.length * STRANGE_SHARE)] ?? Number.NEGATIVE_INFINITY;
}
