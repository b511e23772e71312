/**
 * Which clusters a task gets: those there are, the tree that is there cut elsewhere, or a new clustering of a sample of
 * the items. Owns when what is there still fits; the tree itself is `hierarchy.ts`.
 */
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { StageJob, Workspace } from '../../jobs/stage.ts';
import type { VectorShard } from '../../store/store.ts';
import type { EmbeddingRecipe, SpaceMean } from '../embed/recipe.ts';
import { countItems } from '../vector-shard.ts';
import { corpusNow } from './class-rows.ts';
import { cutAround, type HeldClass } from './cluster-cut.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Copies } from './copies.ts';
import { tooManyClusters } from './enough-items.ts';
import { type HeldClasses, heldClasses } from './held-classes.ts';
import { type Hierarchy, hierarchyOf, type Method } from './hierarchy.ts';
import { keptKey, keptSample } from './kept-sample.ts';
import { levelsOf, suggestedK } from './levels.ts';
import { drawingMembers } from './lone-members.ts';
import { nuisanceFor, withoutNuisance } from './nuisance.ts';
import type { DiscoverEffects, DiscoverOptions } from './options.ts';
import { redoneSince, undoneSince } from './people-acts.ts';
import { withRowsOfCut } from './rows-of-cut.ts';
import { readSample, type Sample, sampleKey } from './sample.ts';
import { drawSample } from './sample-stage.ts';
import { withSpreadWork } from './sample-work.ts';
import { strayMembers } from './stray-members.ts';

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

/** How many clusters: so many, as many as there seem to be, or those of a level of the tree, whose number the tree says. */
type Asked = number | 'auto' | { readonly level: number };

type Plan =
  /** Give new items to the clusters there are. */
  | { readonly kind: 'keep'; readonly model: ClusterModel }
  /** Cut the tree there is elsewhere. */
  | { readonly kind: 'cut'; readonly model: ClusterModel; readonly asked: Asked }
  | {
      readonly kind: 'cluster';
      readonly method: Method;
      readonly asked: Asked;
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
  /** The class that people said of each item of the sample, [items]; −1 for none. */
  readonly classOf: Int32Array;
  /** The same of those that draw their neighbours to it (`lone-members.ts`). */
  readonly drawing: Int32Array;
  /** The class that people said of an item by itself, not with its cluster; by the first 16 digits of its id. */
  readonly saidOf: (key: string) => string | undefined;
  /** The first 16 digits of the ids of members of named clusters that the tree puts with other things. */
  readonly strays: readonly string[];
  /** The number that an earlier command asked for, where this one asks for none. */
  readonly askedBefore: number | null;
  /** Levels around the classes that people had when the clusters there are were cut; null where the tree is new. */
  readonly levelsBefore: readonly number[] | null;
}

/** @param there what the task has from earlier runs */
export async function clusteringFor(request: ClusteringRequest, there: ClusterModel | undefined): Promise<Clustering> {
  const { effects, job, options, task, recipe, shards, mean } = request;
  const askedBefore = asksForNone(options) && typeof there?.asked === 'number' ? there.asked : null;
  const plan = await planFor(request, there);
  const carriedOut = async (plan: Plan): Promise<Clustering> => {
    const { model: tree, drawn } = plan.kind === 'cluster' ? await newTree(request, plan) : { model: plan.model };
    const sample = drawn ?? (await sampleOfModel(job.workspace, tree, shards, recipe, mean));
    const held = await heldClasses(effects.store, task, there, sample.ids);
    const { classOf, strays } = withoutStrays(tree, held);
    const drawing = drawingOf(tree, classOf);
    const levelsBefore =
      plan.kind === 'cluster'
        ? null
        : levelsOf(tree.hierarchy, tree.cut && drawingOf(tree, tree.cut.known), tree.method);
    const keep = { kind: 'keep', model: tree } as const;
    const saidOf = (key: string) =>
      held.namedIn.get(key) === undefined ? held.names[held.classOf.get(key) ?? -1] : undefined;
    const known = { classOf, drawing, saidOf, strays };
    const kept = { plan: keep, model: tree, sample, held: [], ...known, askedBefore, levelsBefore };
    if (plan.kind === 'keep') return kept;
    const { hierarchy, method } = tree;
    const asked = numberAsked(request, plan, tree, drawing);
    if (plan.kind === 'cut' && asked === tree.asked && isSameAsCut(tree, classOf)) return kept;
    const suggested = clustersWanted(method, hierarchy, asked, drawing);
    const { cut: _, ...anew } = { ...tree, asked, k: suggested, clusters: [] };
    if (held.names.length === 0) return { ...kept, plan, model: withRowsOfCut(anew, held, [], sample) };
    const { cut, classes } = cutAround(hierarchy, { held, classOf, drawing }, asked, suggested);
    const around = { ...anew, k: classes.length, cut };
    return { ...kept, plan, model: withRowsOfCut(around, held, classes, sample), held: classes };
  };
  const done = await carriedOut(plan);
  if (done.sample.ids.length > 0) return done;
  const { method, asked } = done.model;
  const because = 'none of the items that were clustered is embedded any more';
  return carriedOut({ kind: 'cluster', method, asked, because });
}

/** What is known of each item of the sample, but for members of named clusters that the tree puts with other things: these are the machine's again. */
function withoutStrays(
  { sample, method, hierarchy }: ClusterModel,
  { classOf: known, namedIn }: HeldClasses,
): { readonly classOf: Int32Array; readonly strays: readonly string[] } {
  const classOf = Int32Array.from(sample, (key) => known.get(key) ?? -1);
  const members = { classOf, namedIn: Int32Array.from(sample, (key) => namedIn.get(key) ?? -1) };
  // By the tree alone: whatever number is asked for, the same members are strays.
  const strays = strayMembers(hierarchy, clustersWanted(method, hierarchy, 'auto'), members);
  for (const item of strays) classOf[item] = -1;
  return { classOf, strays: strays.map((item) => sample[item]) };
}

/** By the tree alone, as strays. */
function drawingOf({ method, hierarchy }: ClusterModel, known: Int32Array): Int32Array {
  return drawingMembers(hierarchy, clustersWanted(method, hierarchy, 'auto'), known);
}

const asksForNone = ({ k, level }: DiscoverOptions) => k === undefined && level === undefined;

/** Whether people's classes are those that the clusters there are were cut around. */
function isSameAsCut({ cut }: ClusterModel, classOf: Int32Array): boolean {
  const [there, back] = [new Map<number, number>(), new Map<number, number>()];
  return classOf.every((group, item) => {
    const known = cut?.known[item] ?? -1;
    if (group < 0 || known < 0) return group < 0 && known < 0;
    if (!there.has(group)) there.set(group, known);
    if (!back.has(known)) back.set(known, group);
    return there.get(group) === known && back.get(known) === group;
  });
}

/** Whether the clusters there are fit what is asked for. */
export async function keepsClusters(request: ClusteringRequest, there: ClusterModel | undefined): Promise<boolean> {
  return (await planFor(request, there)).kind === 'keep';
}

/** Clusters that were made around what people did are cut again where that was undone since, or redone. */
async function planFor(request: ClusteringRequest, there: ClusterModel | undefined): Promise<Plan> {
  const plan = planOf(request, there);
  if (plan.kind !== 'keep' || !there) return plan;
  const { acts } = await corpusNow(request.effects.store);
  const isOther = undoneSince(there, acts) || redoneSince(there, acts).length > 0;
  return isOther ? { kind: 'cut', model: there, asked: there.asked } : plan;
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
  const { k, level, recluster } = options;
  // What was asked for before is a number for the items there were then: whoever clusters all again wants to know anew.
  const before = recluster ? 'auto' : (there?.asked ?? 'auto');
  const asked = level === undefined ? (k ?? before) : { level };
  if (!fits || recluster) {
    const usual = options.method ?? there?.method ?? 'graph';
    const method = asksDensityForNumber(options, there) ? 'graph' : usual;
    return { kind: 'cluster', method, asked, because: reasonFor(request, there) };
  }
  if (typeof asked === 'object') return { kind: 'cut', model: there, asked };
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

/** What the level's number is, where a level is asked for; of levels that a tree does not have its finest, or none. */
function numberAsked(
  { options }: ClusteringRequest,
  { kind, asked }: Exclude<Plan, { kind: 'keep' }>,
  { hierarchy, method }: ClusterModel,
  drawing: Int32Array,
): number | 'auto' {
  if (typeof asked !== 'object') return asked;
  const levels = levelsOf(hierarchy, drawing, method);
  const found = levels[asked.level - 1];
  if (found !== undefined) return found;
  // Nobody could know which levels a tree has that is made only now.
  if (kind === 'cluster' || options.finestOtherwise) return levels[levels.length - 1];
  const [only] = levels;
  const there = levels.length > 1 ? `the tree suggests ${levels.join(', ')} clusters` : `the tree has one, of ${only}`;
  throw new LabelsmithError('USAGE', `There is no level ${asked.level}; ${there}.`, {
    hint: levels.length > 1 ? `Name a level from 1 to ${levels.length}.` : 'discover --k N asks for a number.',
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

interface NewTree {
  /** With no clusters yet: the tree cut at as many as it suggests. */
  readonly model: ClusterModel;
  /** What it is of. */
  readonly drawn: Sample;
}

async function newTree(request: ClusteringRequest, plan: Extract<Plan, { kind: 'cluster' }>): Promise<NewTree> {
  const { effects, options, job, task, items, recipe, shards, mean, copies } = request;
  const { method } = plan;
  const asked = typeof plan.asked === 'object' ? 'auto' : plan.asked;
  const { seed, signal } = options;
  const { maxSample: most, spreadFrom } = options;
  const drawn = await drawSample(job, { recipe, mean, shards, most, copies, spreadFrom });
  const { ids, vectors: asTheyAre, fromMean } = drawn;
  const count = countItems(shards);
  if (asked !== 'auto' && asked > ids.length) throw tooManyClusters(asked, { items, count, differing: ids.length });
  const vectors = await withoutNuisance(effects.pool, asTheyAre, nuisanceFor(recipe));
  const treeOf = (by: Method, leaves?: number) =>
    withSpreadWork(job, effects.pool, { count, spreadFrom }, (work) =>
      hierarchyOf(effects.pool, vectors, { method: by, seed, leaves, fromMean, signal, work }),
    );
  let leaves = asked === 'auto' ? undefined : asked;
  if (method === 'kmeans' && leaves === undefined) leaves = suggestedK(await treeOf('graph'));
  const hierarchy = await treeOf(method, leaves);
  const k = clustersWanted(method, hierarchy, asked);
  const sample = ids.map(sampleKey);
  const { space } = recipe;
  const { key: meanKey, subset } = mean;
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
