/**
 * Where items stand when distance is how hard it is to walk from one to the other through near neighbours: the diffusion
 * map (Coifman and Lafon, "Diffusion maps", Appl. Comput. Harmon. Anal. 21, 2006). With the eigenpairs (λ, v) of the
 * normalised neighbour graph, an item's coordinates after t steps are λᵗ v, here scaled to length 1 (as Ng, Jordan and
 * Weiss, NIPS 2001, do for t = 0), so that items of thin parts count as much as those of dense ones.
 */
import type { NeighbourGraph } from '../knn/graph.ts';
import { type Matrix, newSharedMatrix } from '../matrix.ts';
import { fuzzyGraph, normalisedGraph } from './fuzzy-graph.ts';
import type { SparseMatrix } from './sparse.ts';
import { topEigen } from './top-eigen.ts';

export interface DiffusionOptions {
  /** Coordinates: at most a fourth of the items (default 100). 40 to 150 made no difference on the benchmark's sets. */
  readonly dimensions?: number;
  /** Steps of the walk (default 4): more looks at coarser structure. 3 to 9 made no difference there. */
  readonly steps?: number;
  /** Default 0. */
  readonly seed?: number;
  /** How exact the coordinates are, as for `topEigen`: learning on them needs less than cutting a tree does. */
  readonly tolerance?: number;
  readonly maxRounds?: number;
  readonly signal?: AbortSignal;
}

export interface Diffusion {
  /** Shape [items, dimensions], rows of length 1. In shared memory. */
  readonly coordinates: Matrix;
  /** Eigenvalues, descending, [dimensions]. */
  readonly eigenvalues: Float64Array;
  /** The weighted graph that the walk is on. */
  readonly graph: SparseMatrix;
}

export function diffusionMap(neighbours: NeighbourGraph, options: DiffusionOptions = {}): Diffusion {
  const { dimensions = 100, steps = 4, ...solver } = options;
  const graph = fuzzyGraph(neighbours);
  const count = Math.min(dimensions, Math.max(2, Math.floor(graph.size / 4)), graph.size);
  const { values, vectors } = topEigen(normalisedGraph(graph), { ...solver, count });
  const scale = values.map((value) => Math.max(0, value) ** steps);
  const coordinates = newSharedMatrix(graph.size, count);
  const { data } = coordinates;
  for (let row = 0; row < graph.size; row++) {
    const at = row * count;
    let square = 0;
    for (let j = 0; j < count; j++) square += (vectors[at + j] * scale[j]) ** 2;
    const length = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = 0; j < count; j++) data[at + j] = vectors[at + j] * scale[j] * length;
  }
  return { coordinates, eigenvalues: values, graph };
}
