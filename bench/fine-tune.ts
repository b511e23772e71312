/**
 * `teach rounds --fine-tune` on labelled sets, from 10 % of the labels, on images that nothing has seen: what each depth is
 * worth, and what the exit gate makes of it. Split as in `teach`. `frozen` is `teach rounds` as it is, `every label` the
 * same with all images labelled that are not tested; a depth's figure is with the same methods on its vectors, whether or not
 * cross-validation would keep it; `kept` is what comes out with that depth, by the gate of `teach rounds`.
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
import { baseFigures, FOLDS, gateFigures, isBetter, isSound } from '../src/stages/teach/fine-tune/exit-gate.ts';
import { type FineTuned, fineTune, type KnownOfTask } from '../src/stages/teach/fine-tune/fine-tune.ts';
import { STEP_NAMES } from '../src/stages/teach/fine-tune/steps.ts';
import { wholeImage } from '../src/stages/teach/fine-tune/tuning-image.ts';
import { learnRounds, type RoundsResult } from '../src/stages/teach/learn-rounds.ts';
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
  const columns = ['frozen', ...DEPTHS.flatMap((step) => [step, `${step}, kept`]), 'every label'];
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
  };
  const methods = frozen.method === 'base' ? [] : [frozen.method];
  const alike = await learnRounds(pool, problem, { seed, methods, folds: FOLDS });
  const frozenBase = await baseFigures(pool, problem, { seed });
  const embedder = await tunableEmbedder(EMBEDDER);
  const known: KnownOfTask = { beliefs: new Map() };
  for (const step of DEPTHS) {
    const startedAt = performance.now();
    const tuned = await fineTune(pool, {
      embedder,
      problem,
      step,
      seed,
      blocks: set.blocks,
      folds: FOLDS,
      known,
      ids: rows.map((row) => set.files[row]?.id ?? ''),
      open: async (row) => wholeImage(await readFile(set.files[rows[row] ?? 0]?.path ?? '')),
      teacher: { method: frozen.method, ...frozen.settings },
    });
    const learned = await learnRounds(pool, tuned.problem, { seed, folds: FOLDS, sample: tuned.sample });
    const accuracy = await accuracyOf(learned, await testVectors(pool, set, test, tuned));
    result[step] = accuracy;
    const [before, after] = [alike, learned].map((one) => gateFigures(one, problem.labels));
    if (before && after) {
      const sound = await isSound(pool, tuned, frozenBase, { seed });
      result[`${step}, kept`] = sound && isBetter(after, before) ? accuracy : (result.frozen ?? 0);
      result[`${step}, sound`] = Number(sound);
      result[`${step}, loss held out`] = after.loss - before.loss;
    }
    result[`${step}, right held out`] = learned.heldOut.accuracy - alike.heldOut.accuracy;
    result[`${step}, share`] = tuned.share;
    result[`${step}, seconds`] = (performance.now() - startedAt) / 1000;
  }
  process.stderr.write(`  ${set.name} seed ${seed}: ${JSON.stringify(result)}\n`);
  return result;
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
