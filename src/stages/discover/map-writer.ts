/**
 * Makes and extends the data map: the sample is laid out together, and another item stands where the items of the sample
 * nearest to it do.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { fuzzyGraph } from '../../math/graph-cluster/fuzzy-graph.ts';
import type { NeighbourGraph } from '../../math/knn/graph.ts';
import { remoteness, remotenessInGraph } from '../../math/knn/remoteness.ts';
import { layOut } from '../../math/layout/umap.ts';
import { matrix } from '../../math/matrix.ts';
import type { VectorShard } from '../../store/store.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { SampleLayout } from './kept-sample.ts';
import type { Assignment } from './knn-assignment.ts';
import { MAP_COLUMN, MAP_COLUMNS, type MapEffects, mapKeyOf, mapSpace, savedMap, saveMap } from './map-record.ts';

/** Neighbours whose distances count; as many as decide on a cluster. */
const NEIGHBOURS = 10;
/** Of one that is apart where most are copies of each other. */
const MAX_OUTLIER_SCORE = 1e6;
/** Neighbours that the place of an item outside of the sample is the mean of. */
const PLACED_BY = 3;

export interface MapWriter {
  readonly sampleLayout: SampleLayout;
  /** Whether any of these items has no place yet. */
  lacks(ids: readonly ItemId[]): boolean;
  /** The file of the map for a file of embeddings, written, to be named in the record. */
  write(part: MapPart): Promise<VectorShard>;
}

export interface MapPart {
  /** The file of embeddings. */
  readonly shard: VectorShard;
  readonly ids: readonly ItemId[];
  /** The neighbours of each. */
  readonly assignments: readonly Assignment[];
  /** How far each was from the mean, shape [ids]. */
  readonly fromMean: Float32Array;
  readonly runId: string;
}

export interface MapWriterOptions {
  readonly model: Omit<ClusterModel, 'hierarchy'>;
  /** Whole ids of the sample, in the order of the model. */
  readonly sampleIds: readonly ItemId[];
  /** How far each of the sample was from the mean, shape [sample]. */
  readonly fromMean: Float32Array;
  /** Where the sample stands, as that was kept. */
  readonly kept?: SampleLayout;
  /** Gives the sample's graph; asked for only where items of the sample have no place yet. */
  readonly neighbours: () => Promise<NeighbourGraph>;
  readonly signal?: AbortSignal;
}

/** Makes this map the task's, in the place of another, and opens it. Files of it that are gone or damaged are forgotten. */
export async function beginMap(effects: MapEffects, options: MapWriterOptions): Promise<MapWriter> {
  const { store, vectors } = effects;
  const { task, items } = options.model;
  const key = mapKeyOf(options.model);
  const before = await savedMap(store, task);
  if (before && before.key !== key) {
    await vectors.remove(await store.clearVectorShards(mapSpace(task, before.key), before.items));
  }
  if (before?.key !== key) await saveMap(store, task, { key, items });
  try {
    return await openMapWriter(effects, options);
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    // All of it is made again.
    await vectors.remove(await store.clearVectorShards(mapSpace(task, key), items));
    return openMapWriter(effects, options);
  }
}

/** Only reads. */
export async function openMapWriter(effects: MapEffects, options: MapWriterOptions): Promise<MapWriter> {
  const { vectors } = effects;
  const { model } = options;
  const { task, items } = model;
  const key = mapKeyOf(model);
  const layout = await layoutOf(effects, options);
  return {
    sampleLayout: layout,
    lacks: (ids) => ids.some((id) => layout.placed.get(id) === undefined),
    async write({ shard: { shard }, ids, assignments, fromMean, runId }) {
      const marks = matrix(new Float32Array(ids.length * MAP_COLUMNS), ids.length, MAP_COLUMNS);
      for (const [i, id] of ids.entries()) {
        const item = { id, assignment: assignments[i], fromMean: fromMean[i] };
        mark(layout, item, marks.data.subarray(i * MAP_COLUMNS, (i + 1) * MAP_COLUMNS));
      }
      return vectors.write({
        space: mapSpace(task, key),
        items,
        shard,
        runId,
        ids,
        vectors: marks,
        precision: 'float32',
      });
    },
  };
}

/** Where the sample stands. */
interface Layout extends SampleLayout {
  readonly rowOf: IdMap;
  /** Items that had a place when it was opened, of the sample or not. */
  readonly placed: IdMap;
  /** How far each of the sample was from the mean, shape [sample]. */
  readonly fromMean: Float32Array;
}

/**
 * As it was kept, or as earlier runs left it, or where they have not placed the whole sample, laid out again, which gives the
 * same.
 */
async function layoutOf(
  { store, vectors }: MapEffects,
  { model, sampleIds, fromMean, kept, neighbours, signal }: MapWriterOptions,
): Promise<Layout> {
  const space = mapSpace(model.task, mapKeyOf(model));
  const rowOf = new IdMap();
  for (const [row, id] of sampleIds.entries()) rowOf.set(id, row);
  const places = new Float32Array(2 * sampleIds.length);
  const distances = new Float64Array(sampleIds.length);
  const placed = new IdMap();
  let placedOfSample = 0;
  for await (const part of vectors.stream(await store.vectorShards(space, model.items))) {
    for (const [i, id] of part.ids.entries()) {
      placed.set(id, 1);
      const row = rowOf.get(id);
      if (row === undefined) continue;
      placedOfSample++;
      const at = MAP_COLUMNS * i;
      places.set(part.vectors.data.subarray(at, at + 2), 2 * row);
      distances[row] = part.vectors.data[at + MAP_COLUMN.distance];
    }
  }
  if (kept) return { rowOf, placed, fromMean, ...kept };
  if (placedOfSample < sampleIds.length) {
    const graph = await neighbours();
    places.set(layOut(fuzzyGraph(graph), { seed: model.seed, signal }));
    for (let row = 0; row < sampleIds.length; row++)
      distances[row] = remotenessInGraph(graph, fromMean, row, NEIGHBOURS);
  }
  const usualDistance = distances.sort()[distances.length >> 1] ?? 0;
  return { rowOf, placed, places, fromMean, usualDistance };
}

interface Placed {
  readonly id: ItemId;
  readonly assignment: Assignment;
  readonly fromMean: number;
}

/** @param into shape [columns of the map] */
function mark(layout: Layout, { id, assignment, fromMean }: Placed, into: Float32Array): void {
  const { rowOf, places, usualDistance } = layout;
  const { neighbours, similarities } = assignment;
  const row = rowOf.get(id);
  if (row === undefined) placeBetween(places, assignment, into);
  else into.set(places.subarray(2 * row, 2 * row + 2));
  const neighboursFromMean = neighbours.map((place) => layout.fromMean[place]);
  const distance = remoteness({ fromMean, neighboursFromMean, similarities });
  into[MAP_COLUMN.distance] = distance;
  into[MAP_COLUMN.nearest] = neighbours[0] ?? -1;
  into[MAP_COLUMN.similarity] = similarities[0] ?? -1;
  into[MAP_COLUMN.outlierScore] = outlierScoreOf(distance, usualDistance);
}

function outlierScoreOf(distance: number, usualDistance: number): number {
  if (usualDistance > 0) return Math.min(MAX_OUTLIER_SCORE, distance / usualDistance);
  return distance > 0 ? MAX_OUTLIER_SCORE : 1;
}

function placeBetween(places: Float32Array, { neighbours, similarities }: Assignment, into: Float32Array): void {
  let [x, y, all] = [0, 0, 0];
  for (const [i, place] of neighbours.slice(0, PLACED_BY).entries()) {
    const weight = Math.max(1e-6, similarities[i]);
    x += weight * places[2 * place];
    y += weight * places[2 * place + 1];
    all += weight;
  }
  into[MAP_COLUMN.x] = all > 0 ? x / all : 0;
  into[MAP_COLUMN.y] = all > 0 ? y / all : 0;
}
