/**
 * Images of classes that nobody taught: of eight classes of a set, or all where it has fewer, a quarter has no label; six
 * images of each other class have one. How well the neighbour graph tells such images from the rest, against the classifier's
 * confidence (area under the ROC curve), and what `familiarityOf` doubts of either. Every set, three seeds.
 * `LABELSMITH_BENCH_LABELS` labels of a class and `LABELSMITH_BENCH_CLASSES` classes take the place of six and eight, and
 * `LABELSMITH_BENCH_SETS` of all sets; `doubtedAllTaught` is what is doubted where all of these classes have labels.
 */
import { seededRandom, shuffled } from '../src/core/random.ts';
import { gatherRows } from '../src/math/matrix.ts';
import { auroc } from '../src/math/metrics/ranking.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { familiarityOf, reachOfItems } from '../src/stages/teach/familiarity.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { meanOf } from './labelled-sets.ts';
import { type FinishedSet, finishedSet } from './piles/finished.ts';
import { setsHere } from './piles/vectors.ts';

const SEEDS = [0, 1, 2];
const MAX_CLASSES = Number(process.env.LABELSMITH_BENCH_CLASSES ?? 8);
const IMAGES_OF_A_CLASS = 40;
const LABELS_OF_A_CLASS = Number(process.env.LABELSMITH_BENCH_LABELS ?? 6);
const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',') ?? setsHere();

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await finishedSet(name);
      const runs = [];
      for (const seed of SEEDS) {
        const { doubtedTaught: doubtedAllTaught } = await measure(pool, set, seed, { isAllTaught: true });
        runs.push({ ...(await measure(pool, set, seed)), doubtedAllTaught });
      }
      sets[name] = meanOf(runs);
      process.stderr.write(`  ${name} ${JSON.stringify(sets[name])}\n`);
    }
    return { seeds: SEEDS, sets, mean: meanOf(Object.values(sets)) };
  } finally {
    await pool.close();
  }
}

async function measure(
  pool: InferencePool,
  set: FinishedSet,
  seed: number,
  { isAllTaught = false } = {},
): Promise<Record<string, number>> {
  const random = seededRandom(seed, 'open-set');
  const chosen = shuffled([...set.classNames.keys()], random).slice(0, MAX_CLASSES);
  const foreign = new Set(isAllTaught ? [] : chosen.slice(0, Math.max(1, Math.floor(chosen.length / 4))));
  const taught = chosen.filter((c) => !foreign.has(c));
  const rows: number[] = [];
  const labelled: number[] = [];
  for (const c of chosen) {
    const images = [...set.classes.keys()].filter((row) => set.classes[row] === c);
    for (const [i, row] of shuffled(images, random).slice(0, IMAGES_OF_A_CLASS).entries()) {
      if (!foreign.has(c) && i < LABELS_OF_A_CLASS) labelled.push(rows.length);
      rows.push(row);
    }
  }
  const classOf = rows.map((row) => set.classes[row]);
  const problem = {
    features: gatherRows(set.features, rows),
    groups: rows.map(String),
    labelled: Int32Array.from(labelled),
    labels: Int32Array.from(labelled, (at) => taught.indexOf(classOf[at])),
    classes: taught.length,
  };
  const { probabilities, folds } = await learnRounds(pool, problem, { seed, methods: [] });
  const { known } = await familiarityOf(pool, problem, folds);
  const reach = await reachOfItems(pool, problem.features, [labelled]);
  const isLabelled = new Set(labelled);
  const rest = [...rows.keys()].filter((at) => !isLabelled.has(at));
  const ofTaught = rest.map((at) => !foreign.has(classOf[at]));
  const confidence = (at: number) => {
    const { data, columns } = probabilities;
    return data.subarray(at * columns, (at + 1) * columns).reduce((most, value) => Math.max(most, value), 0);
  };
  const doubted = (wanted: boolean) => {
    const some = rest.filter((_, i) => ofTaught[i] === wanted);
    return some.filter((at) => known[at] < 1).length / some.length;
  };
  return {
    aurocOfReach: areaOf(
      rest.map((at) => reach[at]),
      ofTaught,
    ),
    aurocOfConfidence: areaOf(rest.map(confidence), ofTaught),
    doubtedForeign: doubted(false),
    doubtedTaught: doubted(true),
  };
}

function areaOf(scores: readonly number[], positive: readonly boolean[]): number {
  return auroc(positive.map(Number), scores) ?? Number.NaN;
}
