/**
 * Clustering against the folders of the benchmark's sets, which it never sees: k-means on the embedder's single view (one
 * size, no centring, vectors of length 1) beside the default recipe and method. Accuracy is that of the best assignment of
 * clusters to classes; everything but the stated k is the default. Means over seeds.
 *
 * Vectors are as they are: the directions that `discover` turns down were learnt on these sets too. `piles` scores them.
 */
import { join } from 'node:path';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { kmeans } from '../src/math/kmeans/kmeans.ts';
import { type Matrix, normalisedRows } from '../src/math/matrix.ts';
import { clusteringMetrics } from '../src/math/metrics/clustering.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { cutHierarchy, hierarchyOf } from '../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../src/stages/discover/levels.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { centreAndNormalise, fitMean, requireRecipe } from '../src/stages/embed/recipe.ts';
import { arrowVectorStore } from '../src/vectors/folder-vectors.ts';
import { dataSet } from './photos.ts';
import { inScratch, rounded } from './process.ts';

const SETS = ['caltech-30', 'electronics', 'flowers'] as const;
const SEEDS = [0, 1, 2];
const EMBEDDER = 'mobilenetv3-small';
const THREADS = 2;
/** What a person does who names five clusters a class. */
const FINE = 5;

export async function run(): Promise<unknown> {
  const rows: Awaited<ReturnType<typeof measure>>[] = [];
  for (const set of SETS) rows.push(await measure(set));
  const mean = (pick: (row: (typeof rows)[number]) => number) =>
    rounded(rows.reduce((sum, row) => sum + pick(row), 0) / rows.length);
  return {
    seeds: SEEDS.length,
    sets: rows,
    gainInAccuracy: mean(({ discover, singleViewKMeans }) => discover.accuracy - singleViewKMeans.accuracy),
    gainInFinePurity: mean(({ discover, singleViewKMeans }) => discover.finePurity - singleViewKMeans.finePurity),
  };
}

function measure(set: string) {
  return inScratch(async (dir) => {
    const source = dataSet(set);
    const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
    const pool = await InferencePool.create({ threads: THREADS });
    try {
      const run = { seed: 0, threads: THREADS };
      await addTo(workspace, await openSources(workspace, [source]), { ...run, sync: false });
      const single = await embedded(workspace, false);
      const full = await embedded(workspace, true);
      const classOf = await classesOf(workspace, full.ids);
      const k = new Set(classOf).size;
      const score = (labels: Int32Array) => clusteringMetrics(classOf, labels);
      const baseline = await overSeeds(async (seed) => {
        const at = async (count: number) =>
          score((await kmeans(pool, single.vectors, { k: count, seed, restarts: 10 })).labels);
        return { ...(await at(k)), finePurity: (await at(FINE * k)).purity };
      });
      const discover = await overSeeds(async (seed) => {
        const hierarchy = await hierarchyOf(pool, full.vectors, { method: 'graph', seed });
        const at = (count: number) => score(cutHierarchy(hierarchy, count));
        return { ...at(k), finePurity: at(FINE * k).purity, autoK: suggestedK(hierarchy) };
      });
      const density = await hierarchyOf(pool, full.vectors, { method: 'density', seed: 0 });
      const labels = cutHierarchy(density, density.tree.points);
      const inside = [...labels.keys()].filter((i) => labels[i] >= 0);
      const of = (list: ArrayLike<number>) => inside.map((i) => list[i]);
      return {
        set,
        images: full.ids.length,
        classes: k,
        singleViewKMeans: baseline,
        discover,
        density: {
          clusters: density.tree.points,
          coverage: rounded(inside.length / labels.length),
          purity: rounded(clusteringMetrics(of(classOf), of(labels)).purity),
        },
      };
    } finally {
      await pool.close();
      await workspace.close();
    }
  });
}

/** Vectors as `discover` compares them, or of the plain model: its own embedding at length 1. */
async function embedded(workspace: Workspace, views: boolean): Promise<{ ids: readonly string[]; vectors: Matrix }> {
  const recipe = views ? {} : { views: undefined };
  const embedder = await openEmbedder(EMBEDDER, { threads: THREADS, recipe });
  try {
    const { space } = await embedIn(workspace, embedder, { seed: 0, threads: THREADS });
    const vectors = arrowVectorStore(workspace.dir);
    const shards = await workspace.store.vectorShards(space, 'images');
    const all = await vectors.readAll(shards);
    if (!views) return { ids: all.ids, vectors: normalisedRows(all.vectors) };
    const saved = await requireRecipe(workspace.store, 'images');
    centreAndNormalise(all.vectors, saved, (await fitMean(workspace.store, vectors, saved, shards)).values);
    return all;
  } finally {
    await embedder.close();
  }
}

/** The number of the folder that each image lies in. */
async function classesOf({ store }: Workspace, ids: readonly string[]): Promise<number[]> {
  const paths = await store.pathsOfImages(ids);
  const folders = ids.map((id) => paths.get(id)?.[0]?.path.split('/').at(-2) as string);
  const names = [...new Set(folders)];
  return folders.map((folder) => names.indexOf(folder));
}

/** Every figure's mean over the seeds. */
async function overSeeds<T extends object>(measureAt: (seed: number) => Promise<T>): Promise<Record<keyof T, number>> {
  const results: T[] = [];
  for (const seed of SEEDS) results.push(await measureAt(seed));
  const keys = Object.keys(results[0]) as (keyof T)[];
  const mean = (key: keyof T) =>
    rounded(results.reduce((sum, result) => sum + Number(result[key]), 0) / results.length);
  return Object.fromEntries(keys.map((key) => [key, mean(key)])) as Record<keyof T, number>;
}
