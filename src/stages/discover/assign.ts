/**
 * The stage `discover`, its second step: a cluster for every item that has none, and its place on the data map. One file of
 * vectors is one shard.
 */
import { z } from 'zod';
import { IdMap } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import type { ItemKind, Label } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Closing, type Counts, closeContext, type StageDefinition, type StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import type { NeighbourGraph } from '../../math/knn/graph.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { NewLabel, Store, VectorShard } from '../../store/store.ts';
import {
  centreAndNormalise,
  type EmbeddingRecipe,
  requireMean,
  requireRecipe,
  type SpaceMean,
} from '../embed/recipe.ts';
import { ITEM_KIND } from '../image-work.ts';
import { VECTOR_SHARD } from '../vector-shard.ts';
import { corpusNow } from './class-rows.ts';
import { type ClusterInCut, itemConfidence } from './cluster-confidence.ts';
import { type ClusterModel, clustersOf, evidenceOf, savedModel } from './cluster-model.ts';
import { sampleOfModel } from './clustering.ts';
import { type HeldBeside, heldBeside, namesOfEach } from './clusters-now.ts';
import { type Copies, copiesIn } from './copies.ts';
import { deniedByPeople } from './held-classes.ts';
import { neighboursOf } from './hierarchy.ts';
import { keptKey, keptLayout } from './kept-sample.ts';
import { type Assignment, assignByNeighbours, type ClusteredSample } from './knn-assignment.ts';
import { mapKeyOf } from './map-record.ts';
import { type MapWriter, openMapWriter } from './map-writer.ts';
import { type Sample, sampleKey } from './sample.ts';

export const ASSIGN_SETTINGS = z.object({ task: z.string(), items: ITEM_KIND });
export type AssignSettings = z.infer<typeof ASSIGN_SETTINGS>;

export interface AssignContext extends Closing, Pick<Workspace, 'store' | 'vectors'> {
  readonly runId: string;
  readonly task: string;
  readonly recipe: EmbeddingRecipe;
  readonly mean: SpaceMean;
  readonly model: ClusterModel;
  readonly sample: ClusteredSample;
  /** The class that each item of the sample is labelled as, in its order; undefined for none. */
  readonly classNames: readonly (string | undefined)[];
  /** The same of every item that was clustered, in the model's order, whether or not it is still there. */
  readonly namesOfModel: readonly (string | undefined)[];
  /** Items that are people's and were not clustered. */
  readonly beside: ReadonlyMap<string, HeldBeside>;
  /** What these count as, by name; a label of a cluster that says something else is of a class that is no more. */
  readonly rootOf: ReadonlyMap<string | undefined, string | undefined>;
  readonly rootNames: ReadonlySet<string | undefined>;
  /** Items held out to measure accuracy: what people say of them steers nothing. */
  readonly measuring: ReadonlySet<ItemId>;
  /** The cluster of an item that is in the sample. */
  readonly own: IdMap;
  /** The place in the sample of an item that is in it. */
  readonly placeOf: IdMap;
  /** The cluster of a near copy of one that is, and the place of that one. */
  readonly ofCopy: (id: ItemId) => number | undefined;
  readonly placeOfCopy: (id: ItemId) => number | undefined;
  /** What is known of each cluster, by its number. */
  readonly cut: readonly (ClusterInCut | undefined)[];
  /** Items of the sample in each cluster, by its number. */
  readonly sizes: Int32Array;
  readonly map: MapWriter;
}

interface ShardResult {
  readonly labels: readonly NewLabel[];
  /** Where the items stand on the data map, where they had no place yet. */
  readonly marks: VectorShard | null;
  readonly counts: Counts;
}

/** In the counts of a shard: items by the name of their cluster's class, and all confidences together, in thousandths. */
const SIZE = 'size:';
const SURE = 'sure';
/** Those of them that the clusters were made of, with near copies, and their confidences. */
const MADE_OF = 'made-of';
const SURE_OF_MADE = 'sure-of-made';

/** Items in each class's clusters, from the sums of a run. */
export function sizesOf(counts: Counts): Map<string, number> {
  const sizes = Object.entries(counts).filter(([name]) => name.startsWith(SIZE));
  return new Map(sizes.map(([name, size]) => [name.slice(SIZE.length), size]));
}

/** How much of what is likely right. */
export interface LikelyRight {
  /** Of so many items that have a cluster, */
  readonly judged: number;
  /** the share that is likely of the class that most of its cluster is of; null where none has a cluster. */
  readonly share: number | null;
}

/**
 * @param since items that came after the clusters were made. They may be of classes that no cluster is of, which nothing about the clusters
 *   tells; so of a pile that has any the share is of what the clusters were made of alone.
 */
export function likelyRightOf(counts: Counts, since: number): LikelyRight {
  const all = [...sizesOf(counts).values()].reduce((sum, size) => sum + size, 0);
  const judged = since > 0 ? (counts[MADE_OF] ?? 0) : all;
  const sure = counts[since > 0 ? SURE_OF_MADE : SURE] ?? 0;
  return { judged, share: judged > 0 ? sure / 1000 / judged : null };
}

export const assignStage: StageDefinition<AssignSettings, AssignContext, VectorShard, ShardResult> = {
  name: 'discover',
  plansAll: true,
  settings: ASSIGN_SETTINGS,
  shard: VECTOR_SHARD,
  open: openFromRecord,
  fingerprint: clustersKey,

  close: closeContext,

  async total({ store, recipe, model }) {
    return (await store.vectorShards(recipe.space, model.items)).length;
  },

  async *plan({ store, recipe, model }) {
    yield* await store.vectorShards(recipe.space, model.items);
  },

  process: async (context, shard, eachItem) => {
    const [result] = await eachItem([shard], (one) => assigned(context, one));
    return result;
  },

  async commit({ store }, _shard, { labels, marks, counts }) {
    if (marks) await store.putVectorShard(marks);
    if (labels.length > 0) await store.putLabels(labels, { replace: true });
    return counts;
  },
};

/** Names the clusters, by all that decides what items are given, and nothing that `forget` changes. No model's name stands before it. */
function clustersKey({ model, own, namesOfModel, beside }: AssignContext): string {
  const held = Array.from(beside, ([key, { cluster, written }]) => `${key} ${cluster} ${written}`);
  const clusters = model.sample.map((key) => own.get(key) ?? -1);
  const decidedBy = [mapKeyOf(model), ...namesOfModel.map(String), ...clusters, ...held];
  return `@${sha256Hex(decidedBy.join('\n')).slice(0, 16)}`;
}

async function assigned(context: AssignContext, shard: VectorShard): Promise<ShardResult> {
  const { store, vectors, task, recipe, mean, sample, own, ofCopy, cut, sizes, map, runId } = context;
  const { beside, rootNames, measuring } = context;
  const { ids, vectors: rows } = await vectors.read(shard);
  const known = await store.labelsOf(ids, task);
  const deniedOf = new Map(ids.map((id) => [id, deniedByPeople(measuring.has(id) ? [] : (known.get(id) ?? []))]));
  const isKept = ({ origin, present, className }: Label) => present && origin === 'cluster' && rootNames.has(className);
  const before = (id: ItemId) =>
    known.get(id)?.find((label) => isKept(label) && !deniedOf.get(id)?.has(label.className));
  const kept = ids.flatMap((id) => before(id) ?? []);
  const copies = ids.filter((id) => own.get(id) === undefined && (ofCopy(id) ?? -1) >= 0).length;
  const isMadeOf = (id: ItemId) => context.placeOf.get(id) !== undefined || context.placeOfCopy(id) !== undefined;
  if (kept.length === ids.length && !map.lacks(ids))
    return { labels: [], marks: null, counts: { copies, ...sums(kept, isMadeOf) } };
  const fromMean = centreAndNormalise(rows, recipe, mean.values);
  const assignments = await assignByNeighbours(
    sample,
    ids,
    rows,
    ids.map((id) => own.get(id) ?? beside.get(sampleKey(id))?.cluster ?? ofCopy(id)),
  );
  const given = ids.map((itemId, i): NewLabel | 'kept' | 'none' => {
    if (before(itemId)) return 'kept';
    const { cluster, confidence: share } = assignments[i];
    const className = classNameFor(context, itemId, assignments[i]);
    if (className === undefined) return 'none';
    const denied = deniedOf.get(itemId);
    if (denied?.has(context.rootOf.get(className) ?? className)) {
      const other = nearestOther(context, assignments[i], denied);
      return other ? { itemId, task, ...other, present: true, origin: 'cluster', runId } : 'none';
    }
    const evidence = cut[cluster];
    // One item at least is of the class that most are of.
    const least = 1 / Math.max(1, sizes[cluster]);
    const confidence = Math.max(least, evidence ? itemConfidence(share, evidence) : share);
    return { itemId, task, className, present: true, origin: 'cluster', confidence, runId };
  });
  const labels = given.filter((label) => label !== 'kept' && label !== 'none');
  const none = given.filter((label) => label === 'none').length;
  return {
    labels,
    marks: map.lacks(ids) ? await map.write({ shard, ids, assignments, fromMean, runId }) : null,
    counts: { assigned: labels.length, none, copies, ...sums([...kept, ...labels], isMadeOf) },
  };
}

/** Of an item of the sample, and of one that is people's, its own; of another that of the one whose near copy it is, or of the nearest in its cluster. */
function classNameFor(
  { classNames, beside, sample, placeOf, placeOfCopy }: AssignContext,
  id: ItemId,
  { cluster, neighbours }: Assignment,
): string | undefined {
  if (cluster < 0) return undefined;
  const nearest = () => neighbours.find((place) => sample.clusters[place] === cluster);
  return beside.get(sampleKey(id))?.written ?? classNames[placeOf.get(id) ?? placeOfCopy(id) ?? nearest() ?? -1];
}

/** The class that most of an item's neighbours are of among those that nobody denied of it, by similarity; their share is the confidence. */
function nearestOther(
  { classNames, rootOf }: AssignContext,
  { neighbours, similarities }: Assignment,
  denied: ReadonlySet<string>,
): Pick<NewLabel, 'className' | 'confidence'> | undefined {
  const weights = new Map<string, number>();
  let all = 0;
  for (const [i, place] of neighbours.entries()) {
    const [className, weight] = [classNames[place], Math.max(0, similarities[i])];
    all += weight;
    if (className === undefined || denied.has(rootOf.get(className) ?? className)) continue;
    weights.set(className, (weights.get(className) ?? 0) + weight);
  }
  const [best] = [...weights].sort(([, a], [, b]) => b - a);
  return best && all > 0 ? { className: best[0], confidence: best[1] / all } : undefined;
}

function sums(
  labels: readonly Pick<Label, 'itemId' | 'className' | 'confidence'>[],
  isMadeOf: (id: ItemId) => boolean,
): Counts {
  const counts: Record<string, number> = {};
  const add = (key: string, value: number) => {
    counts[key] = (counts[key] ?? 0) + value;
  };
  for (const { itemId, className, confidence } of labels) {
    const sure = Math.round(1000 * confidence);
    add(SIZE + className, 1);
    add(SURE, sure);
    if (!isMadeOf(itemId)) continue;
    add(MADE_OF, 1);
    add(SURE_OF_MADE, sure);
  }
  return counts;
}

/** What the first step left in the workspace, for processes that did not do it. */
async function openFromRecord(job: StageJob<AssignSettings>): Promise<AssignContext> {
  const { workspace, settings, runId, threads, signal } = job;
  const { store, vectors } = workspace;
  const { task, items } = settings;
  const recipe = await requireRecipe(store, items);
  const mean = await requireMean(store, recipe);
  const model = await requireModel(workspace, task, items);
  const shards = await store.vectorShards(recipe.space, items);
  const sample = await sampleOfModel(workspace, model, shards, recipe, mean);
  const pool = await workspace.engine.openInference({ threads });
  try {
    const clustered = clusteredSample(pool, model, sample, await copiesIn(store, items));
    const neighbours = () => graphOf(pool, sample.vectors, signal);
    const { ids: sampleIds, fromMean } = sample;
    const kept = await keptLayout(workspace.blobs, keptKey(model, shards), sampleIds.length);
    const map = await openMapWriter(workspace, { model, sampleIds, fromMean, kept, neighbours, signal });
    const close = () => pool.close();
    const names = await classNamesOf(store, task, model, sample);
    return { store, vectors, runId, task, recipe, mean, model, ...names, ...clustered, map, close };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function requireModel({ store }: Pick<Workspace, 'store'>, task: string, items: ItemKind): Promise<ClusterModel> {
  const model = await savedModel(store, task);
  if (model && model.items === items) return model;
  throw new LabelsmithError('NOT_FOUND', `There are no clusters of ${items} in the task "${task}".`, {
    hint: 'Run labelsmith discover, which makes them.',
  });
}

/** What the items of the sample are labelled as by now. */
export async function classNamesOf(
  store: Pick<Store, 'corpus' | 'corpusLog' | 'auditedItems'>,
  task: string,
  model: ClusterModel,
  { ids }: Pick<Sample, 'ids'>,
): Promise<Pick<AssignContext, 'classNames' | 'namesOfModel' | 'beside' | 'rootOf' | 'rootNames' | 'measuring'>> {
  const now = await corpusNow(store);
  const { written, root } = namesOfEach(model, now);
  const nameOf = new Map(model.sample.map((key, item) => [key, written[item]]));
  const classNames = ids.map((id) => nameOf.get(sampleKey(id)));
  const rootOf = new Map(written.map((name, item) => [name, root[item]]));
  const measuring = await store.auditedItems(task);
  const beside = heldBeside(model, now);
  return { classNames, namesOfModel: written, beside, rootOf, rootNames: new Set(root), measuring };
}

/** The sample with the clusters that the model gives it. */
export function clusteredSample(
  pool: InferencePool,
  model: ClusterModel,
  { ids, vectors }: Sample,
  copies: Copies,
): Pick<AssignContext, 'sample' | 'own' | 'placeOf' | 'ofCopy' | 'placeOfCopy' | 'cut' | 'sizes'> {
  const own = clustersOf(model);
  const clusters = Int32Array.from(ids, (id) => own.get(id) ?? -1);
  const sizes = new Int32Array(clusters.reduce((most, cluster) => Math.max(most, cluster + 1), 0));
  for (const cluster of clusters) if (cluster >= 0) sizes[cluster]++;
  const placeOf = new IdMap();
  const placeOfSet = new Map<number, number>();
  for (const [i, id] of ids.entries()) {
    placeOf.set(id, i);
    const set = copies.setOf(id);
    if (set !== undefined && !placeOfSet.has(set)) placeOfSet.set(set, i);
  }
  const placeOfCopy = (id: ItemId) => placeOfSet.get(copies.setOf(id) ?? -1);
  return {
    own,
    placeOf,
    placeOfCopy,
    ofCopy: (id) => clusters[placeOfCopy(id) ?? -1],
    cut: evidenceOf(model),
    sizes,
    sample: { index: exactIndex(pool, vectors), ids, clusters },
  };
}

/** The graph that clusters and the data map come from; one item, or none, has no neighbours. */
export async function graphOf(pool: InferencePool, vectors: Matrix, signal?: AbortSignal): Promise<NeighbourGraph> {
  if (vectors.rows >= 2) return neighboursOf(pool, vectors, signal);
  return { indices: new Int32Array(vectors.rows).fill(-1), similarities: new Float32Array(vectors.rows), n: 1 };
}
