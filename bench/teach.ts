/**
 * `teach` on labelled sets: what each step is worth, from 10 % of the labels, on images that nothing has seen.
 *
 * The test is 20 % of the images, whole groups at a time, in no way part of the learning; of the others, 10 % of all
 * images, the same share of every class, have their label. `base` is logistic regression on one view (576 numbers, each
 * vector scaled to length 1) with the best C on the test, which flatters it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { embedIn } from '../src/labelling/embed.ts';
import { finishVectors, requireRecipe } from '../src/labelling/recipe.ts';
import { joinGraph, principalFeatures } from '../src/labelling/teach/graph-features.ts';
import { learnRounds } from '../src/labelling/teach/learn-rounds.ts';
import type { Problem } from '../src/labelling/teach/problem.ts';
import { baseHead, learn, logitsOfRows, TECHNIQUE_NAMES } from '../src/labelling/teach/techniques.ts';
import { argMaxRows, softmaxRows } from '../src/math/calibration.ts';
import { gatherRows, type Matrix, newSharedMatrix, normalisedRows } from '../src/math/matrix.ts';
import { expectedCalibrationError } from '../src/math/metrics/classification.ts';
import { auroc, averagePrecision } from '../src/math/metrics/ranking.ts';
import { InferencePool } from '../src/math/pool.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { openWorkspace } from '../src/pipeline/workspace.ts';
import { arrowVectorStore } from '../src/store/vectors/arrow-store.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const SETS = (process.env.LABELSMITH_TEACH_SETS ?? 'caltech-30,electronics,flowers').split(',');
const SEEDS = (process.env.LABELSMITH_TEACH_SEEDS ?? '0,1,2').split(',').map(Number);
const EMBEDDER = 'mobilenetv3-small';

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({});
  try {
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await load(name);
      const seeds = [];
      for (const seed of SEEDS) seeds.push(await measure(pool, set, seed));
      sets[name] = meanOf(seeds);
      process.stderr.write(`${name} ${JSON.stringify(sets[name])}\n`);
    }
    const mean = meanOf(Object.values(sets));
    return { labels: 0.1, seeds: SEEDS, sets, mean };
  } finally {
    await pool.close();
  }
}

interface LabelledSet {
  readonly name: string;
  /** As the embedder gave them: several views, and one view. Shape [n, columns]. */
  readonly vectors: Matrix;
  readonly single: Matrix;
  readonly blocks: readonly { readonly columns: number; readonly weight: number }[];
  readonly truth: Int32Array;
  readonly groups: readonly string[];
  readonly classes: number;
}

/** Embeds a set once, with the recipe that is the default and with one view. */
async function load(name: string): Promise<LabelledSet> {
  const folder = dataSet(name);
  return inScratch(async (dir) => {
    await mkdir(dir, { recursive: true });
    await labelsmith(['add', folder], dir);
    const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    try {
      const { store } = workspace;
      const vectors = arrowVectorStore(workspace.dir);
      const embedded = async (recipe: object | undefined) => {
        const embedder = await openEmbedder(EMBEDDER, { recipe });
        try {
          const { space } = await embedIn(workspace, embedder, { seed: 0, threads: 2 });
          return await vectors.readAll(await store.vectorShards(space, 'images'));
        } finally {
          await embedder.close();
        }
      };
      const single = await embedded({ views: undefined });
      const all = await embedded(undefined);
      const { blocks } = await requireRecipe(store, 'images');
      const known = new Map<string, { className: string; group: string }>();
      for await (const image of store.dataset({ unlabelled: true })) {
        known.set(image.id, { className: image.file.split('/').at(-2) as string, group: image.groupId });
      }
      const names = [...new Set([...known.values()].map(({ className }) => className))].sort();
      const rows = all.ids.map((id) => known.get(id) as { className: string; group: string });
      return {
        name,
        vectors: all.vectors,
        single: normalisedRows(single.vectors),
        blocks,
        truth: Int32Array.from(rows, ({ className }) => names.indexOf(className)),
        groups: rows.map(({ group }) => group),
        classes: names.length,
      };
    } finally {
      await workspace.close();
    }
  });
}

interface Split {
  readonly labelled: readonly number[];
  readonly unlabelled: readonly number[];
  readonly test: readonly number[];
}

function split({ truth, groups, classes }: LabelledSet, seed: number, share: number): Split {
  const random = seededRandom(seed, 'teach-bench');
  const inTest = new Set<string>();
  let tested = 0;
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  for (const group of shuffled([...sizes.keys()], random)) {
    if (tested >= truth.length / 5) break;
    inTest.add(group);
    tested += sizes.get(group) as number;
  }
  const all = Array.from(truth, (_, i) => i);
  const test = all.filter((i) => inTest.has(groups[i] as string));
  const rest = shuffled(
    all.filter((i) => !inTest.has(groups[i] as string)),
    random,
  );
  const labelled: number[] = [];
  for (let c = 0; c < classes; c++) {
    const size = truth.filter((label) => label === c).length;
    labelled.push(...rest.filter((i) => truth[i] === c).slice(0, Math.max(1, Math.round(share * size))));
  }
  labelled.sort((a, b) => a - b);
  const chosen = new Set(labelled);
  return { labelled, unlabelled: rest.filter((i) => !chosen.has(i)).sort((a, b) => a - b), test };
}

/** Finished vectors; the mean is that of the rows that may be learned from. */
function finished(set: LabelledSet, pool: readonly number[]): Matrix {
  const { data, rows, columns } = set.vectors;
  const mean = new Float32Array(columns);
  for (const row of pool)
    for (let j = 0; j < columns; j++) mean[j] = (mean[j] as number) + (data[row * columns + j] as number) / pool.length;
  const copy = newSharedMatrix(rows, columns);
  copy.data.set(data);
  finishVectors(copy, set, mean);
  return copy;
}

function problemOf(
  set: LabelledSet,
  features: Matrix,
  labelled: readonly number[],
  unlabelled: readonly number[],
): Problem {
  const rows = [...labelled, ...unlabelled].sort((a, b) => a - b);
  const place = new Map(rows.map((row, i) => [row, i]));
  return {
    features: gatherRows(features, rows),
    groups: rows.map((row) => set.groups[row] as string),
    labelled: Int32Array.from(labelled, (row) => place.get(row) as number),
    labels: Int32Array.from(labelled, (row) => set.truth[row] as number),
    classes: set.classes,
  };
}

async function measure(pool: InferencePool, set: LabelledSet, seed: number): Promise<Record<string, number>> {
  const { labelled, unlabelled, test } = split(set, seed, 0.1);
  const testRows = Int32Array.from(test);
  const truth = Int32Array.from(test, (row) => set.truth[row] as number);
  const accuracyOf = (logits: Matrix) => {
    const best = argMaxRows(logits);
    return best.filter((label, i) => label === truth[i]).length / truth.length;
  };
  const result: Record<string, number> = {};

  const single = problemOf(set, set.single, labelled, unlabelled);
  result.base = 0;
  for (const C of [10, 30, 100, 300, 1000]) {
    const head = await baseHead({ pool, joined: null, principal: null, seed }, single, { C, classWeights: 'even' });
    result.base = Math.max(result.base, accuracyOf(await logitsOfRows(pool, head, set.single, testRows)));
  }

  const features = finished(set, [...labelled, ...unlabelled]);
  const problem = problemOf(set, features, labelled, unlabelled);
  const startedAt = performance.now();
  const final = await learnRounds(pool, problem, { seed });
  result.seconds = (performance.now() - startedAt) / 1000;
  const logits = await logitsOfRows(pool, final.head, features, testRows);
  result.final = accuracyOf(logits);
  const probabilities = softmaxRows(logits, final.temperature);
  const best = argMaxRows(probabilities);
  const confidences = Array.from(best, (label, i) => probabilities.data[i * set.classes + label] as number);
  result.ece = expectedCalibrationError(
    confidences,
    Array.from(best, (label, i) => Number(label === truth[i])),
  ) as number;
  result.crossValidated = final.heldOut.accuracy;
  const unlabelledPlaces = problem.features.rows;
  const guess = argMaxRows(final.probabilities);
  const isLabelled = new Set(problem.labelled);
  const rows = [...labelled, ...unlabelled].sort((a, b) => a - b);
  let right = 0;
  for (let i = 0; i < unlabelledPlaces; i++)
    if (!isLabelled.has(i) && guess[i] === set.truth[rows[i] as number]) right++;
  result.rest = right / unlabelled.length;

  const joined = await joinGraph(pool, problem.features, { seed });
  const principal = await principalFeatures(pool, problem.features, seed);
  for (const technique of TECHNIQUE_NAMES) {
    const { head } = await learn({ pool, joined, principal, seed }, problem, { technique, ...final.settings });
    result[`only ${technique}`] = accuracyOf(await logitsOfRows(pool, head, features, testRows));
  }

  const everything = problemOf(
    set,
    features,
    [...labelled, ...unlabelled].sort((a, b) => a - b),
    [],
  );
  const all = await baseHead({ pool, joined: null, principal: null, seed }, everything, final.settings);
  result.all = accuracyOf(await logitsOfRows(pool, all, features, testRows));
  Object.assign(result, set.name === 'caltech-30' ? await flipped(pool, set, seed) : {});
  process.stderr.write(`  ${set.name} seed ${seed}: ${JSON.stringify(result)}\n`);
  return result;
}

/** Half of the labels given, a tenth of them wrong: how well are those found? */
async function flipped(pool: InferencePool, set: LabelledSet, seed: number): Promise<Record<string, number>> {
  const { labelled, unlabelled, test } = split(set, seed, 0.5);
  const rest = [...unlabelled, ...test].sort((a, b) => a - b);
  const features = finished(set, [...labelled, ...rest]);
  const problem = problemOf(set, features, labelled, rest);
  const random = seededRandom(seed, 'flips');
  const wrong = new Uint8Array(labelled.length);
  const labels = problem.labels.map((label, i) => {
    if (random() >= 0.1) return label;
    wrong[i] = 1;
    return (label + 1 + Math.floor(random() * (set.classes - 1))) % set.classes;
  });
  const { heldOut, temperature } = await learnRounds(pool, { ...problem, labels }, { seed });
  const probabilities = softmaxRows(heldOut.logits, temperature);
  const doubt = Array.from(labels, (label, i) => 1 - (probabilities.data[i * set.classes + label] as number));
  return { labelErrorAuroc: auroc(wrong, doubt) as number, labelErrorAuprc: averagePrecision(wrong, doubt) as number };
}

function meanOf(records: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = records.map((record) => record[name]).filter((value) => value !== undefined);
      return [name, rounded(values.reduce((sum, value) => sum + value, 0) / values.length, 4)];
    }),
  );
}
