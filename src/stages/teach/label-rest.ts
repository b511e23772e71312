/** What `teach rounds` does with what its model thinks of every item: keeps it, and labels the items it is sure of. */
import type { StageJob } from '../../jobs/stage.ts';
import type { Matrix } from '../../math/matrix.ts';
import { adoptStaged, type PredictionSet, putPredictions } from '../predictions.ts';
import type { LabelledTask, TaskItems } from './items.ts';
import { type LabelSettings, labelStage } from './label-stage.ts';

/**
 * Machine labels for every item that nobody trusted has spoken on, and predictions for all.
 *
 * @param probabilities of all items, after `withAnswers`. @param key names the content of the model.
 */
export async function labelTheRest(
  job: StageJob<LabelSettings>,
  { ids, task }: TaskItems,
  { classNames }: LabelledTask,
  { probabilities, key }: { readonly probabilities: Matrix; readonly key: string },
): Promise<{ readonly labels: number; readonly unsure: number }> {
  const { workspace, runId } = job;
  await workspace.store.ensureClasses(classNames);
  const { name, items } = task;
  const set = { task: name, items, origin: 'model', classNames, runId, key: key.slice(0, 16) } as const;
  await putPredictions(workspace, set, ids, probabilities);
  return labelByPredictions(job);
}

/** The same from predictions that are written already, and wait for their place. */
export async function labelTheWhole(
  job: StageJob<LabelSettings>,
  set: PredictionSet,
): Promise<{ readonly labels: number; readonly unsure: number }> {
  await job.workspace.store.ensureClasses(set.classNames);
  await adoptStaged(job.workspace, set);
  return labelByPredictions(job);
}

async function labelByPredictions(job: StageJob<LabelSettings>) {
  const { store, engine } = job.workspace;
  await store.clearMachineLabels(job.settings.task, 'model');
  // Not to be stopped half-way: all of them follow from one model.
  const { counts } = await engine.run(labelStage, { ...job, signal: undefined });
  const { labels = 0, unsure = 0 } = counts;
  return { labels, unsure };
}

/** Probabilities where what people said counts for other items and other classes too; they are changed. */
export function withAnswers(
  probabilities: Matrix,
  { annotations, groups, task }: Pick<TaskItems, 'annotations' | 'groups' | 'task'>,
  classNames: readonly string[],
): void {
  // Regions of one image are in one group, and may be of any class.
  if (task.items === 'images') withGroupAnswers(probabilities, { annotations, groups }, classNames);
  withoutRefused(probabilities, annotations, classNames);
}

/**
 * Probabilities where an answer counts for its group: what is nearly the same as a picture that people gave a class is
 * half taken for that class and half for what the model says. Where a group's answers differ they say nothing of others.
 */
export function withGroupAnswers(
  probabilities: Matrix,
  { annotations, groups }: Pick<TaskItems, 'annotations' | 'groups'>,
  classNames: readonly string[],
): Matrix {
  const { data, columns } = probabilities;
  const answers = new Map<string, string | null>();
  for (const [row, annotation] of annotations.entries()) {
    if (annotation.kind !== 'class') continue;
    const group = groups[row];
    const before = answers.get(group);
    answers.set(group, before === undefined || before === annotation.className ? annotation.className : null);
  }
  for (const [row, annotation] of annotations.entries()) {
    if (annotation.kind !== 'nothing' && annotation.kind !== 'not') continue;
    const answer = classNames.indexOf(answers.get(groups[row]) ?? '');
    if (answer < 0) continue;
    for (let c = 0; c < columns; c++) {
      data[row * columns + c] = (data[row * columns + c] + Number(c === answer)) / 2;
    }
  }
  return probabilities;
}

/** Probabilities where "not this" of a person counts: such classes get none, the others share it. */
function withoutRefused(
  probabilities: Matrix,
  annotations: TaskItems['annotations'],
  classNames: readonly string[],
): void {
  const { data, columns } = probabilities;
  for (const [row, annotation] of annotations.entries()) {
    if (annotation.kind !== 'not') continue;
    const refused = new Set(annotation.classNames);
    let left = 0;
    for (let c = 0; c < columns; c++) {
      if (refused.has(classNames[c])) data[row * columns + c] = 0;
      left += data[row * columns + c];
    }
    for (let i = row * columns; left > 0 && i < (row + 1) * columns; i++) data[i] = data[i] / left;
  }
}
