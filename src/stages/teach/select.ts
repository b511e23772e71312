/**
 * Which items to label next. Pure.
 *
 * With few labels: typical items of many clusters (Hacohen, Dekel and Weinshall, "Active Learning on a Budget", ICML
 * 2022). The items are cut into as many clusters as there would be labels; the largest clusters without a label give
 * their most typical item each, the one nearest on average to its nearest neighbours in the cluster. So every kind of item
 * is met, and none is an oddity. Clusters are those of k-means on the diffusion map, where kinds lie apart. Neighbours
 * outside of the cluster must not count: with them the typical items of all clusters lie in the same crowded places
 * (`npm run bench -- teach-select`: 2 points on average).
 *
 * With a model: items it is unsure of (small margin between its two best classes), the most typical of each cluster among
 * several times as many as are wanted, so that they do not all ask the same thing.
 *
 * One item a group: what is nearly the same picture is asked once.
 */
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { diffusionMap } from '../../math/graph-cluster/diffusion.ts';
import { kmeans } from '../../math/kmeans/kmeans.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { type NeighbourGraph, neighbourGraph } from '../../math/knn/graph.ts';
import { gatherRows, type Matrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';

/** What is known of all items, without their vectors. */
export interface Pile {
  /** Group of each row. */
  readonly groups: readonly string[];
  /** Rows with a label. */
  readonly labelled: ReadonlySet<number>;
  /** Rows that must not be asked: audit items, and what a person has answered otherwise. */
  readonly excluded: ReadonlySet<number>;
  /** Number of classes known so far. */
  readonly classes: number;
}

/** What is known of the rows that are looked at. */
export interface Seen {
  /** Finished vectors, shape [n, columns]. */
  readonly features: Matrix;
  /** What a model thinks, shape [n, classes]; null where none has learned yet. */
  readonly probabilities: Matrix | null;
}

export interface SelectProblem extends Pile, Seen {}

export interface Selected {
  readonly row: number;
  readonly why: 'typical' | 'unsure';
  /** `typical`: size of its cluster. `unsure`: margin between the two best classes, 0 to 1. */
  readonly score: number;
}

export interface SelectOptions {
  readonly count: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Rows that are looked at, at most, or twice as many as are wanted. Default 20,000: their neighbour graph costs the square. */
  readonly most?: number;
}

/** As many neighbours as TypiClust takes. */
const NEIGHBOURS = 20;
/** Below this many labels a class what the model is unsure of says little (ibid., figure 3). */
const FEW_PER_CLASS = 5;
/** TypiClust leaves out what is too small to be a kind of its own. */
const MIN_CLUSTER = 5;
/** Of the unsure ones, times as many are looked at as are wanted. */
const OVERSAMPLE = 4;
/** More clusters than this cost more than they bring. */
const MAX_CLUSTERS = 2000;
/** Fewer steps than for clustering into classes: what is looked for is finer. */
const DIFFUSION = { dimensions: 100, steps: 2 };
/** For more rows than this the coordinates are rougher, as `teach rounds` has them: exact ones take minutes. */
const EXACT_ROWS = 4096;
const ROUGH = { tolerance: 1e-3, maxRounds: 6 };
const MAX_ROWS = 20_000;

/** With everything in memory. */
export async function selectItems(
  pool: InferencePool,
  whole: SelectProblem,
  options: SelectOptions,
): Promise<Selected[]> {
  const looksAt = rowsToLookAt(whole, options);
  const { rows } = looksAt;
  const { features, probabilities } = whole;
  const some = (of: Matrix) => (rows.length === of.rows ? of : gatherRows(of, rows));
  const seen = { features: some(features), probabilities: probabilities && some(probabilities) };
  return selectAmong(pool, whole, looksAt, seen, options);
}

/** Which rows are looked at, and how many of them can be asked. */
export interface LooksAt {
  /** Ascending; none where nothing can be asked. */
  readonly rows: readonly number[];
  readonly count: number;
}

/** All, or of many at most `most`: labelled ones, up to half of them, and at random of those that may be asked. */
export function rowsToLookAt(
  pile: Pick<Pile, 'groups' | 'labelled' | 'excluded'>,
  { count: wanted, seed, most: atMost = MAX_ROWS }: Pick<SelectOptions, 'count' | 'seed' | 'most'>,
): LooksAt {
  const { groups, labelled } = pile;
  const free = freeRows(pile);
  const count = Math.min(wanted, new Set(free.map((row) => groups[row])).size);
  if (count === 0) return { rows: [], count };
  const most = Math.max(atMost, 2 * count);
  if (groups.length <= most) return { rows: groups.map((_, row) => row), count };
  const random = seededRandom(seed, 'select-reach');
  const some = <T>(from: readonly T[], size: number) =>
    Array.from(sampleIndices(from.length, size, random), (i) => from[i]);
  const known = some(
    [...labelled].sort((a, b) => a - b),
    most / 2,
  );
  return { rows: [...known, ...some(free, most - known.length)].sort((a, b) => a - b), count };
}

/** @param seen of the rows that are looked at. @returns rows of the pile */
export async function selectAmong(
  pool: InferencePool,
  { groups, labelled, excluded, classes }: Pile,
  { rows, count }: LooksAt,
  seen: Seen,
  options: SelectOptions,
): Promise<Selected[]> {
  if (count === 0) return [];
  const among = (set: ReadonlySet<number>) => new Set(rows.flatMap((row, place) => (set.has(row) ? [place] : [])));
  const problem: SelectProblem = {
    groups: rows.map((row) => groups[row]),
    labelled: among(labelled),
    excluded: among(excluded),
    classes,
    features: seen.features,
    probabilities: seen.probabilities,
  };
  const chosen = await selectWithin(pool, problem, { ...options, count });
  return chosen.map((selected) => ({ ...selected, row: rows[selected.row] }));
}

async function selectWithin(pool: InferencePool, problem: SelectProblem, options: SelectOptions): Promise<Selected[]> {
  const { rows } = problem.features;
  const free = freeRows(problem);
  const { probabilities, labelled, classes } = problem;
  const n = Math.max(1, Math.min(NEIGHBOURS, rows - 1));
  const graph = await neighbourGraph(exactIndex(pool, problem.features), problem.features, n, options.signal);
  if (probabilities && labelled.size >= FEW_PER_CLASS * classes) {
    return unsureItems(pool, { ...problem, probabilities }, free, typicalityOf(graph, rows), options);
  }
  const solver = rows > EXACT_ROWS ? ROUGH : {};
  const { seed, signal } = options;
  const { coordinates } = diffusionMap(graph, { ...DIFFUSION, ...solver, seed, signal });
  return typicalItems(pool, problem, coordinates, free, options);
}

/** Rows that may be asked: none of a group of which something is labelled or excluded. */
function freeRows({ groups, labelled, excluded }: Pick<Pile, 'groups' | 'labelled' | 'excluded'>): number[] {
  const taken = new Set<string>();
  for (const row of labelled) taken.add(groups[row]);
  for (const row of excluded) taken.add(groups[row]);
  return groups.flatMap((group, row) => (taken.has(group) ? [] : [row]));
}

/** Mean similarity to the nearest neighbours, shape [rows]. */
function typicalityOf({ similarities, n }: NeighbourGraph, rows: number): Float64Array {
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let e = row * n; e < (row + 1) * n; e++) sum += Math.max(-1, similarities[e]);
    result[row] = sum / n;
  }
  return result;
}

async function typicalItems(
  pool: InferencePool,
  { features, labelled, groups }: SelectProblem,
  coordinates: Matrix,
  free: readonly number[],
  { count, seed, signal }: SelectOptions,
): Promise<Selected[]> {
  const k = Math.min(labelled.size + count, MAX_CLUSTERS, coordinates.rows);
  const { labels } = await kmeans(pool, coordinates, { k, seed, signal });
  const clusters = Array.from({ length: k }, (): Cluster => ({ size: 0, labelled: 0, free: [] }));
  const members = Array.from({ length: k }, (): number[] => []);
  for (const [row, cluster] of labels.entries()) members[cluster]?.push(row);
  const typicality = new Float64Array(features.rows);
  for (const [cluster, rows] of members.entries()) {
    clusters[cluster].size = rows.length;
    if (rows.length < 2) continue;
    const part = gatherRows(features, rows);
    const n = Math.min(NEIGHBOURS, rows.length - 1);
    const within = typicalityOf(await neighbourGraph(exactIndex(pool, part), part, n, signal), rows.length);
    for (const [i, row] of rows.entries()) typicality[row] = within[i];
  }
  for (const row of labelled) clusters[labels[row]].labelled++;
  for (const row of free) clusters[labels[row]]?.free.push(row);
  for (const cluster of clusters) cluster.free.sort((a, b) => typicality[b] - typicality[a] || a - b);
  const chosen: Selected[] = [];
  const asked = new Set<string>();
  // Each turn goes to the cluster with the fewest labels, then the largest; small ones come last.
  while (chosen.length < count) {
    let best: Cluster | undefined;
    for (const cluster of clusters) {
      while (cluster.free.length > 0 && asked.has(groups[cluster.free[0]])) cluster.free.shift();
      if (cluster.free.length > 0 && (!best || comesFirst(cluster, best))) best = cluster;
    }
    if (!best) break;
    const row = best.free.shift() as number;
    asked.add(groups[row]);
    best.labelled++;
    chosen.push({ row, why: 'typical', score: best.size });
  }
  return chosen;
}

interface Cluster {
  size: number;
  labelled: number;
  /** Rows that may be asked, most typical first. */
  readonly free: number[];
}

function comesFirst(a: Cluster, b: Cluster): boolean {
  const [small, other] = [a.size < MIN_CLUSTER, b.size < MIN_CLUSTER];
  if (small !== other) return other;
  return a.labelled !== b.labelled ? a.labelled < b.labelled : a.size > b.size;
}

async function unsureItems(
  pool: InferencePool,
  { probabilities, features, groups }: SelectProblem & { readonly probabilities: Matrix },
  free: readonly number[],
  typicality: Float64Array,
  { count, seed, signal }: SelectOptions,
): Promise<Selected[]> {
  const margins = new Float64Array(features.rows);
  for (const row of free) margins[row] = marginOf(probabilities, row);
  const candidates: number[] = [];
  const asked = new Set<string>();
  for (const row of [...free].sort((a, b) => margins[a] - margins[b] || a - b)) {
    if (candidates.length === OVERSAMPLE * count) break;
    const group = groups[row];
    if (asked.has(group)) continue;
    asked.add(group);
    candidates.push(row);
  }
  const k = Math.min(count, MAX_CLUSTERS);
  const { labels } = await kmeans(pool, gatherRows(features, candidates), { k, seed, signal });
  const best = new Map<number, number>();
  const worth = (row: number) => (1 - margins[row]) * (1 + typicality[row]);
  for (const [i, row] of candidates.entries()) {
    const before = best.get(labels[i]);
    if (before === undefined || worth(row) > worth(before)) best.set(labels[i], row);
  }
  const first = [...best.values()];
  const chosen = new Set(first);
  for (const row of candidates) {
    if (chosen.size >= count) break;
    chosen.add(row);
  }
  return [...chosen]
    .sort((a, b) => worth(b) - worth(a) || a - b)
    .map((row) => ({ row, why: 'unsure', score: margins[row] }));
}

function marginOf({ data, columns }: Matrix, row: number): number {
  let [first, second] = [0, 0];
  for (let i = row * columns; i < (row + 1) * columns; i++) {
    const value = data[i];
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
  }
  return first - second;
}
