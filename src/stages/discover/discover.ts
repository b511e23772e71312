/**
 * `discover`: clusters of what was embedded, as proposed classes with names and their evidence.
 *
 * Two steps. The first clusters the items (a sample of many), names the clusters and saves both; it runs when there is no
 * clustering of this space yet, when that was a pilot's (a run with `limit`) and there are more vectors since, when
 * something else is asked for, or with `recluster`. The second gives every item that has
 * none its cluster, a file of vectors at a time, so it can be killed and goes on; images that come later get theirs in the
 * same way. Labels have the origin `cluster`, which yields to every other. The second step also puts every item in its place
 * on the data map (`data-map.ts`).
 */
import type { ItemKind } from '../../core/labels.ts';
import { namesNow } from '../../corpus/class-names.ts';
import { LabelsmithError } from '../../errors.ts';
import { originalBytes, type ReadPath } from '../../jobs/image-reader.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine } from '../../jobs/run.ts';
import type { Stage } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import type { NeighbourGraph } from '../../math/knn/graph.ts';
import { InferencePool } from '../../onnx/pool.ts';
import type { NewLabel, Store, VectorShard } from '../../store/store.ts';
import { arrowVectorStore } from '../../vectors/arrow-store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import {
  type EmbeddingRecipe,
  finishVectors,
  fitStatistics,
  requireRecipe,
  type SpaceStatistics,
  savedStatistics,
} from '../embed/recipe.ts';
import { type ClusterModel, clustersOf, type NamedCluster, savedModel, saveModel } from './cluster-model.ts';
import { type Chart, openChart, readMap } from './data-map.ts';
import { type Candidate, chooseNames, type KindsOf, nameCandidates } from './evidence.ts';
import { gatherEvidence, type Voter } from './gather-evidence.ts';
import { type Hierarchy, hierarchyOf, levelsOf, type Method, neighboursOf, suggestedK } from './hierarchy.ts';
import { type Voters, vote } from './knn-assignment.ts';
import { chooseMembers, type Members, memberKey, readMembers } from './sample.ts';

export interface DiscoverOptions extends RunOptions {
  /** Clusters to make, or `auto` for what the data suggests. Default: as before here, else `auto`. */
  readonly k?: number | 'auto';
  /**
   * Which of the numbers of clusters that the tree suggests, 1 the coarsest (see `levelsOf`); in place of `k`. Cuts the tree
   * there is; nothing is clustered again.
   */
  readonly level?: number;
  /** Default: as before here, else `graph`. */
  readonly method?: Method;
  /** The task that gets the labels. Default `class`. */
  readonly task?: string;
  /** Default `images`. */
  readonly items?: ItemKind;
  /** Clusters all items again, those that came since too. Default false. */
  readonly recluster?: boolean;
  /** Of more items than this a random sample is clustered; time grows with its square. Default {@link MOST_MEMBERS}. */
  readonly mostMembers?: number;
  /** Votes on images that are typical of clusters, as evidence for names. Default none. */
  readonly classifier?: Voter;
  /** What a name is a kind of, so that kinds of one thing can be named together. Default: that is not known. */
  readonly kindsOf?: KindsOf;
}

export interface DiscoverEffects {
  readonly store: Store;
  readonly vectors: VectorStore;
  readonly pool: InferencePool;
  readonly readBytes: ReadPath;
}

export interface DiscoveredCluster {
  /** Its class in the corpus. */
  readonly name: string;
  /** Items in it. */
  readonly size: number;
  readonly candidates: readonly Candidate[];
  /** Paths of the items that stand for it, best first. */
  readonly exemplars: readonly string[];
}

/** An item that stands far from everything. */
export interface Odd {
  readonly path: string;
  /** Mean cosine distance to its ten nearest. */
  readonly distance: number;
  /** How many times farther that is than theirs to their own. */
  readonly factor: number;
}

export interface DiscoverResult extends RunResult {
  readonly counts: {
    /** Items with a vector. */
    readonly items: number;
    readonly clusters: number;
    /** Items that got their cluster in this run. */
    readonly assigned: number;
    /** Items that belong to no cluster. */
    readonly none: number;
  };
  /** Whether items were clustered in this run, or only given to the clusters there were. */
  readonly clustered: boolean;
  /** Why, where there were clusters and nobody asked for others. */
  readonly because: string | null;
  /** Whether the clusters are of a run with a limit: with more vectors they are made again. */
  readonly pilot: boolean;
  readonly method: Method;
  /** By class: fewer than `counts.clusters` where classes were merged since. */
  readonly clusters: readonly DiscoveredCluster[];
  /** Numbers of clusters that the tree suggests, for `level`. */
  readonly levels: readonly number[];
  /** Names of classes of earlier clusterings that nothing hung on, which are gone now. */
  readonly retired: readonly string[];
  /** What stands far from everything; undefined where the run was interrupted. */
  readonly outliers?: { readonly count: number; readonly first: readonly Odd[] };
  /** Pairs that are much nearer to each other than neighbours are here. */
  readonly duplicates?: {
    readonly count: number;
    readonly first: readonly { a: string; b: string; similarity: number }[];
  };
}

const EXEMPLARS = 9;
/** Outliers and pairs in the result; the report has more. */
const ODDITIES = 20;
/** Files opened for keywords, per cluster and in all. */
const INSPECTED = 20;
const MOST_INSPECTED = 1000;

/** Clusters whatever of a workspace was embedded, see {@link discover}. */
export async function discoverIn(workspace: Workspace, options: DiscoverOptions): Promise<DiscoverResult> {
  const pool = await InferencePool.create({ threads: options.threads });
  try {
    const { store, dir } = workspace;
    return await discover(
      { store, vectors: arrowVectorStore(dir), pool, readBytes: originalBytes(workspace) },
      options,
    );
  } finally {
    await pool.close();
  }
}

export async function discover(effects: DiscoverEffects, options: DiscoverOptions): Promise<DiscoverResult> {
  const { store, pool } = effects;
  const { task = 'class', items = 'images', recluster = false, k, method } = options;
  const recipe = await requireRecipe(store, items);
  const shards = await store.vectorShards(recipe.space, items);
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  if (count === 0) {
    throw new LabelsmithError('NOT_FOUND', `No ${items} are embedded here.`, { hint: 'Run labelsmith embed first.' });
  }
  await store.ensureTask({ name: task, rule: 'single', items });
  const settings = { task, items, k: k ?? null, method: method ?? null, recluster, space: recipe.space };
  return recordRun(store, { stage: 'discover', settings, modelKey: recipe.modelKey }, options, async (runId) => {
    const statistics = await statisticsFor(effects, options, recipe, shards, count);
    const job: Job = { effects, options, task, items, recipe, shards, statistics, count };
    const there = await savedModel(store, task);
    const { plan, made, members } = await plannedClusters(job, there);
    const { signal } = options;
    const own = clustersOf(made);
    const clusters = Int32Array.from(members.ids, (id) => own.get(id) ?? -1);
    const voters: Voters = { index: exactIndex(pool, members.vectors), ids: members.ids, clusters };
    let model = made;
    if (plan.kind !== 'keep') {
      model = await named(job, made, members, voters);
      const names = new Set(model.clusters.map(({ name }) => name));
      const earlier = [...(there?.leftovers ?? []), ...(there?.clusters ?? []).map(({ name }) => name)];
      model = { ...model, leftovers: [...new Set(earlier)].filter((name) => !names.has(name)).sort() };
      // In this order: killed in between, the same command finds another clustering than it wants and starts again.
      await store.clearMachineLabels(task, 'cluster');
      await saveModel(store, model);
    }
    const chart = await openChart(
      effects,
      model,
      members.ids,
      async () => model.hierarchy.neighbours ?? (await graphOf(pool, members, signal)),
      signal,
    );
    const tally: Tally = { assigned: 0, none: 0, sizes: new Map() };
    const stage = assignStage(job, model, voters, own, runId, chart, tally);
    const { interrupted } = await runOnThisMachine(stage, options);
    const leftovers = model.leftovers ?? [];
    return {
      interrupted,
      clustered: plan.kind !== 'keep',
      because: plan.kind === 'cluster' ? plan.because : null,
      pilot: statistics.pilot,
      method: model.method,
      counts: { items: count, clusters: model.clusters.length, assigned: tally.assigned, none: tally.none },
      metrics: { k: model.k, asked: model.asked, members: model.members.length },
      clusters: await described(store, model, tally.sizes),
      levels: levelsOf(model.hierarchy),
      // Only when no label can come to hang on them any more.
      retired: interrupted || leftovers.length === 0 ? [] : await store.dropUnusedClasses(leftovers),
      ...(interrupted ? {} : await oddities(effects, task)),
    };
  });
}

/** Those there are, unless others are asked for or they are of a pilot and there are more vectors since. */
async function statisticsFor(
  { store, vectors }: DiscoverEffects,
  { recluster = false, limit }: DiscoverOptions,
  recipe: EmbeddingRecipe,
  shards: readonly VectorShard[],
  count: number,
): Promise<SpaceStatistics> {
  const before = await savedStatistics(store, recipe.space);
  const outgrown = before?.pilot && before.count !== count;
  if (before && !recluster && !outgrown) return before;
  return fitStatistics(store, vectors, recipe, shards, { pilot: limit !== undefined });
}

/** One item, or none, has no neighbours. */
async function graphOf(pool: InferencePool, { vectors }: Members, signal?: AbortSignal): Promise<NeighbourGraph> {
  if (vectors.rows >= 2) return neighboursOf(pool, vectors, signal);
  return { indices: new Int32Array(vectors.rows).fill(-1), similarities: new Float32Array(vectors.rows), n: 1 };
}

/** What of the data map is told at once. */
async function oddities(
  { store, vectors }: DiscoverEffects,
  task: string,
): Promise<Pick<DiscoverResult, 'outliers' | 'duplicates'>> {
  const map = await readMap({ store, vectors }, task);
  if (!map) return {};
  const outliers = map.outliers.slice(0, ODDITIES);
  const pairs = map.pairs.slice(0, ODDITIES);
  const ids = map.items === 'images' ? [...outliers.map(({ id }) => id), ...pairs.flatMap(({ a, b }) => [a, b])] : [];
  const paths = await store.pathsOfImages(ids);
  const path = (id: string) => paths.get(id)?.[0]?.path ?? id;
  return {
    outliers: { count: map.outlierCount, first: outliers.map(({ id, ...far }) => ({ path: path(id), ...far })) },
    duplicates: {
      count: map.pairCount,
      first: pairs.map(({ a, b, similarity }) => ({ a: path(a), b: path(b), similarity })),
    },
  };
}

interface Job {
  readonly effects: DiscoverEffects;
  readonly options: DiscoverOptions;
  readonly task: string;
  readonly items: ItemKind;
  readonly recipe: EmbeddingRecipe;
  readonly shards: readonly VectorShard[];
  readonly statistics: SpaceStatistics;
  readonly count: number;
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

/** The clusters of a plan, with no names yet where they are new, and the vectors of their members. */
async function plannedClusters(
  job: Job,
  there: ClusterModel | undefined,
): Promise<{ plan: Plan; made: ClusterModel; members: Members }> {
  const { effects, recipe, shards, statistics } = job;
  const carriedOut = async (plan: Plan) => {
    const made = plan.kind === 'keep' ? plan.model : await cluster(job, plan);
    const wanted = new Set(made.members);
    return { plan, made, members: await readMembers(effects.vectors, shards, wanted, recipe, statistics) };
  };
  const done = await carriedOut(planOf(job, there));
  if (done.members.ids.length > 0) return done;
  const { method, asked } = done.made;
  const because = 'none of the items that were clustered is embedded any more';
  return carriedOut({ kind: 'cluster', method, asked, because });
}

function planOf(job: Job, there: ClusterModel | undefined): Plan {
  const { options, items, recipe, statistics } = job;
  const fits =
    there !== undefined &&
    there.items === items &&
    there.space === recipe.space &&
    there.statistics === statistics.key &&
    there.seed === options.seed &&
    (options.method ?? there.method) === there.method;
  const asked = askedFor(options, fits ? there : undefined) ?? there?.asked ?? 'auto';
  if (!fits || options.recluster) {
    const method = options.method ?? there?.method ?? 'graph';
    return { kind: 'cluster', method, asked, because: reasonFor(job, there) };
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

/** Why the clusters there are cannot be kept; null where there are none, or where others were asked for. */
function reasonFor({ options, recipe, statistics }: Job, there: ClusterModel | undefined): string | null {
  if (there === undefined || options.recluster) return null;
  if (there.space !== recipe.space) return 'the vectors are of another model than those before';
  if (there.statistics !== statistics.key) {
    return there.pilot ? 'the clusters before were those of a pilot' : 'the mean of all vectors was taken again since';
  }
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
  const levels = levelsOf(there.hierarchy);
  const found = levels[level - 1];
  if (found !== undefined) return found;
  throw new LabelsmithError('USAGE', `There is no level ${level}; the tree suggests ${levels.join(', ')} clusters.`, {
    hint: levels.length > 1 ? `Name a level from 1 to ${levels.length}.` : 'The only level is 1.',
  });
}

/** A clustering with no names yet. */
async function cluster(job: Job, plan: Exclude<Plan, { kind: 'keep' }>): Promise<ClusterModel> {
  const { effects, options, task, items, recipe, shards, statistics } = job;
  const { asked } = plan;
  if (plan.kind === 'cut') {
    const { method, hierarchy } = plan.model;
    return { ...plan.model, asked, k: clustersWanted(method, hierarchy, asked), clusters: [] };
  }
  const { method } = plan;
  const { seed, signal } = options;
  const chosen = await chooseMembers(effects.vectors, shards, seed, options.mostMembers);
  if (asked !== 'auto' && asked > chosen.size) {
    throw new LabelsmithError('USAGE', `${asked} clusters cannot be made of ${chosen.size} items.`);
  }
  const { ids, vectors } = await readMembers(effects.vectors, shards, chosen, recipe, statistics);
  let leaves = asked === 'auto' ? undefined : asked;
  if (method === 'kmeans' && leaves === undefined) {
    leaves = suggestedK(await hierarchyOf(effects.pool, vectors, { method: 'graph', seed, signal }));
  }
  const hierarchy = await hierarchyOf(effects.pool, vectors, { method, seed, leaves, signal });
  const k = clustersWanted(method, hierarchy, asked);
  const members = ids.map(memberKey);
  const { space } = recipe;
  const { key, pilot } = statistics;
  return { task, items, space, statistics: key, pilot, method, seed, asked, k, members, hierarchy, clusters: [] };
}

function clustersWanted(method: Method, hierarchy: Hierarchy, asked: number | 'auto'): number {
  const most = hierarchy.tree.points;
  if (asked !== 'auto') return Math.min(asked, most);
  // The other methods have made the number of clusters they found.
  return method === 'graph' ? suggestedK(hierarchy) : most;
}

async function named(job: Job, model: ClusterModel, members: Members, voters: Voters): Promise<ClusterModel> {
  const { effects, task, items } = job;
  const { classifier, kindsOf } = job.options;
  const k = voters.clusters.reduce((most, one) => Math.max(most, one + 1), 0);
  const order = await typical(members, voters, k);
  const perCluster = Math.max(1, Math.min(INSPECTED, Math.floor(MOST_INSPECTED / Math.max(1, k))));
  const inspected = new Set(order.flatMap((rows) => spread(rows, perCluster).map((row) => members.ids[row])));
  const tables = await gatherEvidence(effects, members.ids, { task, items, inspected, classifier });
  const candidates = nameCandidates(voters.clusters, k, tables, kindsOf);
  const names = chooseNames(candidates, await numberedNamesInUse(effects.store, task));
  const clusters = names.map((name, c) => ({
    name,
    candidates: candidates[c],
    exemplars: order[c].slice(0, EXEMPLARS).map((row) => members.ids[row]),
  }));
  return { ...model, clusters };
}

/**
 * Names with a number that a new cluster must not get, since it is not what they stood for: those that somebody gave
 * another name to, and those of clusters of other tasks.
 */
async function numberedNamesInUse(store: Pick<Store, 'classes'>, task: string): Promise<Set<string>> {
  const inUse = new Set<string>();
  for (const { name, synonyms, counts } of await store.classes()) {
    for (const one of synonyms) if (/[- ]\d+$/.test(one)) inUse.add(one);
    if (/^unnamed-\d+$/.test(name) && counts.some((of) => of.task !== task && of.count > 0)) inUse.add(name);
  }
  return inUse;
}

/** Some of all, from the most typical to the least: the most typical alone would say that a mixed cluster is one thing. */
function spread(rows: readonly number[], count: number): number[] {
  if (rows.length <= count) return [...rows];
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
}

/** The rows of each cluster, those first whose neighbours agree and which are nearest to the cluster's mean. */
async function typical({ ids, vectors }: Members, voters: Voters, k: number): Promise<number[][]> {
  const { columns, data } = vectors;
  const means = new Float64Array(k * columns);
  const rows: number[][] = Array.from({ length: k }, () => []);
  voters.clusters.forEach((cluster, row) => {
    if (cluster < 0) return;
    rows[cluster]?.push(row);
    for (let j = 0; j < columns; j++) {
      const at = cluster * columns + j;
      means[at] = means[at] + data[row * columns + j];
    }
  });
  const votes = await vote(voters, ids, vectors, [...voters.clusters]);
  const score = (row: number) => {
    const cluster = voters.clusters[row];
    let dot = 0;
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const mean = means[cluster * columns + j];
      dot += mean * data[row * columns + j];
      square += mean * mean;
    }
    return (votes[row].confidence * dot) / Math.sqrt(square || 1);
  };
  const scores = Float64Array.from(ids, (_, row) => (voters.clusters[row] < 0 ? 0 : score(row)));
  for (const own of rows) own.sort((a, b) => scores[b] - scores[a] || a - b);
  return rows;
}

interface Tally {
  assigned: number;
  none: number;
  /** Items by the name of their cluster's class. */
  readonly sizes: Map<string, number>;
}

interface Assigned {
  readonly labels: readonly NewLabel[];
  readonly none: number;
  /** Class names of items that had their cluster already. */
  readonly kept: readonly string[];
  /** Where the items stand on the data map, where they had no place yet. */
  readonly marks?: VectorShard;
}

/** One file of vectors is one shard of work. */
function assignStage(
  { effects, task, recipe, shards, statistics }: Job,
  model: ClusterModel,
  voters: Voters,
  own: { get(id: string): number | undefined },
  runId: string,
  chart: Chart,
  tally: Tally,
): Stage<VectorShard, Assigned> {
  const { store, vectors } = effects;
  return {
    name: 'discover',
    total: shards.length,
    async *shards() {
      for (const [index, shard] of shards.entries()) yield { index, items: [shard] };
    },
    async process(shard) {
      const part = await vectors.read(shard);
      const known = await store.labelsOf(part.ids, task);
      const cluster = (id: string) => known.get(id)?.find(({ origin, present }) => present && origin === 'cluster');
      const kept = part.ids.flatMap((id) => cluster(id)?.className ?? []);
      if (kept.length === part.ids.length && !chart.lacks(part.ids)) return { labels: [], none: 0, kept };
      finishVectors(part.vectors, recipe, statistics.mean);
      const votes = await vote(
        voters,
        part.ids,
        part.vectors,
        part.ids.map((id) => own.get(id)),
      );
      let none = 0;
      const labels = part.ids.flatMap((itemId, i): NewLabel[] => {
        if (cluster(itemId)) return [];
        const { cluster: number, confidence } = votes[i];
        const className = model.clusters[number]?.name;
        if (className === undefined) none++;
        return className === undefined
          ? []
          : [{ itemId, task, className, present: true, origin: 'cluster', confidence, runId }];
      });
      const marks = chart.lacks(part.ids) ? await chart.write(shard, part.ids, votes, runId) : undefined;
      return { labels, none, kept, marks };
    },
    async commit(_shard, results) {
      for (const { labels, none, kept, marks } of results) {
        if (marks) await store.putVectorShard(marks);
        if (labels.length > 0) await store.putLabels(labels, { replace: true });
        tally.assigned += labels.length;
        tally.none += none;
        for (const name of [...kept, ...labels.map(({ className }) => className)]) {
          tally.sizes.set(name, (tally.sizes.get(name) ?? 0) + 1);
        }
      }
    },
  };
}

/** The clusters under the names that their classes have by now; those that were merged since as their largest one. */
async function described(
  store: Pick<Store, 'classes' | 'pathsOfImages' | 'regionsOf'>,
  model: ClusterModel,
  sizes: ReadonlyMap<string, number>,
): Promise<DiscoveredCluster[]> {
  const nameNow = await namesNow(store);
  const size = new Map<string, number>();
  for (const [name, count] of sizes) size.set(nameNow(name), (size.get(nameNow(name)) ?? 0) + count);
  const largest = new Map<string, NamedCluster>();
  for (const cluster of model.clusters) {
    const name = nameNow(cluster.name);
    if (!largest.has(name)) largest.set(name, cluster);
  }
  const ids = model.items === 'images' ? [...largest.values()].flatMap(({ exemplars }) => exemplars) : [];
  const paths = await store.pathsOfImages(ids);
  return Array.from(largest, ([name, { candidates, exemplars }]) => ({
    name,
    size: size.get(name) ?? 0,
    candidates,
    exemplars: model.items === 'images' ? exemplars.map((id) => paths.get(id)?.[0]?.path ?? id) : exemplars,
  }));
}
