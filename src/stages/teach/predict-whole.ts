/** From what was learned of a part of a large pile to predictions for all of it, with what people said of each item. */
import type { ItemId } from '../../core/ids.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { softmaxRows } from '../../math/calibration.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { LabelledTask, TaskItems, WholePile } from './items.ts';
import type { LearnedOfAll } from './learn-rounds.ts';
import { type PilePredictions, type Predictor, predictPile } from './predict-stage.ts';
import type { SaidOfTask } from './said.ts';

export interface WholeOptions {
  readonly threshold: number;
  /** Whether what people said counts for other items and other classes too, as `withAnswers` has it. */
  readonly withAnswers: boolean;
  /** Whether what is thought of every item is kept. */
  readonly keeps: boolean;
}

export function predictWhole(
  job: Omit<StageJob<unknown>, 'settings'>,
  pool: InferencePool,
  { whole, ids }: Pick<TaskItems, 'ids'> & { readonly whole: WholePile },
  { problem, classNames }: Pick<LabelledTask, 'problem' | 'classNames'>,
  learned: LearnedOfAll,
  { threshold, withAnswers, keeps }: WholeOptions,
): Promise<PilePredictions> {
  const { task, recipe, mean, shards: files, said } = whole;
  const honest = softmaxRows(learned.heldOut.logits, learned.restTemperature);
  const { columns } = honest;
  const heldOut = new Map(
    Array.from(problem.labelled, (row, place) => [
      ids[row],
      Float32Array.from(honest.data.subarray(place * columns, (place + 1) * columns)),
    ]),
  );
  const predictor: Predictor = {
    head: learned.head,
    temperature: learned.restTemperature,
    blocks: recipe.blocks,
    mean: mean.values,
    heldOut,
    answers: withAnswers && task.items === 'images' ? groupAnswers(said, classNames) : new Map(),
    refused: withAnswers ? refusedClasses(said, classNames) : new Map(),
    decided: decidedItems(said),
  };
  return predictPile(job, pool, { task: task.name, items: task.items, classNames, files, predictor, threshold, keeps });
}

/** Of images that nobody gave a class, the class of their group where its answers agree. */
function groupAnswers({ annotations, groupOf }: SaidOfTask, classNames: readonly string[]): Map<ItemId, number> {
  const answerOf = new Map<string, string | null>();
  for (const [id, annotation] of annotations) {
    if (annotation.kind !== 'class') continue;
    const group = groupOf.get(id) ?? id;
    const before = answerOf.get(group);
    answerOf.set(group, before === undefined || before === annotation.className ? annotation.className : null);
  }
  const answers = new Map<ItemId, number>();
  const answer = (id: ItemId, group: string) => {
    const kind = annotations.get(id)?.kind ?? 'nothing';
    if (kind !== 'nothing' && kind !== 'not') return;
    const index = classNames.indexOf(answerOf.get(group) ?? '');
    if (index >= 0) answers.set(id, index);
  };
  for (const [id, group] of groupOf) answer(id, group);
  // A group has the name of one of its images, which is in no other's.
  for (const group of answerOf.keys()) if (!groupOf.has(group)) answer(group, group);
  return answers;
}

function refusedClasses({ annotations }: SaidOfTask, classNames: readonly string[]): Map<ItemId, readonly number[]> {
  const refused = new Map<ItemId, readonly number[]>();
  for (const [id, annotation] of annotations) {
    if (annotation.kind !== 'not') continue;
    const not = new Set(annotation.classNames);
    refused.set(
      id,
      classNames.flatMap((name, index) => (not.has(name) ? [index] : [])),
    );
  }
  return refused;
}

function decidedItems({ annotations }: SaidOfTask): Set<ItemId> {
  const decided = new Set<ItemId>();
  for (const [id, { kind }] of annotations) if (kind !== 'not') decided.add(id);
  return decided;
}
