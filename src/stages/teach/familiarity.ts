/**
 * Which items look like nothing that was labelled: images of a class that nobody taught. A classifier knows no other
 * classes than its own and is often sure of them on such images; where they stand in the neighbour graph tells more
 * (`npm run bench -- open-set` compares the two).
 *
 * The measure is `reachOf` from the labelled items. What is usual for items of taught classes is told by the labelled ones
 * themselves, each seen from the others with its own fold (groups together) left out: a share {@link USUAL_MISSES} of them
 * falls below the limit. If more than that share of the other items falls below it, the surplus is of no taught class, and
 * an item below has the chance q (1 − π) / b to be of one, with q that share, b the share of items below, and π = (b − q) /
 * (1 − q) the share of items of unknown classes. If no more fall below than is to be expected, nothing is suspected. A wider
 * margin for chance suspects less of what is all taught, and misses more of what is not: of 30 such piles 5 are found with one
 * standard deviation and 11 with none.
 */
import { plural } from '../../core/count-text.ts';
import { fuzzyGraph } from '../../math/graph-cluster/fuzzy-graph.ts';
import { reachOf } from '../../math/graph-cluster/reach.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { neighbourGraph } from '../../math/knn/graph.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Folds } from './cross-validation.ts';
import type { Problem } from './problem.ts';

export interface Familiarity {
  /** Chance that an item is of a class that was taught, shape [n]; 1 for labelled ones and wherever nothing is suspected. */
  readonly known: Float64Array;
  /** The same of the labelled items as if each had no label, seen from those of other folds; shape [labelled]. */
  readonly knownHeldOut: Float64Array;
  /** Estimated number of items of classes that nobody taught. */
  readonly foreign: number;
}

const NEIGHBOURS = 10;
/** Share of the labelled items that fall below the limit. A lower one finds less, a higher one doubts more of what is known. */
const USUAL_MISSES = 0.1;
/** With fewer labels nothing is doubted: even the least of them may be reached from others by chance alone. */
const MIN_LABELS = 6;
/**
 * With fewer the limit rests on one of them, the one that is reached least, and less is noticed
 * (`LABELSMITH_BENCH_LABELS=3 LABELSMITH_BENCH_CLASSES=4 npm run bench -- open-set`).
 */
export const ENOUGH_LABELS = 15;
/** Where more than this of a pile is below the limit of so few labels, these are more alike than their classes are. */
const MAX_BELOW_OF_FEW = 0.5;
/** Fewer items below the limit than this are chance. */
const MIN_BELOW = 5;
/** The graph of more items than this is not made: it costs their square. */
const MAX_GRAPH_ROWS = 20_000;

/**
 * @param folds of the problem's labelled items
 * @param minLabels with fewer, and with too many items, everything is known. More than the default where the labelled items were
 * chosen by their looks, as references are
 */
export async function familiarityOf(
  pool: InferencePool,
  { features, labelled }: Pick<Problem, 'features' | 'labelled'>,
  folds: Folds,
  { minLabels = MIN_LABELS, signal }: { readonly minLabels?: number; readonly signal?: AbortSignal } = {},
): Promise<Familiarity> {
  const { rows } = features;
  const known = new Float64Array(rows).fill(1);
  const knownHeldOut = new Float64Array(labelled.length).fill(1);
  const nothing = { known, knownHeldOut, foreign: 0 };
  if (labelled.length < minLabels || rows > MAX_GRAPH_ROWS || rows <= labelled.length) return nothing;
  const withoutFold = Array.from({ length: folds.count }, (_, fold) => labelled.filter((_, i) => folds.of[i] !== fold));
  const reach = await reachOfItems(pool, features, [labelled, ...withoutFold], signal);
  const width = 1 + folds.count;
  const usual = Float64Array.from(labelled, (row, i) => reach[row * width + 1 + folds.of[i]]);
  const limit = usual.toSorted()[Math.floor(USUAL_MISSES * usual.length)];
  const isLabelled = new Uint8Array(rows);
  for (const row of labelled) isLabelled[row] = 1;
  const below: number[] = [];
  for (let row = 0; row < rows; row++) if (isLabelled[row] === 0 && reach[row * width] < limit) below.push(row);
  const others = rows - labelled.length;
  const { chance, share } = chanceKnown(below.length / others);
  if (below.length < MIN_BELOW || below.length / others <= expectedMisses(usual.length)) return nothing;
  if (usual.length < ENOUGH_LABELS && below.length / others > MAX_BELOW_OF_FEW) return nothing;
  for (const row of below) known[row] = chance;
  for (const [i, value] of usual.entries()) if (value < limit) knownHeldOut[i] = chance;
  return { known, knownHeldOut, foreign: Math.round(share * others) };
}

/** Share of items of taught classes that is expected below the limit of n labelled ones, their (k + 1)-th smallest. */
export function expectedMisses(n: number): number {
  return (Math.floor(USUAL_MISSES * n) + 1) / (n + 1);
}

/** What so few labels cannot tell, for people; null where there are enough. */
export function fewLabelsText(labels: number): string | null {
  if (labels >= ENOUGH_LABELS) return null;
  return labels < MIN_LABELS
    ? `${plural(labels, 'label is', 'labels are')} too few to tell what is of no class that was labelled: such items are among those that got a label`
    : `with ${plural(labels, 'label')} only a part of what is of no class that was labelled is noticed: more of it may be among those that got a label`;
}

/** `reachOf` on the neighbour graph of the items. @param features shape [n, columns]; @returns shape [n, sets] */
export async function reachOfItems(
  pool: InferencePool,
  features: Matrix,
  sets: readonly ArrayLike<number>[],
  signal?: AbortSignal,
): Promise<Float64Array> {
  const neighbours = Math.max(1, Math.min(NEIGHBOURS, features.rows - 1));
  return reachOf(fuzzyGraph(await neighbourGraph(exactIndex(pool, features), features, neighbours, signal)), sets);
}

/** The chance that an item below the limit is of a taught class, and the share of all items that is not. */
export function chanceKnown(below: number): { readonly chance: number; readonly share: number } {
  const share = Math.max(0, (below - USUAL_MISSES) / (1 - USUAL_MISSES));
  return { chance: share === 0 ? 1 : Math.min(1, (USUAL_MISSES * (1 - share)) / below), share };
}

/** The chance of every class, where an item may be of none of them: in place. @param known chance that it is of one, shape [rows] */
export function scaleRows({ data, columns }: Matrix, known: Float64Array): void {
  for (const [row, chance] of known.entries()) {
    if (chance === 1) continue;
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = data[i] * chance;
  }
}
