/**
 * Whether the accuracy that `teach rounds` states is true: over sets, budgets and seeds, with labels drawn at random and
 * labels picked by `teach select`, the share of runs in which the stated 95 % interval holds what the truth turns out to be,
 * for the classifier on the unlabelled rest (`newImages`) and for the labels that the machine gave (`labels`).
 *
 * Vectors are those of the piles' cache. `LABELSMITH_BENCH_SETS` names other sets, `LABELSMITH_BENCH_SEEDS` how many seeds.
 */
import { sampleIndices, seededRandom } from '../src/core/random.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import type { Matrix } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { familiarityOf } from '../src/stages/teach/familiarity.ts';
import type { Annotation } from '../src/stages/teach/items.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { selectItems } from '../src/stages/teach/select.ts';
import { type StatedAccuracy, taughtAccuracy } from '../src/stages/teach/stated-accuracy.ts';
import { DEFAULT_THRESHOLD, scaleRows } from '../src/stages/teach/teach.ts';
import { type FinishedSet, finishedSet } from './piles/finished.ts';
import { setsHere } from './piles/vectors.ts';
import { rounded } from './process.ts';

const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',') ?? [
  'pc-parts',
  'electronics',
  'trash',
  'flowers',
  'satellite',
];
const SEEDS = Number(process.env.LABELSMITH_BENCH_SEEDS ?? 5);
const SHARES = [0.05, 0.1];
const DRAWN = ['random', 'picked'] as const;
type Drawn = (typeof DRAWN)[number];

interface Run {
  readonly set: string;
  readonly drawn: Drawn;
  readonly labels: number;
  readonly newImages: Held | null;
  readonly machine: Held | null;
}

interface Held {
  readonly stated: number;
  readonly low: number;
  readonly high: number;
  readonly truth: number;
  readonly holds: boolean;
}

export async function run(): Promise<unknown> {
  const here = new Set(setsHere());
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const runs: Run[] = [];
    for (const name of SETS.filter((one) => here.has(one))) {
      const set = await finishedSet(name);
      for (const share of SHARES) {
        for (const drawn of DRAWN) {
          for (let seed = 0; seed < SEEDS; seed++) runs.push(await measure(pool, set, { share, drawn, seed }));
        }
      }
      process.stderr.write(`  ${name} ${JSON.stringify(summary(runs.filter((one) => one.set === name)))}\n`);
    }
    return { all: summary(runs), runs };
  } finally {
    await pool.close();
  }
}

async function measure(
  pool: InferencePool,
  { name, classes, classNames, features }: FinishedSet,
  { share, drawn, seed }: { readonly share: number; readonly drawn: Drawn; readonly seed: number },
): Promise<Run> {
  const { rows } = features;
  const groups = Array.from({ length: rows }, (_, row) => String(row));
  const count = Math.round(share * rows);
  const labelled =
    drawn === 'random'
      ? sampleIndices(rows, count, seededRandom(seed, 'honesty'))
      : await picked(pool, features, groups, count, seed);
  const present = [...new Set(Array.from(labelled, (row) => classes[row]))].sort((a, b) => a - b);
  const problem = {
    features,
    groups,
    labelled,
    labels: labelled.map((row) => present.indexOf(classes[row])),
    classes: present.length,
  };
  const { probabilities, folds } = await learnRounds(pool, problem, { seed });
  scaleRows(probabilities, (await familiarityOf(pool, problem, folds)).known);
  const names = present.map((c) => classNames[c]);
  const annotations: Annotation[] = groups.map(() => ({ kind: 'nothing' }));
  for (const row of labelled)
    annotations[row] = { kind: 'class', className: classNames[classes[row]], origin: 'human' };
  const { newImages, labels } = taughtAccuracy({
    items: { ids: groups, annotations, randomAudit: new Set() },
    labelledTask: { classNames: names, problem },
    probabilities,
    threshold: DEFAULT_THRESHOLD,
    labelRest: true,
    picked: drawn === 'picked',
  });
  const best = argMaxRows(probabilities);
  const rest = annotations.flatMap(({ kind }, row) => (kind === 'nothing' ? [row] : []));
  const given = rest.filter((row) => probabilities.data[row * present.length + best[row]] >= DEFAULT_THRESHOLD);
  const accuracyOf = (some: readonly number[]) =>
    some.filter((row) => present[best[row]] === classes[row]).length / some.length;
  return {
    set: name,
    drawn,
    labels: count,
    newImages: newImages && held(newImages, accuracyOf(rest)),
    machine: labels && held(labels, accuracyOf(given)),
  };
}

async function picked(
  pool: InferencePool,
  features: Matrix,
  groups: readonly string[],
  count: number,
  seed: number,
): Promise<Int32Array> {
  const problem = {
    features,
    groups,
    labelled: new Set<number>(),
    excluded: new Set<number>(),
    classes: 0,
    probabilities: null,
  };
  const chosen = await selectItems(pool, problem, { count, seed });
  return Int32Array.from(chosen, ({ row }) => row).sort();
}

function held({ accuracy, interval: [low, high] }: StatedAccuracy, truth: number): Held {
  return {
    stated: rounded(accuracy),
    low: rounded(low),
    high: rounded(high),
    truth: rounded(truth),
    holds: low <= truth && truth <= high,
  };
}

function summary(runs: readonly Run[]): Record<string, unknown> {
  const of = (drawn: Drawn, what: 'newImages' | 'machine') => {
    const known = runs.flatMap((one) => (one.drawn === drawn && one[what] ? [one[what]] : []));
    const mean = (value: (one: Held) => number) =>
      rounded(known.reduce((sum, one) => sum + value(one), 0) / known.length);
    return {
      runs: known.length,
      hold: known.filter(({ holds }) => holds).length,
      stated: mean(({ stated }) => stated),
      truth: mean(({ truth }) => truth),
      width: mean(({ low, high }) => high - low),
    };
  };
  return Object.fromEntries(
    DRAWN.map((drawn) => [drawn, { newImages: of(drawn, 'newImages'), machine: of(drawn, 'machine') }]),
  );
}
