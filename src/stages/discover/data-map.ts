/**
 * The data map: where every item stands on a plane, how far it is from its neighbours, and which item is nearest to it.
 *
 * Members are laid out together; another item stands where the members nearest to it do. Derived, so it is kept as files
 * of vectors, one for each file of embeddings and written before the labels of the same items: a run that is killed goes
 * on, and what is deleted is made again. It depends on the members and the seed, not on how they were clustered.
 */

import { IdMap } from '../../core/id-set.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { fuzzyGraph } from '../../math/graph-cluster/fuzzy-graph.ts';
import type { NeighbourGraph } from '../../math/knn/graph.ts';
import { type Tails, tailsOf } from '../../math/knn/tails.ts';
import { layOut } from '../../math/layout/umap.ts';
import { matrix } from '../../math/matrix.ts';
import type { Store, VectorShard } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { type ClusterModel, savedModel } from './cluster-model.ts';
import type { Vote } from './knn-assignment.ts';
import { memberKey } from './sample.ts';

/**
 * Of an item in a file: x, y, mean distance to its ten nearest members, index of the nearest member, cosine to it, and how
 * many times farther it is from them than they are from theirs.
 */
const COLUMNS = 6;
/** Members whose distances count; as many as vote. */
const NEIGHBOURS = 10;
/** Of one whose neighbours are all copies of each other. */
const MOST_LONELY = 1e6;
/** Members that the place of another item is the mean of. */
const PLACED_BY = 3;

interface MapSetting {
  readonly key: string;
  readonly items: ItemKind;
}

const setting = (task: string) => `map:${task}`;
const mapSpace = (task: string, key: string) => `map:${task}:${key}`;

const keyOf = ({ space, statistics, seed, members }: Omit<ClusterModel, 'hierarchy'>) =>
  sha256Hex([space, statistics, seed, ...members].join('\n')).slice(0, 16);

type Effects = { readonly store: Store; readonly vectors: VectorStore };

/** A map that is being made or extended. */
export interface Chart {
  /** Whether any of these items has no place yet. */
  lacks(ids: readonly ItemId[]): boolean;
  /** The file with the marks of a file of embeddings, written, to be named in the record. */
  write(shard: VectorShard, ids: readonly ItemId[], votes: readonly Vote[], runId: string): Promise<VectorShard>;
}

/**
 * @param memberIds the members' whole ids, in the order of the vectors. @param neighbours gives the members' graph; asked
 * for only where members have no place yet.
 */
export async function openChart(
  { store, vectors }: Effects,
  model: Omit<ClusterModel, 'hierarchy'>,
  memberIds: readonly ItemId[],
  neighbours: () => Promise<NeighbourGraph>,
  signal?: AbortSignal,
): Promise<Chart> {
  const { task, items, seed } = model;
  const key = keyOf(model);
  const space = mapSpace(task, key);
  const before = await savedSetting(store, task);
  if (before && before.key !== key) {
    await vectors.remove(await store.clearVectorShards(mapSpace(task, before.key), before.items));
  }
  if (before?.key !== key) await store.putSetting(setting(task), JSON.stringify({ key, items } satisfies MapSetting));
  const rowOf = new IdMap();
  for (const [row, id] of memberIds.entries()) rowOf.set(id, row);
  const placed = new IdMap();
  const places = new Float32Array(2 * memberIds.length);
  const distances = new Float64Array(memberIds.length);
  let membersPlaced = 0;
  try {
    for await (const part of vectors.stream(await store.vectorShards(space, items))) {
      for (const [i, id] of part.ids.entries()) {
        placed.set(id, 1);
        const row = rowOf.get(id);
        if (row === undefined) continue;
        membersPlaced++;
        places.set(part.vectors.data.subarray(COLUMNS * i, COLUMNS * i + 2), 2 * row);
        distances[row] = part.vectors.data[COLUMNS * i + 2];
      }
    }
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    // Files of it are gone or damaged: all of it is made again.
    await vectors.remove(await store.clearVectorShards(space, items));
    return openChart({ store, vectors }, model, memberIds, neighbours, signal);
  }
  if (membersPlaced < memberIds.length) {
    const graph = await neighbours();
    places.set(layOut(fuzzyGraph(graph), { seed, signal }));
    for (let row = 0; row < memberIds.length; row++) distances[row] = distanceInGraph(graph, row);
  }
  return {
    lacks: (ids) => ids.some((id) => placed.get(id) === undefined),
    async write(shard, ids, votes, runId) {
      const marks = matrix(new Float32Array(ids.length * COLUMNS), ids.length, COLUMNS);
      for (const [i, id] of ids.entries()) {
        const vote = votes[i];
        const at = i * COLUMNS;
        const row = rowOf.get(id);
        if (row === undefined) placeBetween(places, vote, marks.data, at);
        else marks.data.set(places.subarray(2 * row, 2 * row + 2), at);
        marks.data[at + 2] = distanceOf(vote);
        marks.data[at + 3] = vote.members[0] ?? -1;
        marks.data[at + 4] = vote.similarities[0] ?? -1;
        marks.data[at + 5] = lonelinessOf(vote, distances);
        placed.set(id, 1);
      }
      return vectors.write({ space, items, shard: shard.shard, runId, ids, vectors: marks, precision: 'float32' });
    },
  };
}

/** Mean cosine distance to the members that voted; rounded as files keep it, so that it is the same when read back. */
function distanceOf({ similarities }: Pick<Vote, 'similarities'>): number {
  if (similarities.length === 0) return 0;
  return Math.fround(similarities.reduce((sum, similarity) => sum + 1 - similarity, 0) / similarities.length);
}

function distanceInGraph({ indices, similarities, n }: NeighbourGraph, row: number): number {
  const nearest: number[] = [];
  for (let e = row * n; e < row * n + Math.min(n, NEIGHBOURS); e++) {
    if (indices[e] >= 0) nearest.push(similarities[e]);
  }
  return distanceOf({ similarities: nearest });
}

/**
 * The simplified local outlier factor (Schubert, Zimek and Kriegel, "Local outlier detection reconsidered", Data Min. Knowl.
 * Discov. 28, 2014; after Breunig et al., SIGMOD 2000): the distance to the neighbours over theirs to their own.
 */
function lonelinessOf(vote: Vote, distances: Float64Array): number {
  if (vote.members.length === 0) return 1;
  const theirs = vote.members.reduce((sum, member) => sum + distances[member], 0) / vote.members.length;
  const own = distanceOf(vote);
  return theirs > 0 ? own / theirs : own > 0 ? MOST_LONELY : 1;
}

function placeBetween(places: Float32Array, { members, similarities }: Vote, into: Float32Array, at: number): void {
  let [x, y, all] = [0, 0, 0];
  for (const [i, member] of members.slice(0, PLACED_BY).entries()) {
    const weight = Math.max(1e-6, similarities[i]);
    x += weight * places[2 * member];
    y += weight * places[2 * member + 1];
    all += weight;
  }
  into[at] = all > 0 ? x / all : 0;
  into[at + 1] = all > 0 ? y / all : 0;
}

async function savedSetting(store: Pick<Store, 'getSetting'>, task: string): Promise<MapSetting | undefined> {
  const text = await store.getSetting(setting(task));
  return text === undefined ? undefined : (JSON.parse(text) as MapSetting);
}

export interface Outlier {
  readonly id: ItemId;
  /** Mean cosine distance to its ten nearest. */
  readonly distance: number;
  /** How many times farther that is than theirs to their own. */
  readonly factor: number;
}

/** Two items that are nearer to each other than neighbours usually are. */
export interface LikePair {
  readonly a: ItemId;
  readonly b: ItemId;
  readonly similarity: number;
}

/** One item of a map. */
export interface Mark {
  readonly id: ItemId;
  readonly x: number;
  readonly y: number;
}

export interface DataMap {
  readonly items: ItemKind;
  readonly count: number;
  /** From this factor on an item is an outlier. */
  readonly outlierFactor: number;
  /** From this cosine on two items are semantic duplicates; above 1 where none are. */
  readonly duplicateSimilarity: number;
  readonly outlierCount: number;
  readonly pairCount: number;
  /** The loneliest first, at most {@link MOST_LISTED}. */
  readonly outliers: readonly Outlier[];
  /** The most alike first, at most {@link MOST_LISTED}. */
  readonly pairs: readonly LikePair[];
  /** Every item, a file's worth at a time. */
  marks(): AsyncIterable<readonly Mark[]>;
}

export const MOST_LISTED = 500;

/**
 * The map that the last `discover` of a task left; undefined where there is none. Among more than 20,000 items pairs are
 * found of which one is in the sample. Resident: 8 bytes an item while it is read, and what is listed.
 */
export async function readMap({ store, vectors }: Effects, task: string): Promise<DataMap | undefined> {
  const saved = await savedSetting(store, task);
  const model = await savedModel(store, task);
  if (!saved || !model || keyOf(model) !== saved.key) return undefined;
  const shards = await store.vectorShards(mapSpace(task, saved.key), saved.items);
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  const factors = new Float32Array(count);
  const nearest = new Float32Array(count);
  const members = new IdMap();
  for (const [row, member] of model.members.entries()) members.set(member, row);
  const memberIds: ItemId[] = new Array(model.members.length);
  let at = 0;
  for await (const { ids, vectors: rows } of vectors.stream(shards)) {
    for (const [i, id] of ids.entries()) {
      factors[at] = rows.data[COLUMNS * i + 5];
      nearest[at++] = 1 - rows.data[COLUMNS * i + 4];
      const row = members.get(memberKey(id));
      if (row !== undefined) memberIds[row] = id;
    }
  }
  const far: Tails = tailsOf(factors);
  const near: Tails = tailsOf(nearest);
  const listed = await extremes(vectors, shards, memberIds, far.high, near.low);
  return {
    items: saved.items,
    count,
    outlierFactor: far.high,
    duplicateSimilarity: 1 - near.low,
    ...listed,
    async *marks() {
      for await (const { ids, vectors: rows } of vectors.stream(shards)) {
        yield ids.map((id, i) => ({
          id,
          x: rows.data[COLUMNS * i],
          y: rows.data[COLUMNS * i + 1],
        }));
      }
    },
  };
}

async function extremes(
  vectors: VectorStore,
  shards: readonly VectorShard[],
  memberIds: readonly ItemId[],
  high: number,
  low: number,
) {
  let outliers: Outlier[] = [];
  let pairs: LikePair[] = [];
  let outlierCount = 0;
  let pairCount = 0;
  const mutual = new Set<string>();
  for await (const { ids, vectors: rows } of vectors.stream(shards)) {
    for (const [i, id] of ids.entries()) {
      const [distance = 0, member = -1, similarity = 0, factor = 0] = rows.data.subarray(
        COLUMNS * i + 2,
        COLUMNS * (i + 1),
      );
      if (factor >= high) {
        outlierCount++;
        outliers.push({ id, distance, factor });
      }
      const other = memberIds[member];
      if (other === undefined || 1 - similarity > low) continue;
      const [a, b] = id < other ? [id, other] : [other, id];
      // Each of the two may have the other as its nearest.
      const pair = memberKey(a) + memberKey(b);
      if (mutual.delete(pair)) continue;
      mutual.add(pair);
      pairCount++;
      pairs.push({ a, b, similarity });
    }
    if (outliers.length > 2 * MOST_LISTED) outliers = firstOutliers(outliers);
    if (pairs.length > 2 * MOST_LISTED) pairs = firstPairs(pairs);
  }
  return { outliers: firstOutliers(outliers), pairs: firstPairs(pairs), outlierCount, pairCount };
}

function firstOutliers(all: Outlier[]): Outlier[] {
  return all.sort((a, b) => b.factor - a.factor || (a.id < b.id ? -1 : 1)).slice(0, MOST_LISTED);
}

function firstPairs(all: LikePair[]): LikePair[] {
  return all.sort((p, q) => q.similarity - p.similarity || (p.a + p.b < q.a + q.b ? -1 : 1)).slice(0, MOST_LISTED);
}
