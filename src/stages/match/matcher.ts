/**
 * Which class an item is taken for, from references. Resident: the vectors and features of at most 20,000 items and of the
 * references (4 bytes a number, 1152 and 1252 numbers with the default recipe).
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { gatherRows, type Matrix, rowsOf, stacked } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Sample } from '../discover/sample.ts';
import { ENOUGH_LABELS, type Familiarity, familiarityOf } from '../teach/familiarity.ts';
import { groupFolds } from '../teach/folds.ts';
import { type GraphFeatures, graphFeaturesOf } from './graph-features.ts';
import { decide, fitPrototypes, type Matched, type Prototypes } from './prototypes.ts';
import type { References } from './references.ts';

export interface Matcher {
  readonly classNames: readonly string[];
  readonly prototypes: Prototypes;
  /** Features of the sample, then of the references. */
  readonly graph: GraphFeatures;
  /** Row of an item that is in the sample. */
  readonly rowOf: IdMap;
  /**
   * Chance that an item of the sample is of a class that has references, shape [sample]: 1 wherever nothing is suspected,
   * and for all where the threshold is the user's.
   */
  readonly known: Float64Array;
  /** Items of the sample that look like none of the references, estimated. */
  readonly foreign: number;
}

/** References that are judged by the others at a time: each of them is left out once. */
const FOLDS = 8;

export interface MatcherOptions {
  readonly seed: number;
  /** Cosine from which on an item is taken for one of its class; undefined: each class's own, from its references. */
  readonly threshold?: number;
  readonly signal?: AbortSignal;
}

/** @param sample finished vectors of the pool. @param references with finished vectors */
export async function fitMatcher(
  pool: InferencePool,
  sample: Pick<Sample, 'ids' | 'vectors'>,
  { vectors, classes, classNames }: References,
  { seed, threshold, signal }: MatcherOptions,
): Promise<Matcher> {
  const together = stacked(sample.vectors, vectors);
  const graph = await graphFeaturesOf(pool, together, { seed, signal });
  const of = rowsOf(graph.features, sample.ids.length, together.rows);
  const prototypes = withThreshold(fitPrototypes(of, classes, classNames.length), threshold);
  const rowOf = new IdMap();
  for (const [row, id] of sample.ids.entries()) rowOf.set(id, row);
  const { known, foreign } =
    threshold === undefined
      ? await familiarTo(pool, together, { classes, seed, signal })
      : { known: new Float64Array(together.rows).fill(1), foreign: 0 };
  return { classNames, prototypes, graph, rowOf, known, foreign };
}

/** How the items look to the references, which stand behind them. */
function familiarTo(
  pool: InferencePool,
  features: Matrix,
  { classes, seed, signal }: Pick<References, 'classes'> & Pick<MatcherOptions, 'seed' | 'signal'>,
): Promise<Familiarity> {
  const first = features.rows - classes.length;
  const labelled = Int32Array.from(classes, (_, i) => first + i);
  const of = groupFolds({ labels: classes, groups: labelled }, FOLDS, seed);
  return familiarityOf(pool, { features, labelled }, { count: FOLDS, of }, { minLabels: ENOUGH_LABELS, signal });
}

/** @param vectors finished, shape [ids, columns] */
export async function matchRows(
  { prototypes, graph, rowOf, known }: Matcher,
  ids: readonly ItemId[],
  vectors: Matrix,
): Promise<Matched[]> {
  const others = ids.flatMap((id, i) => (rowOf.get(id) === undefined ? [i] : []));
  const otherFeatures = others.length > 0 ? await graph.featuresOf(gatherRows(vectors, others)) : undefined;
  const otherRow = new Map(others.map((i, row) => [i, row]));
  return ids.map((id, i) => {
    const row = otherRow.get(i);
    if (row !== undefined && otherFeatures)
      return decide(cosinesOf(otherFeatures, row, prototypes.vectors), prototypes);
    const own = rowOf.get(id) ?? 0;
    return doubted(decide(cosinesOf(graph.features, own, prototypes.vectors), prototypes), known[own]);
  });
}

/** What an item is taken for where it may be of none of the classes; rather none than one is no label. */
function doubted(matched: Matched, known: number): Matched {
  if (known === 1) return matched;
  return {
    ...matched,
    probabilities: matched.probabilities.map((probability) => probability * known),
    confidence: matched.confidence * known,
    accepted: matched.accepted && known >= 0.5,
  };
}

function withThreshold(prototypes: Prototypes, threshold: number | undefined): Prototypes {
  if (threshold === undefined) return prototypes;
  return { ...prototypes, thresholds: prototypes.thresholds.map(() => threshold) };
}

function cosinesOf(features: Matrix, row: number, prototypes: Matrix): Float32Array {
  const { columns } = features;
  const cosines = new Float32Array(prototypes.rows);
  for (let c = 0; c < prototypes.rows; c++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      sum += features.data[row * columns + j] * prototypes.data[c * columns + j];
    }
    cosines[c] = sum;
  }
  return cosines;
}
