/**
 * Whether the accuracy that `teach rounds` states is true: over sets, budgets and seeds, with labels drawn at random and
 * labels picked by `teach select`, the share of runs in which the stated 95 % interval holds what the truth turns out to be,
 * for the classifier on the unlabelled rest (`newImages`) and for the labels that the machine gave (`machine`); and how wide
 * the interval is. Every step is that of `teach rounds`, with groups as `add` finds them. A table goes to stderr.
 *
 * Vectors are those of the piles' cache. `LABELSMITH_BENCH_SETS` names other sets, `LABELSMITH_BENCH_SEEDS` how many seeds,
 * `LABELSMITH_BENCH_FIRST_SEED` the first of them, `LABELSMITH_BENCH_SHARES` the shares that are labelled,
 * `LABELSMITH_BENCH_THREADS` how many threads; with `LABELSMITH_BENCH_CLASSES=6` each seed draws six classes of a set, a pile
 * of its own. All take half an hour on two cores. The constants of the estimate were chosen on the sets below;
 * caltech-30, cifar10-test and plankton had no part in it.
 */
import type { StatedShare } from '../src/core/label-accuracy.ts';
import { sampleIndices, seededRandom, shuffled } from '../src/core/random.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import type { Matrix } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { familiarityOf, scaleRows } from '../src/stages/teach/familiarity.ts';
import { withGroupAnswers } from '../src/stages/teach/label-rest.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import type { Annotation } from '../src/stages/teach/said.ts';
import { selectItems } from '../src/stages/teach/select.ts';
import { taughtAccuracy } from '../src/stages/teach/stated-accuracy.ts';
import { DEFAULT_THRESHOLD } from '../src/stages/teach/teach.ts';
import { type FinishedSet, finishedSet } from './piles/finished.ts';
import { setsHere } from './piles/vectors.ts';
import { rounded } from './process.ts';

const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',') ?? [
  'pc-parts',
  'electronics',
  'trash',
  'flowers',
  'satellite',
  'household',
  'euro-coins',
  'monkeys',
  'steel-strip',
  'cartons',
];
const SEEDS = Number(process.env.LABELSMITH_BENCH_SEEDS ?? 2);
const FIRST_SEED = Number(process.env.LABELSMITH_BENCH_FIRST_SEED ?? 0);
const SHARES = (process.env.LABELSMITH_BENCH_SHARES ?? '.05,.1').split(',').map(Number);
const CLASSES = Number(process.env.LABELSMITH_BENCH_CLASSES ?? Number.POSITIVE_INFINITY);
const THREADS = Number(process.env.LABELSMITH_BENCH_THREADS ?? 2);
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
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const runs: Run[] = [];
    for (const name of SETS.filter((one) => here.has(one))) {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const set = await finishedSet(name, (classNames) => drawnClasses(classNames, seed));
        for (const share of SHARES) {
          for (const drawn of DRAWN) {
            const one = await measure(pool, set, { share, drawn, seed });
            process.stderr.write(`    ${JSON.stringify(one)}\n`);
            runs.push(one);
          }
        }
      }
      process.stderr.write(`  ${name} ${JSON.stringify(summary(runs.filter((one) => one.set === name)))}\n`);
    }
    process.stderr.write(`${table(runs)}\n`);
    return { all: summary(runs), runs };
  } finally {
    await pool.close();
  }
}

function drawnClasses(classNames: readonly string[], seed: number): readonly string[] {
  return shuffled(classNames, seededRandom(seed, 'classes')).slice(0, CLASSES);
}

async function measure(
  pool: InferencePool,
  { name, classes, classNames, features, groups }: FinishedSet,
  { share, drawn, seed }: { readonly share: number; readonly drawn: Drawn; readonly seed: number },
): Promise<Run> {
  const { rows } = features;
  const ids = Array.from({ length: rows }, (_, row) => String(row));
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
  const { known, knownHeldOut } = await familiarityOf(pool, problem, folds);
  scaleRows(probabilities, known);
  const names = present.map((c) => classNames[c]);
  const annotations: Annotation[] = ids.map(() => ({ kind: 'nothing' }));
  for (const row of labelled)
    annotations[row] = { kind: 'class', className: classNames[classes[row]], origin: 'human' };
  withGroupAnswers(probabilities, { annotations, groups }, names);
  const { newImages, labels } = taughtAccuracy({
    items: { ids, annotations, audit: new Set(), randomAudit: new Set() },
    labelledTask: { classNames: names, problem },
    probabilities,
    known,
    knownHeldOut,
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

function held({ accuracy, interval: [low, high] }: StatedShare, truth: number): Held {
  return {
    stated: rounded(accuracy),
    low: rounded(low),
    high: rounded(high),
    truth: rounded(truth),
    holds: low <= truth && truth <= high,
  };
}

/** A row a question and way of drawing, over all sets; what is asked is that 18 of 20 hold. */
function table(runs: readonly Run[]): string {
  const all = summary(runs);
  const rows = DRAWN.flatMap((drawn) =>
    (['newImages', 'machine'] as const).map((what) => {
      const { runs: count, hold, stated, truth, width } = all[drawn][what];
      return `  ${drawn.padEnd(6)} ${what.padEnd(9)} ${hold}/${count} hold, stated ${stated}, true ${truth}, width ${width}`;
    }),
  );
  return rows.join('\n');
}

interface Summary {
  readonly runs: number;
  readonly hold: number;
  readonly stated: number;
  readonly truth: number;
  readonly width: number;
}

function summary(runs: readonly Run[]): Record<Drawn, Record<'newImages' | 'machine', Summary>> {
  const of = (drawn: Drawn, what: 'newImages' | 'machine'): Summary => {
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
  const both = (drawn: Drawn) => ({ newImages: of(drawn, 'newImages'), machine: of(drawn, 'machine') });
  return { random: both('random'), picked: both('picked') };
}
