/**
 * What other looks at every image are worth to the clusters of `discover`, each alone: directions that vary within the classes of
 * other sets turned down (which `discover` does, with those of all sets), a mirrored look beside it, four quarter
 * turns (of sets whose pictures have no side that is up), and the object in the middle with plain background trimmed off, in its place. The number of classes is given; the
 * figure is the accuracy of the best assignment of clusters to classes, which nothing here sees. `k-means, one view` is the
 * baseline of the built-in embedder's own 576 numbers, rows of length 1; `5-NN` the share of images whose five nearest others have
 * mostly its class, about what the vectors allow.
 *
 * Vectors come from the cache of `piles`. LABELSMITH_BENCH_SETS and LABELSMITH_BENCH_SEEDS name others.
 */

import { kmeans } from '../src/math/kmeans/kmeans.ts';
import { exactIndex } from '../src/math/knn/exact.ts';
import { neighbourGraph } from '../src/math/knn/graph.ts';
import { type Matrix, newSharedMatrix, normalisedRows } from '../src/math/matrix.ts';
import { clusteringMetrics } from '../src/math/metrics/clustering.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../src/stages/discover/hierarchy.ts';
import { type Nuisance, withoutNuisance } from '../src/stages/discover/nuisance.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../src/stages/embed/recipe.ts';
import { DEFAULT_BACKBONE } from './piles/backbones.ts';
import { type Figures, meanFigures, tableOf } from './piles/figures.ts';
import { nuisanceFrom } from './piles/nuisance.ts';
import { embeddedSet, setsHere, type ViewName } from './piles/vectors.ts';
import { loadSets } from './piles.ts';

const SEEDS = (process.env.LABELSMITH_BENCH_SEEDS ?? '0').split(',').map(Number);
const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',');
const VIEW_NAMES = ['mirrored', 'trimmed'] as const satisfies readonly ViewName[];
const TURNS = ['quarter', 'half', 'threeQuarters'] as const satisfies readonly ViewName[];
/** Sets whose pictures have no side that is up; the others are not turned. */
const WITHOUT_UP: readonly string[] = ['electronics', 'euro-coins', 'plankton', 'satellite', 'steel-strip'];
const COLUMNS = ['k-means, one view', 'plain', 'directions', 'mirrored', 'turned', 'trimmed', '5-NN'] as const;
const NEIGHBOURS = 5;

type SetFigures = Figures<(typeof COLUMNS)[number]>;

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const sets: Record<string, SetFigures> = {};
    const learnt = await loadSets(DEFAULT_BACKBONE);
    const nuisanceWithout = nuisanceFrom(learnt.sets, learnt.blocks);
    for (const name of SETS ?? setsHere()) {
      sets[name] = await measure(pool, name, nuisanceWithout([name]));
      process.stderr.write(`  ${name}: ${JSON.stringify(sets[name])}\n`);
    }
    const mean = meanFigures(COLUMNS, Object.values(sets));
    process.stderr.write(`${tableOf(COLUMNS, { ...sets, mean }).join('\n')}\n`);
    return { seeds: SEEDS, sets, mean };
  } finally {
    await pool.close();
  }
}

async function measure(pool: InferencePool, name: string, nuisance: Nuisance | undefined): Promise<SetFigures> {
  const { single, whole, views, blocks, truth, classes } = await vectorsOf(name);
  const [mirrored, trimmed, ...turns] = views as [Matrix, Matrix, ...Matrix[]];
  const finished = (looks: readonly Matrix[]) => finishedMean(looks, blocks);
  const plain = finished([whole]);
  const all = await Promise.all(
    SEEDS.map(async (seed): Promise<SetFigures> => {
      const accuracyOf = (labels: Int32Array) => clusteringMetrics(truth, labels).accuracy;
      const clusters = async (vectors: Matrix) =>
        accuracyOf(cutHierarchy(await hierarchyOf(pool, vectors, { method: 'graph', seed }), classes));
      return {
        'k-means, one view': accuracyOf((await kmeans(pool, single, { k: classes, seed, restarts: 10 })).labels),
        plain: await clusters(plain),
        directions: await clusters(await withoutNuisance(pool, plain, nuisance)),
        mirrored: await clusters(finished([whole, mirrored])),
        turned: turns.length > 0 ? await clusters(finished([whole, ...turns])) : Number.NaN,
        trimmed: await clusters(finished([trimmed])),
        '5-NN': await byNeighbours(pool, plain, truth),
      };
    }),
  );
  return meanFigures(COLUMNS, all);
}

/** Vectors of every image that has a class, as the embedder gives them. */
async function vectorsOf(name: string) {
  const one = await openEmbedder(DEFAULT_BACKBONE, { threads: 1, recipe: { views: undefined } });
  const embedder = await openEmbedder(DEFAULT_BACKBONE, { threads: 1 });
  try {
    const { vectors } = await embeddedSet(name, async () => one, one.key, { withCopies: false });
    const set = await embeddedSet(name, async () => embedder, embedder.key, {
      withCopies: false,
      viewNames: [...VIEW_NAMES, ...(WITHOUT_UP.includes(name) ? TURNS : [])],
    });
    const { vectors: whole, views, classes: truth, classNames } = set;
    return {
      single: normalisedRows(vectors),
      whole,
      views,
      blocks: embedder.blocks,
      truth,
      classes: classNames.length,
    };
  } finally {
    await Promise.all([one.close(), embedder.close()]);
  }
}

/** The mean of several looks, each of them finished, at length 1. @param looks each [n, columns] */
function finishedMean(looks: readonly Matrix[], blocks: readonly VectorBlock[]): Matrix {
  const [{ rows, columns }] = looks as [Matrix];
  const sum = newSharedMatrix(rows, columns);
  for (const look of looks) {
    const copy = newSharedMatrix(rows, columns);
    copy.data.set(look.data);
    centreAndNormalise(copy, { blocks }, meanOf(copy));
    for (const [i, value] of copy.data.entries()) sum.data[i] = (sum.data[i] ?? 0) + value / looks.length;
  }
  return normalisedRows(sum);
}

async function byNeighbours(pool: InferencePool, vectors: Matrix, truth: Int32Array): Promise<number> {
  const { indices, n } = await neighbourGraph(exactIndex(pool, vectors), vectors, NEIGHBOURS);
  let right = 0;
  for (const [row, label] of truth.entries()) {
    const votes = new Map<number, number>();
    for (const other of indices.subarray(row * n, (row + 1) * n)) {
      const theirs = truth[other] ?? -1;
      votes.set(theirs, (votes.get(theirs) ?? 0) + 1);
    }
    // Of equally frequent ones the nearest: a map keeps the order in which they came.
    const most = Math.max(...votes.values());
    right += Number([...votes].find(([, count]) => count === most)?.[0] === label);
  }
  return right / truth.length;
}
