/** Labels of clusters that do not count, and what still has them. */
import { plural } from '../../core/count-text.ts';
import { typedWord } from '../../core/shell-word.ts';
import type { DisownedClusters, TaskOwner } from '../../corpus/task-owner.ts';
import { oneLine } from '../words.ts';

/** Before `the task NAME`. */
export const OWNERS: Readonly<Record<TaskOwner, string>> = {
  model: 'a model labels',
  reference: 'references label',
  people: 'people label',
};

export function disownedText({ task, owner, classes, labels }: DisownedClusters): string {
  const what = `${plural(labels, 'label')} of ${plural(classes, 'cluster')}`;
  return `Not counted: ${what}, since ${OWNERS[owner]} the task ${oneLine(task)} (${exportOf(task)} writes them).`;
}

/** After an import that took them out: only people's own classes do. */
export function silencedText({ task, classes, labels }: DisownedClusters): string {
  const what = `${plural(labels, 'label')} of ${plural(classes, 'cluster')} in the task ${oneLine(task)}`;
  return `From now on ${what} stay out of exports and counts, since most of what people and imports said there is of classes that no cluster gave. Clusters that you name count again, and ${exportOf(task)} writes all.`;
}

const exportOf = (task: string) => `labelsmith export FORMAT OUT --task ${typedWord(task)} --origin cluster`;
