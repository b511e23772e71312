/**
 * `teach` on labelled sets: what each step is worth, from 10 % of the labels, on images that nothing has seen.
 *
 * The test is 20 % of the images, whole groups at a time, in no way part of the learning; of the others, 10 % of all
 * images, the same share of every class, have their label. `base` is logistic regression on one view (576 numbers, each
 * vector scaled to length 1) with the best C of five on the test, which flatters it. `only …` is each method alone, at
 * the settings that the search found; `final` is what `teach rounds` comes to, `rest` its share of right guesses for the
 * unlabelled items, `all` a base model with the label of every item. What is left out of the default stands below them.
 */
import { seededRandom } from '../src/core/random.ts';
import { argMaxRows, softmaxRows } from '../src/math/calibration.ts';
import type { Head } from '../src/math/heads/head.ts';
import { fitLinearHead } from '../src/math/heads/linear-head.ts';
import { gatherRows, type Matrix, stacked } from '../src/math/matrix.ts';
import { calibrationErrorByChance, expectedCalibrationError } from '../src/math/metrics/classification.ts';
import { auroc, averagePrecision } from '../src/math/metrics/ranking.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { type Folds, foldsOf } from '../src/stages/teach/cross-validation.ts';
import { joinGraph, principalFeatures } from '../src/stages/teach/graph-features.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import {
  baseHead,
  type LearnContext,
  learn,
  logitsOfRows,
  METHOD_NAMES,
  STUDENT_C,
} from '../src/stages/teach/methods.ts';
import type { Augmentations, BaseSettings, Problem } from '../src/stages/teach/problem.ts';
import { baseCandidates, searchBase } from '../src/stages/teach/search.ts';
import {
  augmentationsOf,
  embedAllViews,
  finished,
  joinedOf,
  type LabelledSet,
  loadLabelled,
  meanOf,
  problemOf,
  split,
} from './labelled-sets.ts';
import { rounded } from './process.ts';

const SETS = (process.env.LABELSMITH_TEACH_SETS ?? 'caltech-30,electronics,flowers').split(',');
/** The base model before any search. */
const PLAIN = { head: 'linear', classWeights: 'even', augment: false } as const;
const VIEWS = 4;
const SEEDS = (process.env.LABELSMITH_TEACH_SEEDS ?? '0,1,2').split(',').map(Number);

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({});
  try {
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await loadLabelled(name, { joined: true });
      const seeds = [];
      const views = await embedAllViews(set, { count: VIEWS, seed: 0 });
      for (const seed of SEEDS) seeds.push(await measure(pool, set, views, seed));
      const judged = seeds.map((one) => one.judged);
      sets[name] = { ...meanOf(seeds.map((one) => one.figures)), ...calibrationOf(judged) };
      process.stderr.write(`${name} ${JSON.stringify(sets[name])}\n`);
    }
    const mean = meanOf(Object.values(sets));
    return { labels: 0.1, seeds: SEEDS, sets, mean };
  } finally {
    await pool.close();
  }
}

async function measure(pool: InferencePool, set: LabelledSet, allViews: Matrix, seed: number): Promise<Measured> {
  const { labelled, unlabelled, test } = split(set, seed, 0.1);
  const testRows = Int32Array.from(test);
  const truth = Int32Array.from(test, (row) => set.truth[row]);
  const accuracyOf = (logits: Matrix) => {
    const best = argMaxRows(logits);
    return best.filter((label, i) => label === truth[i]).length / truth.length;
  };
  const result: Record<string, number> = {};

  const single = problemOf(set, set.single, labelled, unlabelled);
  result.base = 0;
  for (const C of [10, 30, 100, 300, 1000]) {
    const head = await baseHead({ pool, joined: null, principal: null, seed }, single, { ...PLAIN, C });
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
  const confidences = Array.from(best, (label, i) => probabilities.data[i * set.classes + label]);
  const judged = { confidences, rights: Array.from(best, (label, i) => Number(label === truth[i])) };
  result.crossValidated = final.heldOut.accuracy;
  const places = [...labelled, ...unlabelled].sort((a, b) => a - b);
  result.rest = rightOfRest(final.probabilities, problem.labelled, places, set) / unlabelled.length;

  const joined = await joinGraph(pool, problem.features, { seed });
  const principal = await principalFeatures(pool, problem.features, seed);
  for (const method of METHOD_NAMES) {
    const { head } = await learn({ pool, joined, principal, seed }, problem, { method, ...final.settings });
    result[`only ${method}`] = accuracyOf(await logitsOfRows(pool, head, features, testRows));
  }
  // Left out of the default: a perceptron at its best setting, and views of the labelled images.
  const rowsOfProblem = [...labelled, ...unlabelled].sort((a, b) => a - b);
  const augmented = { ...problem, augmentations: augmentationsOf(set, allViews, rowsOfProblem, problem.labelled) };
  const context = { pool, joined, principal, seed };
  const folds = foldsOf(problem, 2, seed);
  const perceptrons = baseCandidates('wide', false).filter(({ head }) => head === 'mlp');
  const variants = {
    'base, mlp': () => searched(context, problem, folds, perceptrons),
    'base, views': () => learn(context, augmented, { method: 'base', ...final.settings, augment: true }),
    'metric, consistent views': async () => {
      const { softLabels } = await learn(context, problem, { method: 'metric', ...final.settings });
      return consistent(
        pool,
        problem,
        softLabels as Matrix,
        augmentationsOf(set, allViews, rowsOfProblem, everyRow(problem)),
      );
    },
    'metric, views': () => learn(context, augmented, { method: 'metric', ...final.settings, augment: true }),
  };
  for (const [name, variant] of Object.entries(variants)) {
    const { head } = await variant();
    result[name] = accuracyOf(await logitsOfRows(pool, head, features, testRows));
  }

  const beside = finished(joinedOf(set), rowsOfProblem);
  const both = problemOf(set, beside, labelled, unlabelled);
  const bothHead = await sideBySide(pool, both, final.settings, seed);
  result['metric, two embedders'] = accuracyOf(await logitsOfRows(pool, bothHead, beside, testRows));

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
  return { figures: result, judged };
}

/** How many of the unlabelled items are guessed right. @param places rows of the set, in the order of the problem */
function rightOfRest(
  probabilities: Matrix,
  labelled: Iterable<number>,
  places: readonly number[],
  set: LabelledSet,
): number {
  const guess = argMaxRows(probabilities);
  const isLabelled = new Set(labelled);
  return places.filter((row, i) => !isLabelled.has(i) && guess[i] === set.truth[row]).length;
}

async function sideBySide(pool: InferencePool, problem: Problem, settings: BaseSettings, seed: number): Promise<Head> {
  const joined = await joinGraph(pool, problem.features, { seed });
  const principal = await principalFeatures(pool, problem.features, seed);
  const { head } = await learn({ pool, joined, principal, seed }, problem, { method: 'metric', ...settings });
  return head;
}

interface Judged {
  /** Of the best guess, shape [test]. */
  readonly confidences: readonly number[];
  /** 1 where it was right. */
  readonly rights: readonly number[];
}

interface Measured {
  readonly figures: Record<string, number>;
  readonly judged: Judged;
}

/**
 * Calibration error on the test parts: the mean over seeds, that of all of them together, and what confidences that are
 * exactly right would show by chance on parts so small.
 */
function calibrationOf(judged: readonly Judged[]): Record<string, number> {
  const eceOf = ({ confidences, rights }: Judged) => expectedCalibrationError(confidences, rights) as number;
  const byChance = ({ confidences }: Judged) => calibrationErrorByChance(confidences) as number;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const together = {
    confidences: judged.flatMap(({ confidences }) => confidences),
    rights: judged.flatMap(({ rights }) => rights),
  };
  return {
    ece: rounded(mean(judged.map(eceOf)), 4),
    eceByChance: rounded(mean(judged.map(byChance)), 4),
    eceOfAllSeeds: rounded(eceOf(together), 4),
  };
}

/** The base model with the best of these settings. */
async function searched(
  context: LearnContext,
  problem: Problem,
  folds: Folds,
  candidates: readonly BaseSettings[],
): Promise<{ head: Head }> {
  const { best } = await searchBase(context, problem, folds, candidates);
  return { head: await baseHead(context, problem, best) };
}

function everyRow({ features }: Problem): number[] {
  return Array.from({ length: features.rows }, (_, row) => row);
}

/** FixMatch's threshold (Sohn et al., NeurIPS 2020). */
const SURE = 0.95;

/**
 * Consistency between views, as far as it goes with features that stay as they are: the head also learns that the views of
 * an item are what the teacher thinks of the item, where it is sure. The views of an item count as much as the item.
 */
async function consistent(
  pool: InferencePool,
  problem: Problem,
  beliefs: Matrix,
  augmentations: Augmentations,
): Promise<{ head: Head }> {
  const { features, classes } = problem;
  const count = augmentations.of.length / features.rows;
  const taught = augmentations.of.map((row, view) => {
    const belief = beliefs.data.subarray(row * classes, (row + 1) * classes);
    return Math.max(...belief) >= SURE ? view : -1;
  });
  const kept = taught.filter((view) => view >= 0);
  const weights = new Float32Array(features.rows + kept.length).fill(1 / count);
  weights.fill(1, 0, features.rows);
  const trainingSet = {
    features: stacked(features, gatherRows(augmentations.features, kept)),
    targets: stacked(
      beliefs,
      gatherRows(
        beliefs,
        kept.map((view) => augmentations.of[view]),
      ),
    ),
    weights,
  };
  return { head: { kind: 'linear', ...(await fitLinearHead(pool, trainingSet, { C: STUDENT_C })) } };
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
  const { heldOut, restTemperature } = await learnRounds(pool, { ...problem, labels }, { seed, methods: ['metric'] });
  const probabilities = softmaxRows(heldOut.logits, restTemperature);
  const doubt = Array.from(labels, (label, i) => 1 - probabilities.data[i * set.classes + label]);
  return { labelErrorAuroc: auroc(wrong, doubt) as number, labelErrorAuprc: averagePrecision(wrong, doubt) as number };
}
