/**
 * Which clusters a task gets: those there are, the tree that is there cut elsewhere, or a new clustering of a sample of
 * the items. Owns when what is there still fits; the tree itself is `hierarchy.ts`.
 */
import { plural } from '../../core/count-text.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { StageJob, Workspace } from '../../jobs/stage.ts';
import type { VectorShard } from '../../store/store.ts';
import type { EmbeddingRecipe, SpaceMean } from '../embed/recipe.ts';
import { countItems } from '../vector-shard.ts';
import { cutAround, type HeldClass } from './cluster-cut.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Copies } from './copies.ts';
import { heldClasses } from './held-classes.ts';
import { type Hierarchy, hierarchyOf, type Method } from './hierarchy.ts';
import { keptKey, keptSample } from './kept-sample.ts';
import { levelsOf, suggestedK } from './levels.ts';
import { nuisanceFor, withoutNuisance } from './nuisance.ts';
import type { DiscoverEffects, DiscoverOptions } from './options.ts';
import { readSample, type Sample, sampleKey } from './sample.ts';
import { drawSample } from './sample-stage.ts';
import { withSpreadWork } from './sample-work.ts';

/** A clustering that is asked for, and the vectors it is of. */
export interface ClusteringRequest {
  readonly effects: DiscoverEffects;
  readonly options: DiscoverOptions;
  /** The run that it is for. */
  readonly job: Omit<StageJob<unknown>, 'settings'>;
  readonly task: string;
  readonly items: ItemKind;
  readonly recipe: EmbeddingRecipe;
  readonly shards: readonly VectorShard[];
  readonly mean: SpaceMean;
  readonly copies: Copies;
}

type Plan =
  /** Give new items to the clusters there are. */
  | { readonly kind: 'keep'; readonly model: ClusterModel }
  /** Cut the tree there is elsewhere. */
  | { readonly kind: 'cut'; readonly model: ClusterModel; readonly asked: number | 'auto' }
  | {
      readonly kind: 'cluster';
      readonly method: Method;
      readonly asked: number | 'auto';
      /** See `DiscoverResult`. */
      readonly because: string | null;
    };

export interface Clustering {
  readonly plan: Plan;
  /** With no names yet where the clusters are new. */
  readonly model: ClusterModel;
  readonly sample: Sample;
  /** Of each new cluster the class that people's words give it; undefined, or nothing at all, for the others. */
  readonly held: readonly (HeldClass | undefined)[];
}

/** @param there what the task has from earlier runs */
export async function clusteringFor(request: ClusteringRequest, there: ClusterModel | undefined): Promise<Clustering> {
  const { effects, job, task, recipe, shards, mean } = request;
  const carriedOut = async (plan: Plan): Promise<Clustering> => {
    const { model, drawn } = plan.kind === 'keep' ? { model: plan.model } : await cluster(request, plan);
    const sample = drawn ?? (await sampleOfModel(job.workspace, model, shards, recipe, mean));
    if (plan.kind === 'keep') return { plan, model, sample, held: [] };
    const held = await heldClasses(effects.store, task, there, sample.ids);
    if (held.names.length === 0) return { plan, model, sample, held: [] };
    const { hierarchy, method, asked } = model;
    const classOf = Int32Array.from(model.sample, (key) => held.classOf.get(key) ?? -1);
    const suggested = clustersWanted(method, hierarchy, asked, classOf);
    const { cut, classes } = cutAround(hierarchy, { held, classOf }, asked, suggested);
    return { plan, model: { ...model, k: classes.length, cut }, sample, held: classes };
  };
  const done = await carriedOut(planOf(request, there));
  if (done.sample.ids.length > 0) return done;
  const { method, asked } = done.model;
  const because = 'none of the items that were clustered is embedded any more';
  return carriedOut({ kind: 'cluster', method, asked, because });
}

/** Whether the clusters there are fit what is asked for. */
export function keepsClusters(request: ClusteringRequest, there: ClusterModel | undefined): boolean {
  return planOf(request, there).kind === 'keep';
}

function planOf(request: ClusteringRequest, there: ClusterModel | undefined): Plan {
  const { options, items, recipe, mean } = request;
  const fits =
    there !== undefined &&
    there.items === items &&
    there.space === recipe.space &&
    there.meanKey === mean.key &&
    there.seed === options.seed &&
    (options.method ?? there.method) === there.method &&
    !asksDensityForNumber(options, there);
  const asked = askedFor(options, fits ? there : undefined) ?? there?.asked ?? 'auto';
  if (!fits || options.recluster) {
    const usual = options.method ?? there?.method ?? 'graph';
    const method = asksDensityForNumber(options, there) ? 'graph' : usual;
    return { kind: 'cluster', method, asked, because: reasonFor(request, there) };
  }
  if (options.level !== undefined && asked !== there.asked) return { kind: 'cut', model: there, asked };
  if (asked === there.asked) return { kind: 'keep', model: there };
  const most = there.hierarchy.tree.points;
  // Of k-means the leaves are the clusters that were asked for; another number is another clustering.
  if (there.method === 'kmeans' || (asked !== 'auto' && asked > most)) {
    return { kind: 'cluster', method: there.method, asked, because: null };
  }
  return { kind: 'cut', model: there, asked };
}

/** Density finds its own number of clusters. Refused where both are asked for at once. */
function asksDensityForNumber({ k, method }: DiscoverOptions, there: ClusterModel | undefined): boolean {
  if (k === undefined || k === 'auto' || (method ?? there?.method) !== 'density') return false;
  if (method === undefined) return true;
  throw new LabelsmithError('USAGE', `The method density finds its own number of clusters, so it takes no --k ${k}.`, {
    hint: 'Leave --k out, or give --method graph or kmeans.',
  });
}

/** Why the clusters there are cannot be kept; null where there are none, or where others were asked for. */
function reasonFor({ options, recipe, mean }: ClusteringRequest, there: ClusterModel | undefined): string | null {
  if (there === undefined || options.recluster) return null;
  if (there.space !== recipe.space) return 'the vectors are of another model than those before';
  if (there.meanKey !== mean.key) {
    return there.subset ? 'the clusters before were those of a pilot' : 'the mean of all vectors was taken again since';
  }
  if (asksDensityForNumber(options, there)) return 'density finds its own number, so these are clusters of graph';
  if (there.seed !== options.seed) return `the clusters before were made with seed ${there.seed}`;
  return null;
}

/** The number that was asked for, or that of the level; undefined where nothing was. */
function askedFor(
  { k, level, recluster }: DiscoverOptions,
  there: ClusterModel | undefined,
): number | 'auto' | undefined {
  if (level === undefined) return k;
  if (!there || recluster) {
    throw new LabelsmithError('USAGE', 'There is no tree to cut at a level yet.', {
      hint: 'Run labelsmith discover first: it says which levels there are.',
    });
  }
  const levels = levelsOf(there.hierarchy, there.cut?.known);
  const found = levels[level - 1];
  if (found !== undefined) return found;
  throw new LabelsmithError('USAGE', `There is no level ${level}; the tree suggests ${levels.join(', ')} clusters.`, {
    hint: levels.length > 1 ? `Name a level from 1 to ${levels.length}.` : 'The only level is 1.',
  });
}

/** The items that a model is of, with their vectors: as they were kept, or from the files. */
export async function sampleOfModel(
  { vectors, blobs }: Pick<Workspace, 'vectors' | 'blobs'>,
  model: ClusterModel,
  shards: readonly VectorShard[],
  recipe: EmbeddingRecipe,
  mean: SpaceMean,
): Promise<Sample> {
  const kept = model.meanKey === mean.key ? await keptSample(blobs, keptKey(model, shards)) : undefined;
  return kept ?? readSample(vectors, shards, new Set(model.sample), recipe, mean);
}

interface NewClusters {
  /** With no names yet. */
  readonly model: ClusterModel;
  /** What it is of, where that was drawn. */
  readonly drawn?: Sample;
}

async function cluster(request: ClusteringRequest, plan: Exclude<Plan, { kind: 'keep' }>): Promise<NewClusters> {
  const { effects, options, job, task, items, recipe, shards, mean, copies } = request;
  const { asked } = plan;
  if (plan.kind === 'cut') {
    const { method, hierarchy } = plan.model;
    const { cut: _, ...model } = plan.model;
    return { model: { ...model, asked, k: clustersWanted(method, hierarchy, asked), clusters: [] } };
  }
  const { method } = plan;
  const { seed, signal } = options;
  const { maxSample: most, spreadFrom } = options;
  const drawn = await drawSample(job, { recipe, mean, shards, most, copies, spreadFrom });
  const { ids, vectors: asTheyAre, fromMean } = drawn;
  if (asked !== 'auto' && asked > ids.length) {
    throw new LabelsmithError('USAGE', `${plural(asked, 'cluster')} cannot be made of ${plural(ids.length, 'item')}.`);
  }
  const vectors = await withoutNuisance(effects.pool, asTheyAre, nuisanceFor(recipe));
  const treeOf = (by: Method, leaves?: number) =>
    withSpreadWork(job, effects.pool, { count: countItems(shards), spreadFrom }, (work) =>
      hierarchyOf(effects.pool, vectors, { method: by, seed, leaves, fromMean, signal, work }),
    );
  let leaves = asked === 'auto' ? undefined : asked;
  if (method === 'kmeans' && leaves === undefined) leaves = suggestedK(await treeOf('graph'));
  const hierarchy = await treeOf(method, leaves);
  const k = clustersWanted(method, hierarchy, asked);
  const sample = ids.map(sampleKey);
  const { space } = recipe;
  const { key: meanKey, subset } = mean;
  const count = countItems(shards);
  return {
    model: { task, items, space, meanKey, subset, method, seed, asked, k, sample, count, hierarchy, clusters: [] },
    drawn,
  };
}

/** @param known the class that people said of each item, [items]; −1 for none */
function clustersWanted(method: Method, hierarchy: Hierarchy, asked: number | 'auto', known?: Int32Array): number {
  const most = hierarchy.tree.points;
  if (asked !== 'auto') return Math.min(asked, most);
  // The other methods have made the number of clusters they found.
  return method === 'graph' ? suggestedK(hierarchy, known) : most;
}
