/**
 * What an embedder is worth: for every one that is on this machine, on every labelled set, how many images have a neighbour of
 * their class, what a tenth of the labels teaches, how well clusters agree with classes, with their number known and not, and
 * how many clusters its votes name rightly; with its core time and memory. Nothing but the embedder differs.
 *
 * `LABELSMITH_BACKBONES` and `LABELSMITH_BENCH_SETS` name some of each, `LABELSMITH_TEACH_SEEDS` the splits (default 0; none: nothing
 * is taught, which takes most of the time), and
 * `LABELSMITH_BENCH_WEIGHTS=1` asks also for the weights of an embedder's parts that are best on other sets.
 */
import { argMaxRows } from '../src/math/calibration.ts';
import { exactIndex } from '../src/math/knn/exact.ts';
import type { Matrix } from '../src/math/matrix.ts';
import { clusteringMetrics } from '../src/math/metrics/clustering.ts';
import type { Embedder } from '../src/models/embedder.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../src/stages/discover/levels.ts';
import { foldsOf } from '../src/stages/teach/cross-validation.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { baseHead, logitsOfRows } from '../src/stages/teach/methods.ts';
import { baseCandidates, searchBase } from '../src/stages/teach/search.ts';
import { backbonesHere, type EmbeddedSet, embeddedSet, openIfHere, setsHere } from './backbones/embedded.ts';
import { type Clustered, scoreNames } from './backbones/names.ts';
import { bestWeights } from './backbones/weights.ts';
import { finished, meanOf, problemOf, split } from './labelled-sets.ts';
import { rounded } from './process.ts';

const SEEDS = (process.env.LABELSMITH_TEACH_SEEDS ?? '0').split(',').filter(Boolean).map(Number);
/** The share of the images that has a label. */
const LABELS = 0.1;
const FOLDS = 5;
/** Passes that are timed, after as many that are not. */
const PASSES = 60;

export async function run(): Promise<unknown> {
  const sets = setsHere();
  const backbones: Record<string, { readonly mean: Record<string, number> }> = {};
  const pool = await InferencePool.create({});
  try {
    for (const id of await backbonesHere()) {
      backbones[id] = await measure(pool, id, sets);
      process.stderr.write(`${id} ${JSON.stringify(backbones[id].mean)}\n`);
    }
  } finally {
    await pool.close();
  }
  return { labels: LABELS, seeds: SEEDS, backbones };
}

async function measure(pool: InferencePool, id: string, names: readonly string[]) {
  const cost = await costOf(id);
  const embedder = (await openIfHere(id)) as Embedder;
  const sets: Record<string, Record<string, number>> = {};
  const clustered: Clustered[] = [];
  const embedded: EmbeddedSet[] = [];
  try {
    for (const name of names) {
      const set = await embeddedSet(name, embedder);
      embedded.push(set);
      const features = finished(set, rowsOf(set));
      const { clusters, ...agreement } = await clustersOf(pool, set, features);
      clustered.push({ set, clusters });
      const taught = [];
      for (const seed of SEEDS) taught.push(await teach(pool, set, seed));
      sets[name] = { oneNearest: await oneNearest(pool, set, features), ...meanOf(taught), ...agreement };
      process.stderr.write(`  ${id} ${name} ${JSON.stringify(sets[name])}\n`);
    }
  } finally {
    await embedder.close();
  }
  const weights = process.env.LABELSMITH_BENCH_WEIGHTS ? await bestWeights(pool, embedded) : undefined;
  return { ...cost, mean: meanOf(Object.values(sets)), sets, names: scoreNames(clustered), weights };
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
