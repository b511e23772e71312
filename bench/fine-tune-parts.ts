/**
 * What single parts of a training are worth to `teach rounds --fine-tune`: mixtures, smoothed targets, a running mean of the
 * weights, margins for rare classes, strong views, pseudo-labels from the mean of several methods, early stopping. Each is trained once with all
 * labels beside the same training without it (early stopping on the folds before), with the same share of its weights, and judged on
 * images that nothing has seen: accuracy, and the loss at the temperature that fits, which tells more on so few. Split as in
 * `teach`, 10 % of the labels.
 *
 * LABELSMITH_TUNING_SKEW makes what is learned from skewed: of the class of rank r stay 1 / r to this power of the largest's images,
 * labels alike; the test stays as it is. `mean over classes` is then printed too, where a rare class counts as much as a common one.
 *
 * LABELSMITH_TEACH_SETS, LABELSMITH_TEACH_SEEDS, LABELSMITH_FINE_TUNE_STEPS (one) and LABELSMITH_TUNING_PARTS name others.
 */
import { readFile } from 'node:fs/promises';
import { correctRows, fitTemperature, meanCrossEntropy } from '../src/math/calibration.ts';
import { headLogits } from '../src/math/heads/head.ts';
import { gatherRows, type Matrix } from '../src/math/matrix.ts';
import { type TunableEmbedder, tunableEmbedder } from '../src/models/tuning/tunable-embedder.ts';
import { parametersOf } from '../src/models/tuning/tunable-network.ts';
import { averaged } from '../src/models/tuning/tune.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { centreAndNormalise, meanOf as meanVector } from '../src/stages/embed/recipe.ts';
import { foldsOf } from '../src/stages/teach/cross-validation.ts';
import { beliefsByFold } from '../src/stages/teach/fine-tune/beliefs.ts';
import { embedRows } from '../src/stages/teach/fine-tune/embed-rows.ts';
import { FOLDS } from '../src/stages/teach/fine-tune/exit-gate.ts';
import { heldOutIn, trainFolds, trainLast } from '../src/stages/teach/fine-tune/fine-tune.ts';
import { trainOnce } from '../src/stages/teach/fine-tune/one-training.ts';
import { cutFor, STEP_NAMES, STEPS, type StepName, type TuningStep } from '../src/stages/teach/fine-tune/steps.ts';
import { wholeImage } from '../src/stages/teach/fine-tune/tuning-image.ts';
import { type PreparedTuning, prepareTuning } from '../src/stages/teach/fine-tune/tuning-set.ts';
import { learnRounds, type RoundsResult } from '../src/stages/teach/learn-rounds.ts';
import { type Problem, sampledRows } from '../src/stages/teach/problem.ts';
import {
  EMBEDDER,
  finished,
  type LabelledSet,
  loadLabelled,
  meanOf,
  problemOf,
  type Split,
  split,
} from './labelled-sets.ts';

type Part = Pick<
  TuningStep,
  'mixing' | 'smoothing' | 'averageDecay' | 'strongViews' | 'pseudoLabels' | 'margins' | 'patience'
>;

const PARTS: Readonly<Record<string, Part>> = {
  plain: {},
  mixup: { mixing: 'mixup' },
  cutmix: { mixing: 'cutmix' },
  smoothing: { smoothing: 0.1 },
  'mean of weights': { averageDecay: 0.95 },
  margins: { margins: 1 },
  'strong views': { strongViews: 2 },
  'pseudo-labels': { pseudoLabels: 'mean-of-methods' },
  'early stopping': { patience: 3 },
};

const SETS = (process.env.LABELSMITH_TEACH_SETS ?? 'electronics,flowers,caltech-30').split(',');
const SEEDS = (process.env.LABELSMITH_TEACH_SEEDS ?? '0').split(',').map(Number);
const ASKED = process.env.LABELSMITH_TUNING_PARTS?.split(',') ?? Object.keys(PARTS);
const DEPTH = depthNamed(process.env.LABELSMITH_FINE_TUNE_STEPS ?? 'all');
const SKEW = Number(process.env.LABELSMITH_TUNING_SKEW ?? 0);
const LABELLED = 0.1;
const SHARE = 0.6;
const MAX_TAUGHT = 1000;
const AUGMENT = { mirror: true, rotate: true };

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const embedder = await tunableEmbedder(EMBEDDER);
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await loadLabelled(name);
      const seeds: Record<string, number>[] = [];
      for (const seed of SEEDS) seeds.push(await measure(pool, { set, embedder, seed }));
      sets[name] = meanOf(seeds);
    }
    process.stderr.write(`${tableOf(sets).join('\n')}\n`);
    return { labels: LABELLED, depth: DEPTH, skew: SKEW, seeds: SEEDS, share: SHARE, sets };
  } finally {
    await pool.close();
  }
}

function depthNamed(asked: string): StepName {
  const found = STEP_NAMES.find((name) => name === asked);
  if (!found) throw new Error(`LABELSMITH_FINE_TUNE_STEPS is ${asked}, and not one of ${STEP_NAMES.join(', ')}`);
  return found;
}

/** What is printed of a part, after its name. */
const FIGURES = ['', ...(SKEW > 0 ? [', mean over classes'] : []), ', loss'];

/** As docs/teach.md has it. */
function tableOf(sets: Readonly<Record<string, Readonly<Record<string, number>>>>): string[] {
  const names = Object.keys(sets);
  const cells = (part: string) =>
    names.flatMap((set) => FIGURES.map((figure) => sets[set]?.[`${part}${figure}`]?.toFixed(3) ?? '')).join(' | ');
  return [
    `| | ${names.flatMap((name) => [name, ...FIGURES.slice(1).map((figure) => figure.slice(2))]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(names.length * FIGURES.length)}`,
    ...['frozen', ...ASKED].map((part) => `| ${part} | ${cells(part)} |`),
  ];
}

interface Measured {
  readonly set: LabelledSet;
  readonly embedder: TunableEmbedder;
  readonly seed: number;
}

async function measure(pool: InferencePool, { set, embedder, seed }: Measured): Promise<Record<string, number>> {
  const { labelled, unlabelled, test } = skewed(set, split(set, seed, LABELLED));
  const rows = [...labelled, ...unlabelled].sort((a, b) => a - b);
  const features = finished(set, rows);
  const problem = problemOf(set, features, labelled, unlabelled);
  const truth = Int32Array.from(test, (row) => set.truth[row] ?? 0);
  const result: Record<string, number> = {};
  const judge = async (name: string, { head }: RoundsResult, vectors: Matrix) => {
    const logits = await headLogits(pool, head, vectors);
    const correct = correctRows(logits, truth);
    result[name] = correct.reduce((sum, one) => sum + one, 0) / truth.length;
    result[`${name}, mean over classes`] = meanOverClasses(correct, truth, set.classes);
    result[`${name}, loss`] = meanCrossEntropy(logits, truth, fitTemperature(logits, truth));
    const figures = FIGURES.map((figure) => result[`${name}${figure}`]?.toFixed(3));
    process.stderr.write(`  ${set.name} seed ${seed} ${name}: ${figures.join(' ')}\n`);
  };
  const frozen = await learnRounds(pool, problem, { seed, folds: FOLDS });
  await judge('frozen', frozen, gatherRows(features, test));
  const prepared = new Map<number, PreparedTuning>();
  for (const name of ASKED) {
    const startedAt = performance.now();
    const step: TuningStep = { ...STEPS[DEPTH], ...PARTS[name] };
    const vectors = await tunedVectors(pool, { set, embedder, seed }, { problem, rows, test, step, frozen, prepared });
    const methods = frozen.method === 'base' ? [] : [frozen.method];
    const options = { seed, folds: FOLDS, methods };
    await judge(name, await learnRounds(pool, { ...problem, features: vectors.taught }, options), vectors.tested);
    result[`${name}, seconds`] = (performance.now() - startedAt) / 1000;
  }
  return result;
}

/** Of the class of rank r, by size among what is learned from, 1 / r to the power of the skew of the largest's labels and images. */
function skewed({ truth, classes }: LabelledSet, { labelled, unlabelled, test }: Split): Split {
  if (SKEW === 0) return { labelled, unlabelled, test };
  const ofClass = (rows: readonly number[], c: number) => rows.filter((row) => truth[row] === c);
  const sizeOf = (c: number) => ofClass(labelled, c).length + ofClass(unlabelled, c).length;
  const ranked = Array.from({ length: classes }, (_, c) => c).sort((a, b) => sizeOf(b) - sizeOf(a) || a - b);
  const most = sizeOf(ranked[0] ?? 0);
  const kept = (rows: readonly number[]) =>
    ranked.flatMap((c, rank) => {
      const own = ofClass(rows, c);
      const wanted = (most * own.length) / (sizeOf(c) * (rank + 1) ** SKEW);
      return own.slice(0, Math.max(2, Math.round(wanted)));
    });
  return { labelled: kept(labelled), unlabelled: kept(unlabelled), test };
}

/** The share of a class that was right, the mean over the classes of which there is any. */
function meanOverClasses(correct: Uint8Array, truth: Int32Array, classes: number): number {
  const shares: number[] = [];
  for (let c = 0; c < classes; c++) {
    const own = correct.filter((_, i) => truth[i] === c);
    if (own.length > 0) shares.push(own.reduce((sum, one) => sum + one, 0) / own.length);
  }
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

interface Training {
  readonly problem: Problem;
  /** Of the set, by row of the problem. */
  readonly rows: readonly number[];
  readonly test: readonly number[];
  readonly step: TuningStep;
  readonly frozen: RoundsResult;
  /** By the number of strong views: pixels are made once for all trainings on them. */
  readonly prepared: Map<number, PreparedTuning>;
}

async function tunedVectors(
  pool: InferencePool,
  { set, embedder, seed }: Measured,
  { problem, rows, test, step, frozen, prepared }: Training,
): Promise<{ readonly taught: Matrix; readonly tested: Matrix }> {
  const openRow = async (row: number) => wholeImage(await readFile(set.files[row]?.path ?? ''));
  const taught = sampledRows(problem, MAX_TAUGHT, seed);
  const setRowOf = (image: number) => rows[taught[image] ?? 0] ?? 0;
  const images = {
    ids: Array.from(taught, (_, i) => set.files[setRowOf(i)]?.id ?? ''),
    open: (image: number) => openRow(setRowOf(image)),
  };
  const { strongViews = 0 } = step;
  const cut = cutFor(embedder.network, step);
  const views =
    prepared.get(strongViews) ??
    (await prepareTuning(pool, embedder, images, { cut, augment: AUGMENT, strongViews, seed }));
  prepared.set(strongViews, views);
  const teacher = { method: frozen.method, ...frozen.settings };
  const folds = foldsOf(problem, FOLDS, seed);
  const { pseudoLabels } = step;
  const beliefsWithout = beliefsByFold(
    pool,
    { frozen: problem, taught, folds, teacher, seed, pseudoLabels },
    new Map(),
  );
  const beliefs = await beliefsWithout(folds.count);
  const request = { embedder, step, prepared: views, beliefs, seed };
  const heldOutOf = (fold: number) => heldOutIn(problem, taught, folds, fold);
  const data = { folds: folds.count, beliefsWithout, heldOutOf };
  const tuned =
    step.patience === undefined
      ? await trainOnce(pool, request)
      : await trainLast(pool, request, data, await trainFolds(pool, request, data));
  process.stderr.write(`  ${tuned.losses.length} steps\n`);
  const before = parametersOf(embedder.network, cut.trainables);
  const network = embedder.compose(averaged(before, tuned.parameters, SHARE));
  const wanted = [Int32Array.from(rows), Int32Array.from(test)].map((some) => ({ embedder: network, rows: some }));
  const [ofTaught, ofTest] = await embedRows(pool, wanted, { columns: set.vectors.columns, open: openRow });
  if (!ofTaught || !ofTest) throw new Error('two parts of a set');
  const mean = meanVector(ofTaught);
  for (const matrix of [ofTaught, ofTest]) centreAndNormalise(matrix, set, mean);
  return { taught: ofTaught, tested: ofTest };
}
