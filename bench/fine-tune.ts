/**
 * `teach rounds --fine-tune` on labelled sets, from 10 % of the labels, on images that nothing has seen: what each depth is
 * worth, and what the exit gate makes of it. Split as in `teach`. `frozen` is `teach rounds` as it is, `every label` the
 * same with all images labelled that are not tested, `one view, every label` a head on vectors of one view; a depth's figure
 * is that of its first round with the same methods on its vectors, whether or not cross-validation would keep it; `kept` is
 * what comes out with all these depths and further rounds of the best, by the gate of `teach rounds`. Figures of each round
 * are in the lines of the sets.
 * LABELSMITH_TEACH_EMBEDDER, LABELSMITH_TEACH_SETS, LABELSMITH_TEACH_SEEDS, LABELSMITH_FINE_TUNE_STEPS and
 * LABELSMITH_FINE_TUNE_LABELS (a share, or `10each`: ten labels of every class) name others.
 */
import { readFile } from 'node:fs/promises';
import { argMaxRows } from '../src/math/calibration.ts';
import { headLogits } from '../src/math/heads/head.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../src/math/matrix.ts';
import { tunableEmbedder } from '../src/models/tuning/tunable-embedder.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { float32Data, uint8 } from '../src/onnx/tensor.ts';
import { centreAndNormalise } from '../src/stages/embed/recipe.ts';
import { pixelsFor } from '../src/stages/item-pixels.ts';
import { attemptsOf, MAX_ROUNDS } from '../src/stages/teach/fine-tune/attempts.ts';
import {
  baseFigures,
  comparedFigures,
  FOLDS,
  type GateFigures,
  gateFigures,
  isBetter,
  isSound,
  rightOf,
} from '../src/stages/teach/fine-tune/exit-gate.ts';
import {
  type FineTuned,
  type KnownOfTask,
  learnsFromBeliefs,
  tuneFolds,
} from '../src/stages/teach/fine-tune/fine-tune.ts';
import { type DepthRound, roundText, STEP_NAMES } from '../src/stages/teach/fine-tune/steps.ts';
import { wholeImage } from '../src/stages/teach/fine-tune/tuning-image.ts';
import { compareMethods, finishRounds, learnRounds, type RoundsResult } from '../src/stages/teach/learn-rounds.ts';
import type { Problem } from '../src/stages/teach/problem.ts';
import {
  EMBEDDER,
  finished,
  type LabelledSet,
  labellingOf,
  loadLabelled,
  meanOf,
  problemOf,
  split,
} from './labelled-sets.ts';

const SETS = (process.env.LABELSMITH_TEACH_SETS ?? 'caltech-30,electronics,flowers').split(',');
const SEEDS = (process.env.LABELSMITH_TEACH_SEEDS ?? '0,1,2').split(',').map(Number);
const ASKED = process.env.LABELSMITH_FINE_TUNE_STEPS?.split(',');
const DEPTHS = STEP_NAMES.filter((name) => ASKED?.includes(name) ?? name !== 'bias');
const LABELLING = labellingOf(process.env.LABELSMITH_FINE_TUNE_LABELS ?? '0.1');

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: 2 });
  try {
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await loadLabelled(name);
      const seeds: Record<string, number>[] = [];
      for (const seed of SEEDS) seeds.push(await measure(pool, set, seed));
      sets[name] = meanOf(seeds);
    }
    const mean = meanOf(Object.values(sets));
    process.stderr.write(`${tableOf({ ...sets, mean }).join('\n')}\n`);
    return { labels: LABELLING, seeds: SEEDS, sets, mean };
  } finally {
    await pool.close();
  }
}

/** As docs/teach.md has it. */
function tableOf(rows: Readonly<Record<string, Readonly<Record<string, number>>>>): string[] {
  const columns = ['frozen', ...DEPTHS, 'kept', 'one view, every label', 'every label'];
  return [
    `| set | ${columns.join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length)}`,
    ...Object.entries(rows).map(
      ([name, figures]) => `| ${name} | ${columns.map((column) => figures[column]?.toFixed(3) ?? '').join(' | ')} |`,
    ),
  ];
}

async function measure(pool: InferencePool, set: LabelledSet, seed: number): Promise<Record<string, number>> {
  const { labelled, unlabelled, test } = split(set, seed, LABELLING);
  const rows = [...labelled, ...unlabelled].sort((a, b) => a - b);
  const features = finished(set, rows);
  const problem = problemOf(set, features, labelled, unlabelled);
  const frozen = await learnRounds(pool, problem, { seed });
  const truth = test.map((row) => set.truth[row]);
  const accuracyOf = async ({ head }: RoundsResult, vectors: Matrix) => {
    const best = argMaxRows(await headLogits(pool, head, vectors));
    return truth.filter((label, i) => label === best[i]).length / truth.length;
  };
  const whole = problemOf(set, features, rows, []);
  const testFeatures = gatherRows(features, test);
  const result: Record<string, number> = {
    frozen: await accuracyOf(frozen, testFeatures),
    'every label': await accuracyOf(await learnRounds(pool, whole, { seed, methods: [] }), testFeatures),
    'one view, every label': await accuracyOf(
      await learnRounds(pool, problemOf(set, set.single, rows, []), { seed, methods: [] }),
      gatherRows(set.single, test),
    ),
  };
  const embedder = await tunableEmbedder(EMBEDDER);
  const request = {
    embedder,
    problem,
    seed,
    blocks: set.blocks,
    folds: FOLDS,
    ids: rows.map((row) => set.files[row]?.id ?? ''),
    open: async (row: number) => wholeImage(await readFile(set.files[rows[row] ?? 0]?.path ?? '')),
  };
  const methods = frozen.method === 'base' ? [] : [frozen.method];
  const alike = await learnRounds(pool, problem, { seed, methods, folds: FOLDS });
  const before = gateFigures(alike, problem.labels);
  const frozenBase = await baseFigures(pool, problem, { seed });
  const known: KnownOfTask = { beliefs: new Map() };
  let best: Kept = { ...before, accuracy: result.frozen ?? 0, tried: null, learned: frozen };
  const attempts = attemptsOf(DEPTHS, { isHurried: false, rounds: learnsFromBeliefs(problem) ? MAX_ROUNDS : 1 });
  for (let one = attempts.next(null); one; one = attempts.next(best.tried)) {
    const startedAt = performance.now();
    const name = roundText(one);
    const believedBy = one.round > 1 ? best.sample : undefined;
    const { method, settings } = one.round > 1 ? best.learned : frozen;
    const folds = await tuneFolds(pool, {
      ...request,
      step: one.step,
      teacher: { method, ...settings },
      believedBy,
      known,
    });
    const compared = await compareMethods(pool, folds.judged, { seed, folds: FOLDS });
    const figures = comparedFigures(compared, problem.labels);
    result[`${name}, right held out`] = (rightOf(figures) - rightOf(before)) / problem.labels.length;
    result[`${name}, loss held out`] = figures.loss - before.loss;
    // As in `teach rounds`, but for first rounds, of which the table has all.
    if (one.round > 1 && !isBetter(figures, best)) continue;
    const tuned = await folds.finish();
    const learned = await finishRounds(pool, { problem: tuned.sample, whole: tuned.problem }, compared);
    const accuracy = await accuracyOf(learned, await testVectors(pool, set, test, tuned));
    const isKept = isBetter(figures, best) && (await isSound(pool, tuned, frozenBase, { seed }));
    result[name] = accuracy;
    result[`${name}, kept`] = Number(isKept);
    result[`${name}, share`] = tuned.share;
    result[`${name}, seconds`] = (performance.now() - startedAt) / 1000;
    if (isKept) best = { ...figures, accuracy, tried: one, learned, sample: tuned.sample };
  }
  result.kept = best.accuracy;
  process.stderr.write(`  ${set.name} seed ${seed}: ${JSON.stringify(result)}\n`);
  return result;
}

/** What the exit gate left standing so far. */
interface Kept extends GateFigures {
  /** On images that nothing has seen. */
  readonly accuracy: number;
  /** Null: the embedder as it is. */
  readonly tried: DepthRound | null;
  readonly learned: RoundsResult;
  readonly sample?: Problem;
}

async function testVectors(
  pool: InferencePool,
  set: LabelledSet,
  test: readonly number[],
  tuned: FineTuned,
): Promise<Matrix> {
  const { key, model, input } = tuned.embedder;
  const loaded = await pool.load(model, { key });
  const columns = tuned.mean.length;
  const vectors = newSharedMatrix(test.length, columns);
  for (const [i, row] of test.entries()) {
    const pixels = await pixelsFor(await readFile(set.files[row]?.path ?? ''), input);
    const { embedding } = await pool.run(loaded, { pixels: uint8(pixels, [1, input.height, input.width, 3]) });
    vectors.data.set(float32Data(embedding, 'embedding'), i * columns);
  }
  await pool.unload(loaded);
  centreAndNormalise(vectors, set, tuned.mean);
  return vectors;
}
