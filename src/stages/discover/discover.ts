/**
 * `discover`: clusters of what was embedded, as proposed classes with names and their evidence.
 *
 * Two steps. The first clusters the items (a sample of many), names the clusters and saves both; it runs when there is no
 * clustering of this space yet, when that was one of a subset (a run with `limit`) and there are more vectors since, when
 * something else is asked for, or with `recluster`. The second (`assign.ts`) gives every item that has none its cluster, a
 * file of vectors at a time, so it can be killed and goes on; images that come later get theirs in the same way. Labels
 * have the origin `cluster`, which yields to every other. The second step also puts every item in its place on the data map.
 */
import { type Hold, holdingBlobs } from '../../blobs/held-blobs.ts';
import { LabelsmithError } from '../../errors.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { inTurn } from '../../jobs/parts/claim.ts';
import { dropParts } from '../../jobs/reduction.ts';
import { recordRun } from '../../jobs/run.ts';
import type { StageJob } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { VectorShard } from '../../store/store.ts';
import { beginningAgain } from '../begin-again.ts';
import { fitMeanTogether } from '../embed/mean-stage.ts';
import { type EmbeddingRecipe, requireRecipe, type SpaceMean, savedMean } from '../embed/recipe.ts';
import { countItems, SPREAD_FROM } from '../vector-shard.ts';
import { assignStage, classNamesOf, clusteredSample, graphOf, likelyRightOf, sizesOf } from './assign.ts';
import { corpusNow } from './class-rows.ts';
import { type ClusterModel, savedModel, saveModel } from './cluster-model.ts';
import { type Clustering, type ClusteringRequest, clusteringFor, keepsClusters } from './clustering.ts';
import { namesOfEach } from './clusters-now.ts';
import { copiesIn } from './copies.ts';
import { described, mapFindings, straysTold } from './findings.ts';
import { keepForOthers, keptKey, keptLayout } from './kept-sample.ts';
import type { ClusteredSample } from './knn-assignment.ts';
import { levelsOf, rangeWith, suggestedRange } from './levels.ts';
import { beginMap } from './map-writer.ts';
import { withNames } from './naming.ts';
import type { DiscoverEffects, DiscoverOptions, DiscoverResult } from './options.ts';
import { sampleKey } from './sample.ts';
import { sampleStage } from './sample-stage.ts';
import { neighboursStage, restartsStage } from './sample-work.ts';

/**
 * Clusters whatever of a workspace was embedded. Where files of vectors were taken away while it read them, it begins again with
 * those that there are.
 * @param readBytes default: from the recorded paths.
 */
export async function discoverIn(
  workspace: Workspace,
  options: DiscoverOptions,
  readBytes: ReadPath = originalBytes(workspace),
): Promise<DiscoverResult> {
  const { store, vectors, engine } = workspace;
  const { task = 'class', items = 'images', signal } = options;
  const work = () =>
    beginningAgain(store, items, options, () =>
      engine.withInference(options, (pool) => discover(workspace, { store, vectors, pool, readBytes }, options)),
    );
  // Those who do a part each label by the same clusters. Anybody else's clusters would take these away while they are given.
  return engine.isPart ? work() : inTurn(store, `discover of ${task}`, work, { signal });
}

async function discover(
  workspace: Workspace,
  effects: DiscoverEffects,
  options: DiscoverOptions,
): Promise<DiscoverResult> {
  const { store, vectors, pool } = effects;
  const { task = 'class', items = 'images', recluster = false, k, method, signal, spreadFrom = SPREAD_FROM } = options;
  const recipe = await requireRecipe(store, items);
  const shards = await store.vectorShards(recipe.space, items);
  const count = countItems(shards);
  if (count === 0) {
    throw new LabelsmithError('NOT_FOUND', `No ${items} are embedded here.`, { hint: 'Run labelsmith embed first.' });
  }
  await store.ensureTask({ name: task, rule: 'single', items });
  const settings = { task, items, k: k ?? null, method: method ?? null, recluster, space: recipe.space };
  return recordRun(store, { stage: 'discover', settings, modelKey: recipe.modelKey }, options, async (runId) => {
    const part = { ...options, workspace, runId };
    const mean = await meanFor(part, options, recipe, shards, count);
    const copies = await copiesIn(store, items);
    const request: ClusteringRequest = { effects, options, job: part, task, items, recipe, shards, mean, copies };
    const { clustering, clustered, model } = await clustersFor(request);
    const { plan, classOf, drawing, askedBefore, levelsBefore } = clustering;
    const { ids: sampleIds, vectors: rows, fromMean } = clustering.sample;
    const neighbours = async () => model.hierarchy.neighbours ?? (await graphOf(pool, rows, signal));
    const key = keptKey(model, shards);
    const there = await keptLayout(workspace.blobs, key, sampleIds.length);
    const map = await beginMap(effects, { model, sampleIds, fromMean, kept: there, neighbours, signal });
    const job = { ...part, settings: { task, items } };
    const names = await classNamesOf(store, task, model, clustering.sample);
    const context = { store, vectors, runId, task, recipe, mean, model, ...names, ...clustered, map };
    const assign = () => workspace.engine.run(assignStage, job, context);
    const isCurrent = async () => keptKey(model, await store.vectorShards(recipe.space, items)) === key;
    const kept = { sample: clustering.sample, layout: map.sampleLayout, isCurrent };
    const assignHolding = (hold: Hold) => keepForOthers(workspace.blobs, key, { ...kept, hold }).then(assign);
    const { counts: sums, interrupted } = await (count < spreadFrom
      ? assign()
      : holdingBlobs(workspace.blobs, assignHolding));
    const { assigned = 0, none = 0, copies: alike = 0 } = sums;
    const leftovers = model.leftovers ?? [];
    const range = suggestedRange(model.hierarchy, drawing);
    const levels = levelsOf(model.hierarchy, drawing, model.method);
    const found = await described(store, model, sizesOf(sums));
    // Who gives some of the labels alone does not know of the others.
    const { left, emptied } =
      interrupted || workspace.engine.isPart ? { left: model.clusters.length, emptied: 0 } : found;
    const since = Math.max(0, count - (model.count ?? count));
    const { judged, share } = likelyRightOf(sums, since);
    return {
      interrupted,
      clustered: plan.kind !== 'keep',
      because: plan.kind === 'cluster' ? plan.because : null,
      pilot: mean.subset,
      method: model.method,
      counts: { items: count, clusters: left, assigned, none, copies: alike, since },
      metrics: { k: model.k, asked: model.asked, members: model.sample.length },
      clusters: found.clusters,
      emptied,
      // Of the other methods confidence is how much neighbours agree, which says less.
      likelyRight: model.hierarchy.evidence ? share : null,
      judged,
      levels,
      levelsBefore: levelsBefore?.join() === levels.join() ? null : levelsBefore,
      strays: await straysTold(store, clustering.strays, sampleIds),
      unheard: plan.kind === 'keep' ? unheardIn(clustering, names.classNames) : 0,
      held: new Set(classOf.filter((group) => group >= 0)).size,
      asked: model.asked,
      askedBefore,
      range: model.cut && model.asked === 'auto' ? rangeWith(range, model.k) : range,
      // Only when no label can come to hang on them any more.
      retired: interrupted || leftovers.length === 0 ? [] : await store.dropUnusedClasses(leftovers),
      ...(interrupted ? {} : await mapFindings(effects, task)),
    };
  });
}

/** That there is, unless another is asked for or it is of a subset and there are more vectors since. */
async function meanFor(
  job: Omit<StageJob<unknown>, 'settings'>,
  { recluster = false, limit, spreadFrom }: DiscoverOptions,
  recipe: EmbeddingRecipe,
  shards: readonly VectorShard[],
  count: number,
): Promise<SpaceMean> {
  const before = await savedMean(job.workspace.store, recipe.space);
  const outgrown = before?.subset && before.count !== count;
  if (before && !recluster && !outgrown) return before;
  return fitMeanTogether(job, recipe, shards, { subset: limit !== undefined, spreadFrom });
}

/** Once the clusters are in the record, nobody asks again what parts of these came to. */
const CLUSTERING_REDUCTIONS = [sampleStage, neighboursStage, restartsStage].map(({ name }) => name);

interface Clustered {
  readonly clustering: Clustering;
  readonly clustered: ReturnType<typeof clusteredSample>;
  /** With names. */
  readonly model: ClusterModel;
}

/** The clusters there are, or new ones; of several processes that do a part each, one makes them, and the others wait. */
async function clustersFor(request: ClusteringRequest): Promise<Clustered> {
  const { effects, job, task, copies } = request;
  const { store } = effects;
  const made = async (mine: () => void = () => {}): Promise<Clustered> => {
    const there = await savedModel(store, task);
    const clustering = await clusteringFor(request, there);
    const { plan, model, sample } = clustering;
    const clustered = clusteredSample(effects.pool, model, sample, copies);
    mine();
    if (plan.kind === 'keep') return { clustering, clustered, model };
    const adoptedModel = await adopted(request, clustering, clustered.sample, there);
    await dropParts(job.workspace.blobs, CLUSTERING_REDUCTIONS);
    return { clustering, clustered, model: adoptedModel };
  };
  const { workspace, signal } = job;
  if (!workspace.engine.isPart || (await keepsClusters(request, await savedModel(store, task)))) return made();
  return inTurn(store, `clusters of ${task}`, made, { signal });
}

/** New clusters with their names, in the place of those there were. */
async function adopted(
  request: ClusteringRequest,
  clustering: Clustering,
  sample: ClusteredSample,
  there: ClusterModel | undefined,
): Promise<ClusterModel> {
  const { effects, task } = request;
  const named = await withNames(request, clustering, sample);
  const names = new Set(named.clusters.map(({ name }) => name));
  const now = await corpusNow(effects.store);
  // What was renamed and got its name back is called otherwise than in the clusters.
  const called = there ? Object.values(namesOfEach(there, now)).flat() : [];
  const before = [...(there?.leftovers ?? []), ...(there?.clusters ?? []).map(({ name }) => name), ...called];
  const earlier = before.filter((name) => name !== undefined);
  const leftovers = [...new Set(earlier)].filter((name) => !names.has(name)).sort();
  const model = { ...named, leftovers };
  await effects.store.atomically(async (store) => {
    await store.clearMachineLabels(task, 'cluster');
    await saveModel(store, model);
  });
  return model;
}

/** Items that people said to be of another class than their cluster is, which no cut was made around yet. */
function unheardIn({ sample, saidOf }: Clustering, classNames: readonly (string | undefined)[]): number {
  return sample.ids.filter((id, i) => (saidOf(sampleKey(id)) ?? classNames[i]) !== classNames[i]).length;
}
