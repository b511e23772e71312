/**
 * Adaptation with no labels, as an experiment: TURTLE over two embedders' features, and self-training with neighbours as
 * positives that begins at the clusters of `discover`, beside these clusters themselves and k-means on the same vectors. All are told how
 * many classes there are. Accuracy is that of the best assignment of clusters to classes, which nothing here sees.
 *
 * Vectors come from the cache of `piles`. LABELSMITH_BENCH_SETS and LABELSMITH_BENCH_SEEDS name others.
 */
import { kmeans } from '../src/math/kmeans/kmeans.ts';
import { type Matrix, newSharedMatrix } from '../src/math/matrix.ts';
import { clusteringMetrics } from '../src/math/metrics/clustering.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../src/stages/discover/hierarchy.ts';
import { centreAndNormalise, meanOf } from '../src/stages/embed/recipe.ts';
import { selfTrained } from './adaptation/neighbours.ts';
import { turtle } from './adaptation/turtle.ts';
import { backbones, openBackbone } from './piles/backbones.ts';
import { type Figures, meanFigures, tableOf } from './piles/figures.ts';
import { embeddedSet, setsHere } from './piles/vectors.ts';

const SEEDS = (process.env.LABELSMITH_BENCH_SEEDS ?? '0').split(',').map(Number);
const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',');
const COLUMNS = ['k-means', 'discover', 'self-training', 'TURTLE'] as const;

type SetFigures = Figures<(typeof COLUMNS)[number]>;

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const sets: Record<string, SetFigures> = {};
    for (const name of SETS ?? setsHere()) {
      const { spaces, classes, truth } = await spacesOf(name);
      const all: SetFigures[] = [];
      for (const seed of SEEDS) all.push(await measure(pool, spaces, { classes, truth, seed }));
      sets[name] = meanFigures(COLUMNS, all);
      process.stderr.write(`  ${name}: ${JSON.stringify(sets[name])}\n`);
    }
    const mean = meanFigures(COLUMNS, Object.values(sets));
    process.stderr.write(`${tableOf(COLUMNS, { ...sets, mean }).join('\n')}\n`);
    return { seeds: SEEDS, sets, mean };
  } finally {
    await pool.close();
  }
}

/** Vectors of every image that has a class, centred and of length 1: a matrix an embedder, the default one first. */
async function spacesOf(name: string) {
  const spaces: Matrix[] = [];
  let truth = new Int32Array();
  let classes = 0;
  for (const model of backbones()) {
    const embedder = await openBackbone(model, 1);
    try {
      const set = await embeddedSet(name, async () => embedder, embedder.key);
      const copy = newSharedMatrix(set.vectors.rows, set.vectors.columns);
      copy.data.set(set.vectors.data);
      centreAndNormalise(copy, embedder, meanOf(copy));
      spaces.push(copy);
      truth = Int32Array.from(set.classes);
      classes = set.classNames.length;
    } finally {
      await embedder.close();
    }
  }
  return { spaces, truth, classes };
}

async function measure(
  pool: InferencePool,
  spaces: readonly Matrix[],
  { truth, classes, seed }: { readonly truth: Int32Array; readonly classes: number; readonly seed: number },
): Promise<SetFigures> {
  const [first] = spaces;
  if (!first) throw new Error('no embedder');
  const accuracyOf = (labels: Int32Array) => clusteringMetrics(truth, labels).accuracy;
  const clusters = cutHierarchy(await hierarchyOf(pool, first, { method: 'graph', seed }), classes);
  return {
    'k-means': accuracyOf((await kmeans(pool, first, { k: classes, seed, restarts: 3 })).labels),
    discover: accuracyOf(clusters),
    'self-training': accuracyOf(await selfTrained(pool, first, { clusters, classes, seed })),
    TURTLE: accuracyOf(await turtle(pool, spaces, { classes, seed })),
  };
}
