/**
 * Where items stand among each other, joined to what they look like: [x | w · u], with x the recipe's vector and u the
 * diffusion coordinates in the neighbour graph of the pool and the references together. Few references say little about
 * the shape of a class; the pool of unlabelled images says it for them.
 */
import { diffusionMap } from '../../math/graph-cluster/diffusion.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { neighbourGraph } from '../../math/knn/graph.ts';
import type { NeighbourIndex } from '../../math/knn/neighbours.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';

const NEIGHBOURS = 15;
/** Two steps: how near two images are counts for more than which of the large heaps they are in. */
const STEPS = 2;
/** Length of u beside x; .5 to 1 made no difference on caltech-30. */
const WEIGHT = 0.7;
/** Fewer items have no shape that a graph could show. */
const MIN_ITEMS = 60;

export interface GraphFeatures {
  /** Features of the items it was made of, in their order: shape [items, width], rows of length 1. */
  readonly features: Matrix;
  /** Features of other items, whose place is that of the nearest items. @param vectors shape [n, columns]. */
  featuresOf(vectors: Matrix): Promise<Matrix>;
}

/** @param items pool and references, shape [items, columns], rows of length 1, in shared memory. */
export async function graphFeaturesOf(
  pool: InferencePool,
  items: Matrix,
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<GraphFeatures> {
  if (items.rows < MIN_ITEMS) return { features: items, featuresOf: async (vectors) => vectors };
  const index = exactIndex(pool, items);
  const graph = await neighbourGraph(index, items, NEIGHBOURS, signal);
  const { coordinates } = diffusionMap(graph, { steps: STEPS, seed, signal });
  return {
    features: joined(items, coordinates),
    featuresOf: async (vectors) => joined(vectors, await placesOf(index, coordinates, vectors)),
  };
}

/** The mean place of the nearest items, each counting as much as it is similar, scaled to length 1. */
async function placesOf(index: NeighbourIndex, coordinates: Matrix, vectors: Matrix): Promise<Matrix> {
  const found = await index.search(vectors, NEIGHBOURS);
  const { columns } = coordinates;
  const places = newSharedMatrix(vectors.rows, columns);
  for (let row = 0; row < vectors.rows; row++) {
    const place = places.data.subarray(row * columns, (row + 1) * columns);
    for (let i = row * found.n; i < (row + 1) * found.n; i++) {
      const item = found.indices[i];
      if (item < 0) continue;
      const weight = Math.max(0, found.similarities[i]);
      for (let j = 0; j < columns; j++) {
        place[j] = place[j] + weight * coordinates.data[item * columns + j];
      }
    }
    const length = Math.hypot(...place);
    if (length > 0) for (let j = 0; j < columns; j++) place[j] = place[j] / length;
  }
  return places;
}

function joined(vectors: Matrix, places: Matrix): Matrix {
  const columns = vectors.columns + places.columns;
  const result = newSharedMatrix(vectors.rows, columns);
  const scale = 1 / Math.sqrt(1 + WEIGHT * WEIGHT);
  for (let row = 0; row < vectors.rows; row++) {
    const to = row * columns;
    for (let j = 0; j < vectors.columns; j++) {
      result.data[to + j] = vectors.data[row * vectors.columns + j] * scale;
    }
    for (let j = 0; j < places.columns; j++) {
      result.data[to + vectors.columns + j] = places.data[row * places.columns + j] * scale * WEIGHT;
    }
  }
  return result;
}
