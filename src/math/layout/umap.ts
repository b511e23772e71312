/**
 * A map of a neighbour graph on a plane: UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426). Items pull their
 * neighbours w-strong towards them and push others away, by stochastic descent of the cross-entropy between the graph's
 * weights and 1 / (1 + a d^2b); it starts from the second and third eigenvectors of the normalised graph (section 3.2).
 *
 * Of the plane only neighbourhoods mean something; distances between far items, sizes and densities of heaps do not.
 * Pure: the same graph and seed give the same places. Cost: epochs · edges · (1 + PUSHES) steps of some 30 ns at most, few
 * seconds for 20,000 items.
 */
import { type Random, seededRandom } from '../../core/random.ts';
import { normalisedGraph } from '../graph-cluster/fuzzy-graph.ts';
import type { SparseMatrix } from '../graph-cluster/sparse.ts';
import { topEigen } from '../graph-cluster/top-eigen.ts';

export interface LayoutOptions {
  /** Default 0. */
  readonly seed?: number;
  /** Passes over the edges (default: 500 for few items, 100 for 20,000); more settle details and cost in proportion. */
  readonly epochs?: number;
  readonly signal?: AbortSignal;
}

/** Of the curve 1 / (1 + a d^2b) that fits least distance .1 and spread 1 best (umap-learn's defaults). */
const A = 1.576943;
const B = 0.895061;
/** Items pushed away for each neighbour that pulls. */
const PUSHES = 5;
const MAX_STEP = 4;
/** Half the width of the plane at the start. */
const EXTENT = 10;

/** @param graph symmetric weights in (0, 1], as `fuzzyGraph` gives them. Gives x and y of every item, [size, 2]. */
export function layOut(graph: SparseMatrix, options: LayoutOptions = {}): Float32Array {
  const { seed = 0, epochs = epochsFor(graph.size), signal } = options;
  const random = seededRandom(seed, 'layout');
  const places = startingPlaces(graph, seed, random);
  if (graph.size < 3) return Float32Array.from(places);
  const edges = edgesOf(graph, epochs);
  const count = edges.heads.length;
  const next = Float64Array.from(edges.every);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    signal?.throwIfAborted();
    const rate = 1 - (epoch - 1) / epochs;
    for (let e = 0; e < count; e++) {
      if (next[e] > epoch) continue;
      next[e] = next[e] + edges.every[e];
      const head = 2 * edges.heads[e];
      pull(places, head, 2 * edges.tails[e], rate);
      for (let p = 0; p < PUSHES; p++) {
        const other = 2 * Math.floor(random() * graph.size);
        if (other !== head) push(places, head, other, rate);
      }
    }
  }
  return Float32Array.from(places);
}

function epochsFor(size: number): number {
  return Math.round(Math.min(500, Math.max(100, 2e6 / Math.max(1, size))));
}

/** Eigenvectors of the graph, with a little noise so that no two items stand on one spot. */
function startingPlaces(graph: SparseMatrix, seed: number, random: Random): Float64Array {
  const { size } = graph;
  const places = new Float64Array(2 * size);
  // Where items begin need not be exact.
  const found = size >= 3 ? topEigen(normalisedGraph(graph), { count: 3, seed, tolerance: 1e-2, maxRounds: 12 }) : null;
  let most = 0;
  for (let i = 0; i < size; i++) {
    for (let axis = 0; axis < 2; axis++) {
      const value = found && found.count === 3 ? found.vectors[3 * i + axis + 1] : 0;
      places[2 * i + axis] = value;
      most = Math.max(most, Math.abs(value));
    }
  }
  const scale = most > 0 ? EXTENT / most : 1;
  for (let i = 0; i < places.length; i++) places[i] = places[i] * scale + (random() - 0.5) * 1e-2;
  return places;
}

interface Edges {
  readonly heads: Int32Array;
  readonly tails: Int32Array;
  /** Epochs from one sample of an edge to the next: the strongest are sampled in every one. */
  readonly every: Float64Array;
}

/** Both directions of every edge but those too weak to be sampled once. */
function edgesOf({ size, starts, columns, values }: SparseMatrix, epochs: number): Edges {
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  const kept: number[] = [];
  const heads = new Int32Array(values.length);
  for (let row = 0; row < size; row++) {
    for (let e = starts[row]; e < starts[row + 1]; e++) {
      heads[e] = row;
      if (values[e] * epochs >= most) kept.push(e);
    }
  }
  return {
    heads: Int32Array.from(kept, (e) => heads[e]),
    tails: Int32Array.from(kept, (e) => columns[e]),
    every: Float64Array.from(kept, (e) => most / values[e]),
  };
}

/** Moves both towards each other. */
function pull(places: Float64Array, head: number, tail: number, rate: number): void {
  const dx = places[head] - places[tail];
  const dy = places[head + 1] - places[tail + 1];
  const square = dx * dx + dy * dy;
  if (square === 0) return;
  const power = square ** B;
  const strength = (-2 * A * B * power) / (square * (1 + A * power));
  const x = rate * limited(strength * dx);
  const y = rate * limited(strength * dy);
  places[head] = places[head] + x;
  places[head + 1] = places[head + 1] + y;
  places[tail] = places[tail] - x;
  places[tail + 1] = places[tail + 1] - y;
}

/** Moves the head away from another item. */
function push(places: Float64Array, head: number, other: number, rate: number): void {
  const dx = places[head] - places[other];
  const dy = places[head + 1] - places[other + 1];
  const square = dx * dx + dy * dy;
  const strength = (2 * B) / ((0.001 + square) * (1 + A * square ** B));
  places[head] = places[head] + rate * limited(strength * dx);
  places[head + 1] = places[head + 1] + rate * limited(strength * dy);
}

function limited(step: number): number {
  return Math.min(MAX_STEP, Math.max(-MAX_STEP, step));
}
