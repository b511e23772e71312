import type { Workspace } from '../../jobs/workspace.ts';
import { argMaxRows } from '../../math/calibration.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { NewLabel } from '../../store/store.ts';
import { putPredictions } from '../predictions.ts';
import type { TaskItems, Teaching } from './items.ts';

const PAGE = 1024;

/** Machine labels for every item that nobody trusted has spoken on, and guesses for all. */
export async function labelTheRest(
  workspace: Workspace,
  { ids, said, groups, task, audit }: TaskItems,
  { classNames }: Teaching,
  probabilities: Matrix,
  { threshold, runId, key }: { readonly threshold: number; readonly runId: string; readonly key: string },
): Promise<{ labels: number; unsure: number }> {
  const { store } = workspace;
  await store.ensureClasses(classNames);
  // Regions of one image are in one group, and may be of any class.
  const together =
    task.items === 'images' ? withGroupAnswers(probabilities, { said, groups }, classNames) : probabilities;
  const allowed = withoutRefused(together, said, classNames);
  const set = {
    task: task.name,
    items: task.items,
    origin: 'model',
    classNames,
    runId,
    key: key.slice(0, 16),
  } as const;
  await putPredictions(workspace, set, ids, allowed);
  await store.clearMachineLabels(task.name, 'model');
  const best = argMaxRows(allowed);
  let [labels, unsure] = [0, 0];
  let page: NewLabel[] = [];
  const flush = async () => {
    if (page.length > 0) await store.putLabels(page, { replace: true });
    labels += page.length;
    page = [];
  };
  for (let row = 0; row < ids.length; row++) {
    const { kind } = said[row];
    // A contradiction is a person's to settle.
    if (kind === 'class' || kind === 'none' || kind === 'contradiction') continue;
    const itemId = ids[row];
    const confidence = allowed.data[row * classNames.length + best[row]];
    if (confidence < threshold) {
      if (!audit.has(itemId)) unsure++;
      continue;
    }
    const className = classNames[best[row]];
    page.push({ itemId, task: task.name, className, present: true, origin: 'model', confidence, runId });
    if (page.length === PAGE) await flush();
  }
  await flush();
  return { labels, unsure };
}

/**
 * Probabilities where an answer counts for its group: what is nearly the same as a picture that people gave a class is
 * half taken for that class and half for what the model says. Where a group's answers differ they say nothing of others.
 */
export function withGroupAnswers(
  probabilities: Matrix,
  { said, groups }: Pick<TaskItems, 'said' | 'groups'>,
  classNames: readonly string[],
): Matrix {
  const { data, columns } = probabilities;
  const answers = new Map<string, string | null>();
  for (const [row, word] of said.entries()) {
    if (word.kind !== 'class') continue;
    const group = groups[row];
    const before = answers.get(group);
    answers.set(group, before === undefined || before === word.className ? word.className : null);
  }
  for (const [row, word] of said.entries()) {
    if (word.kind !== 'nothing' && word.kind !== 'not') continue;
    const answer = classNames.indexOf(answers.get(groups[row]) ?? '');
    if (answer < 0) continue;
    for (let c = 0; c < columns; c++) {
      data[row * columns + c] = (data[row * columns + c] + Number(c === answer)) / 2;
    }
  }
  return probabilities;
}

/** Probabilities where "not this" of a person counts: such classes get none, the others share it. */
function withoutRefused(probabilities: Matrix, said: TaskItems['said'], classNames: readonly string[]): Matrix {
  const { data, columns } = probabilities;
  for (const [row, word] of said.entries()) {
    if (word.kind !== 'not') continue;
    const refused = new Set(word.classNames);
    let left = 0;
    for (let c = 0; c < columns; c++) {
      if (refused.has(classNames[c])) data[row * columns + c] = 0;
      left += data[row * columns + c];
    }
    for (let i = row * columns; left > 0 && i < (row + 1) * columns; i++) data[i] = data[i] / left;
  }
  return probabilities;
}
