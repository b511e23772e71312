/**
 * What an embedder is worth: for every one that is on this machine, on every labelled set, how many images have a neighbour of
 * their class, what a tenth of the labels teaches, how well clusters agree with classes, with their number known and not, and
 * how many clusters its votes name rightly; with its core time and memory. Nothing but the embedder differs.
 *
 * `LABELSMITH_BACKBONES` and `LABELSMITH_BENCH_SETS` name some of each, `LABELSMITH_TEACH_SEEDS` the splits (default 0; none: nothing
 * is taught, which takes most of the time), `LABELSMITH_CLUSTER_SEEDS` draws of nine tenths of the images that are clustered too
 * (default none), and `LABELSMITH_BENCH_WEIGHTS=1` asks also for the weights of an embedder's parts that are best on other sets.
 * `overSeeds` has means over seeds with standard errors; `againstFirst` what an embedder has more than the first one on the same draws.
 */
import { sampleIndices, seededRandom } from '../src/core/random.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import { exactIndex } from '../src/math/knn/exact.ts';
import { gatherRows, type Matrix } from '../src/math/matrix.ts';
import { clusteringMetrics } from '../src/math/metrics/clustering.ts';
import type { Embedder } from '../src/models/embedder.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../src/stages/discover/levels.ts';
import { foldsOf } from '../src/stages/teach/cross-validation.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { baseHead, logitsOfRows } from '../src/stages/teach/methods.ts';
import { baseCandidates, searchBase } from '../src/stages/teach/search.ts';
import { type Draws, differences, drawsOf, estimates } from './backbones/draws.ts';
import { backbonesHere, type EmbeddedSet, embeddedSet, openIfHere, setsHere } from './backbones/embedded.ts';
import { scoreNames } from './backbones/names.ts';
import { bestWeights } from './backbones/weights.ts';
import { finished, meanOf, problemOf, split } from './labelled-sets.ts';
import { rounded } from './process.ts';

const seedsIn = (value: string) => value.split(',').filter(Boolean).map(Number);
const SEEDS = seedsIn(process.env.LABELSMITH_TEACH_SEEDS ?? '0');
const CLUSTER_SEEDS = seedsIn(process.env.LABELSMITH_CLUSTER_SEEDS ?? '');
/** The share of the images that a draw of {@link CLUSTER_SEEDS} has. */
const CLUSTERED = 0.9;
/** The share of the images that has a label. */
const LABELS = 0.1;
const FOLDS = 5;
/** Passes that are timed, after as many that are not. */
const PASSES = 60;

export async function run(): Promise<unknown> {
  const sets = setsHere();
  const backbones: Record<string, { readonly mean: Record<string, number> }> = {};
  const againstFirst: Record<string, unknown> = {};
  let first: Readonly<Record<string, Draws>> | undefined;
  const pool = await InferencePool.create({});
  try {
    for (const id of await backbonesHere()) {
      const { draws, ...measured } = await measure(pool, id, sets);
      backbones[id] = measured;
      if (first) againstFirst[id] = differences(first, draws);
      first ??= draws;
      process.stderr.write(`${id} ${JSON.stringify(measured.mean)}\n`);
    }
  } finally {
    await pool.close();
  }
  return { labels: LABELS, seeds: SEEDS, clusterSeeds: CLUSTER_SEEDS, againstFirst, backbones };
}

async function measure(pool: InferencePool, id: string, setNames: readonly string[]) {
  const cost = await costOf(id);
  const embedder = (await openIfHere(id)) as Embedder;
  const sets: Record<string, Record<string, number>> = {};
  const draws: Record<string, Draws> = {};
  const clustered: { readonly set: EmbeddedSet; readonly clusters: Int32Array }[] = [];
  const embedded: EmbeddedSet[] = [];
  try {
    for (const name of setNames) {
      const set = await embeddedSet(name, embedder);
      embedded.push(set);
      const features = finished(set, rowsOf(set));
      const { clusters, ...agreement } = await clustersOf(pool, set, features);
      clustered.push({ set, clusters });
      const taught = [];
      for (const seed of SEEDS) taught.push(await teach(pool, set, seed));
      draws[name] = { ...drawsOf(taught), ...(await clustersOfDraws(pool, set)) };
      sets[name] = { oneNearest: await oneNearest(pool, set, features), ...meanOf(taught), ...agreement };
      process.stderr.write(`  ${id} ${name} ${JSON.stringify(sets[name])} ${JSON.stringify(draws[name])}\n`);
    }
  } finally {
    await embedder.close();
  }
  const weights = process.env.LABELSMITH_BENCH_WEIGHTS ? await bestWeights(pool, embedded) : undefined;
  const overSeeds = Object.fromEntries(Object.entries(draws).map(([name, of]) => [name, estimates(of)]));
  const mean = meanOf(Object.values(sets));
  const names = await scoreNames(pool, clustered);
  return { ...cost, mean, sets, overSeeds, names, weights, draws };
}

const rowsOf = ({ truth }: EmbeddedSet) => Array.from(truth, (_, row) => row);

/** Core time of a pass, the pool's threads included, and what the process has grown by to make it. */
async function costOf(id: string): Promise<Record<string, number>> {
  const before = process.memoryUsage.rss();
  const embedder = (await openIfHere(id, 1)) as Embedder;
  try {
    const { width, height } = embedder.input;
    const pixels = new Uint8Array(width * height * 3).map((_, i) => (37 * i) % 256);
    for (let i = 0; i < PASSES; i++) await embedder.embed(pixels, 1);
    const start = process.cpuUsage();
    for (let i = 0; i < PASSES; i++) await embedder.embed(pixels, 1);
    const { user, system } = process.cpuUsage(start);
    return {
      dimensions: embedder.dimensions,
      coreMs: rounded((user + system) / 1000 / PASSES, 2),
      megabytes: Math.round((process.memoryUsage.rss() - before) / 1e6),
    };
  } finally {
    await embedder.close();
  }
}

/** The share of images whose nearest other one, not of its own group, is of its class. */
async function oneNearest(pool: InferencePool, { truth, groups }: EmbeddedSet, features: Matrix): Promise<number> {
  const index = exactIndex(pool, features);
  const found = await index.search(features, Math.min(20, features.rows));
  let [right, asked] = [0, 0];
  for (const row of groups.keys()) {
    const places = found.indices.subarray(row * found.n, (row + 1) * found.n);
    const nearest = places.find((place) => place >= 0 && groups[place] !== groups[row]);
    if (nearest === undefined) continue;
    asked++;
    if (truth[nearest] === truth[row]) right++;
  }
  return rounded(right / asked);
}

async function clustersOf(pool: InferencePool, { truth, classes }: EmbeddedSet, features: Matrix) {
  const hierarchy = await hierarchyOf(pool, features, { method: 'graph', seed: 0 });
  const known = clusteringMetrics(truth, cutHierarchy(hierarchy, classes));
  const autoK = suggestedK(hierarchy);
  const clusters = cutHierarchy(hierarchy, autoK);
  const auto = clusteringMetrics(truth, clusters);
  return {
    clusters,
    accuracyKnownK: rounded(known.accuracy),
    ariKnownK: rounded(known.ari),
    autoK,
    accuracyAutoK: rounded(auto.accuracy),
    ariAutoK: rounded(auto.ari),
  };
}

/** Clusters of parts of the images, their number not known. */
async function clustersOfDraws(pool: InferencePool, set: EmbeddedSet): Promise<Draws> {
  const drawn = [];
  for (const seed of CLUSTER_SEEDS) {
    const random = seededRandom(seed, 'backbones-clusters');
    const rows = [...sampleIndices(set.truth.length, Math.round(CLUSTERED * set.truth.length), random)];
    const hierarchy = await hierarchyOf(pool, gatherRows(finished(set, rows), rows), { method: 'graph', seed });
    const truth = Int32Array.from(rows, (row) => set.truth[row]);
    const { accuracy, ari, nmi, k } = clusteringMetrics(truth, cutHierarchy(hierarchy, suggestedK(hierarchy)));
    drawn.push({ accuracyAutoK: accuracy, ariAutoK: ari, nmiAutoK: nmi, autoK: k });
  }
  return drawsOf(drawn);
}

/** On images that nothing has seen: the base model, and what the rounds come to. */
async function teach(pool: InferencePool, set: EmbeddedSet, seed: number): Promise<Record<string, number>> {
  const { labelled, unlabelled, test } = split(set, seed, LABELS);
  const features = finished(set, [...labelled, ...unlabelled]);
  const problem = problemOf(set, features, labelled, unlabelled);
  const accuracyOf = (logits: Matrix) => {
    const best = argMaxRows(logits);
    return test.filter((row, i) => best[i] === set.truth[row]).length / test.length;
  };
  const rows = Int32Array.from(test);
  const context = { pool, joined: null, principal: null, seed };
  const { best } = await searchBase(context, problem, foldsOf(problem, FOLDS, seed), baseCandidates('quick', false));
  const base = accuracyOf(await logitsOfRows(pool, await baseHead(context, problem, best), features, rows));
  const { head } = await learnRounds(pool, problem, { seed });
  return { base, rounds: accuracyOf(await logitsOfRows(pool, head, features, rows)) };
}
