/**
 * The data map as it is read: where every item stands on a plane, which items stand far from everything, and which pairs
 * are nearer to each other than neighbours are here.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { type Tails, tailsOf } from '../../math/knn/tails.ts';
import type { VectorShard } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { countItems } from '../vector-shard.ts';
import { savedModel } from './cluster-model.ts';
import { isMapOf, MAP_COLUMN, MAP_COLUMNS, type MapEffects, mapSpace, savedMap } from './map-record.ts';
import { sampleKey } from './sample.ts';

export interface Outlier {
  readonly id: ItemId;
  /** Mean distance to its ten nearest, by `remoteness`. */
  readonly distance: number;
  /** How many times farther that is than it is for the median item. */
  readonly factor: number;
}

/** Two items that are nearer to each other than neighbours usually are. */
export interface NearDuplicatePair {
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

export interface DataMap extends Marks {
  /** From this factor on an item is an outlier. */
  readonly outlierFactor: number;
  /** From this cosine on two items are semantic duplicates; above 1 where none are. */
  readonly duplicateSimilarity: number;
  readonly outlierCount: number;
  readonly pairCount: number;
  /** The farthest first, at most {@link MAX_LISTED}. */
  readonly outliers: readonly Outlier[];
  /** The most alike first, at most {@link MAX_LISTED}. */
  readonly pairs: readonly NearDuplicatePair[];
}

export const MAX_LISTED = 500;

export interface Marks {
  readonly items: ItemKind;
  readonly count: number;
  /** Every item, a file's worth at a time. */
  marks(): AsyncIterable<readonly Mark[]>;
}

/** Where things stand on the map that the last `discover` of a task left, and nothing more; undefined where there is none. */
export async function readMarks(effects: MapEffects, task: string): Promise<Marks | undefined> {
  return (await openMap(effects, task))?.marks;
}

async function openMap({ store, vectors }: MapEffects, task: string) {
  const saved = await savedMap(store, task);
  const model = await savedModel(store, task);
  if (!saved || !model || !isMapOf(saved, model)) return undefined;
  const shards = await store.vectorShards(mapSpace(task, saved.key), saved.items);
  const count = countItems(shards);
  const marks: Marks = {
    items: saved.items,
    count,
    async *marks() {
      for await (const { ids, vectors: rows } of vectors.stream(shards)) {
        yield ids.map((id, i) => ({
          id,
          x: rows.data[MAP_COLUMNS * i + MAP_COLUMN.x],
          y: rows.data[MAP_COLUMNS * i + MAP_COLUMN.y],
        }));
      }
    },
  };
  return { model, shards, marks };
}

/**
 * The map that the last `discover` of a task left; undefined where there is none. Among more than 20,000 items pairs are
 * found of which one is in the sample. Resident: 8 bytes an item while it is read, and what is listed.
 */
export async function readMap(effects: MapEffects, task: string): Promise<DataMap | undefined> {
  const opened = await openMap(effects, task);
  if (opened === undefined) return undefined;
  const { vectors } = effects;
  const { model, shards, marks } = opened;
  const { count } = marks;
  const factors = new Float32Array(count);
  const nearest = new Float32Array(count);
  const placeOf = new IdMap();
  for (const [place, key] of model.sample.entries()) placeOf.set(key, place);
  const sampleIds: ItemId[] = new Array(model.sample.length);
  let at = 0;
  for await (const { ids, vectors: rows } of vectors.stream(shards)) {
    for (const [i, id] of ids.entries()) {
      factors[at] = rows.data[MAP_COLUMNS * i + MAP_COLUMN.outlierScore];
      nearest[at++] = 1 - rows.data[MAP_COLUMNS * i + MAP_COLUMN.similarity];
      const place = placeOf.get(sampleKey(id));
      if (place !== undefined) sampleIds[place] = id;
    }
  }
  const far: Tails = tailsOf(factors);
  const near: Tails = tailsOf(nearest);
  const listed = await extremes(vectors, shards, { sampleIds, high: far.high, low: near.low });
  return {
    ...marks,
    outlierFactor: far.high,
    duplicateSimilarity: 1 - near.low,
    ...listed,
  };
}

interface Limits {
  readonly sampleIds: readonly ItemId[];
  /** Outlier scores from here on. */
  readonly high: number;
  /** Cosine distances up to here. */
  readonly low: number;
}

async function extremes(
  vectors: VectorStore,
  shards: readonly VectorShard[],
  { sampleIds, high, low }: Limits,
): Promise<Pick<DataMap, 'outliers' | 'pairs' | 'outlierCount' | 'pairCount'>> {
  let outliers: Outlier[] = [];
  let pairs: NearDuplicatePair[] = [];
  let outlierCount = 0;
  let pairCount = 0;
  const mutual = new Set<string>();
  for await (const { ids, vectors: rows } of vectors.stream(shards)) {
    for (const [i, id] of ids.entries()) {
      const row = rows.data.subarray(MAP_COLUMNS * i, MAP_COLUMNS * (i + 1));
      const factor = row[MAP_COLUMN.outlierScore];
      if (factor >= high) {
        outlierCount++;
        outliers.push({ id, distance: row[MAP_COLUMN.distance], factor });
      }
      const other = sampleIds[row[MAP_COLUMN.nearest]];
      const similarity = row[MAP_COLUMN.similarity];
      if (other === undefined || 1 - similarity > low) continue;
      const [a, b] = id < other ? [id, other] : [other, id];
      // Each of the two may have the other as its nearest.
      const pair = sampleKey(a) + sampleKey(b);
      if (mutual.delete(pair)) continue;
      mutual.add(pair);
      pairCount++;
      pairs.push({ a, b, similarity });
    }
    if (outliers.length > 2 * MAX_LISTED) outliers = firstOutliers(outliers);
    if (pairs.length > 2 * MAX_LISTED) pairs = firstPairs(pairs);
  }
  return { outliers: firstOutliers(outliers), pairs: firstPairs(pairs), outlierCount, pairCount };
}

function firstOutliers(all: Outlier[]): Outlier[] {
  return all.sort((a, b) => b.factor - a.factor || (a.id < b.id ? -1 : 1)).slice(0, MAX_LISTED);
}

function firstPairs(all: NearDuplicatePair[]): NearDuplicatePair[] {
  return all.sort((p, q) => q.similarity - p.similarity || (p.a + p.b < q.a + q.b ? -1 : 1)).slice(0, MAX_LISTED);
}
