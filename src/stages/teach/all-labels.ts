/**
 * A head from every label of a large pile, where some of them alone fit into memory: a discriminant from sums. It is judged on the
 * labels in memory, fold by fold as every other method, by heads that saw no label of the fold, in memory or not; so whether it is
 * better than what was learned from fewer labels is told on the same items.
 */
import type { ItemId } from '../../core/ids.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { fitTemperature, meanCrossEntropy, softmaxRows } from '../../math/calibration.ts';
import { addedStatistics, type ClassStatistics, discriminantHead } from '../../math/heads/discriminant.ts';
import { type LinearHead, logitsOf } from '../../math/heads/linear-head.ts';
import { gatherRows, type Matrix, newSharedMatrix, rowsOf } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { lotOf } from '../discover/sample.ts';
import { type Folds, scoreHeldOut } from './cross-validation.ts';
import type { LabelledTask, TaskItems, WholePile } from './items.ts';
import type { LearnedOfAll, RoundsOptions, RoundsResult } from './learn-rounds.ts';
import { type LabelledPile, statisticsOfPile } from './statistics-stage.ts';

/** Of the covariance; which of them is told by held-out labels. */
const SHRINKAGES = [0.01, 0.03, 0.1, 0.3];

/** What was learned, or the discriminant in its place where more of the held-out labels are right with it. */
export async function withAllLabels(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  { groups, whole }: Pick<TaskItems, 'groups' | 'whole'>,
  { problem, classNames }: Pick<LabelledTask, 'problem' | 'classNames'>,
  learned: RoundsResult,
  onStep?: RoundsOptions['onStep'],
): Promise<LearnedOfAll> {
  if (!whole || whole.learned === whole.learnable.length) return learned;
  const startedAt = performance.now();
  const labelled = labelledPile({ groups, whole }, { problem, classNames }, learned.folds);
  const ofFolds = await statisticsOfPile(job, pool, whole, labelled);
  const { best, all } = await bestShrinkage(pool, problem, learned, ofFolds);
  const temperature = fitTemperature(best.logits, problem.labels);
  const places = Array.from(problem.labelled, (_, place) => place);
  const heldOut = { logits: best.logits, places, ...scoreHeldOut(best.logits, problem.labels, places) };
  const step = {
    method: 'discriminant' as const,
    folds: learned.folds.count,
    accuracy: heldOut.accuracy,
    loss: meanCrossEntropy(best.logits, problem.labels, temperature),
    temperature,
    elapsedMs: Math.round(performance.now() - startedAt),
  };
  onStep?.(step);
  const steps = [...learned.steps, step];
  if (heldOut.accuracy <= learned.heldOut.accuracy) return { ...learned, steps };
  const head = { kind: 'linear' as const, ...discriminantHead(all, best.shrinkage) };
  const probabilities = softmaxRows(await logitsOf(pool, head, problem.features), temperature);
  const honest = softmaxRows(best.logits, temperature);
  for (const [place, row] of problem.labelled.entries()) {
    probabilities.data.set(rowsOf(honest, place, place + 1).data, row * problem.classes);
  }
  // It learned from labelled items alone, so it is as sure of the others as of new images.
  const temperatures = { temperature, restTemperature: temperature };
  return { ...learned, method: 'discriminant', head, ...temperatures, probabilities, heldOut, steps };
}

async function bestShrinkage(
  pool: InferencePool,
  problem: LabelledTask['problem'],
  { folds }: Pick<RoundsResult, 'folds'>,
  ofFolds: readonly ClassStatistics[],
): Promise<{ readonly best: { readonly shrinkage: number; readonly logits: Matrix }; readonly all: ClassStatistics }> {
  const { labels, classes } = problem;
  const all = ofFolds.reduce(addedStatistics);
  const withoutFold = ofFolds.map((_, fold) => ofFolds.filter((_, other) => other !== fold).reduce(addedStatistics));
  let best: { shrinkage: number; logits: Matrix; accuracy: number; loss: number } | undefined;
  for (const shrinkage of SHRINKAGES) {
    const logits = newSharedMatrix(labels.length, classes);
    for (const [fold, statistics] of withoutFold.entries()) {
      await putLogits(pool, problem, folds.of, fold, discriminantHead(statistics, shrinkage), logits);
    }
    const scored = scoreHeldOut(
      logits,
      labels,
      Array.from(labels, (_, place) => place),
    );
    const isBetter = !best || scored.accuracy > best.accuracy;
    if (isBetter) best = { shrinkage, logits, ...scored };
  }
  if (!best) throw new RangeError('no shrinkage');
  return { best, all };
}

/** Of the labelled rows of a fold. */
async function putLogits(
  pool: InferencePool,
  { features, labelled, classes }: LabelledTask['problem'],
  foldOf: Int32Array,
  fold: number,
  head: LinearHead,
  logits: Matrix,
): Promise<void> {
  const places = Array.from(labelled, (_, place) => place).filter((place) => foldOf[place] === fold);
  const rows = places.map((place) => labelled[place]);
  const found = await logitsOf(pool, head, gatherRows(features, rows));
  for (const [i, place] of places.entries()) logits.data.set(rowsOf(found, i, i + 1).data, place * classes);
}

/** Every label that may be learned from; what is of one group is in one fold. */
function labelledPile(
  { groups, whole }: Pick<TaskItems, 'groups'> & { readonly whole: WholePile },
  { problem, classNames }: Pick<LabelledTask, 'problem' | 'classNames'>,
  { count: folds, of: foldOf }: Folds,
): LabelledPile {
  const foldOfGroup = new Map(Array.from(problem.labelled, (row, place) => [groups[row], foldOf[place]]));
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const items = new Map<ItemId, readonly [number, number]>();
  const { annotations, groupOf } = whole.said;
  for (const id of [...whole.learnable].sort()) {
    const annotation = annotations.get(id);
    const label = annotation?.kind === 'class' ? indexOf.get(annotation.className) : undefined;
    const group = groupOf.get(id) ?? id;
    if (label !== undefined) items.set(id, [label, foldOfGroup.get(group) ?? lotOf(group, folds) % folds]);
  }
  return { blocks: whole.recipe.blocks, mean: whole.mean.values, classes: classNames.length, folds, items };
}
