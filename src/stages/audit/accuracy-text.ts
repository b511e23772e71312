/** What is known of how many of a task's labels are right, in words that status, report and app share: a row a question. */
import { apartText, datedText, dayOf, measuredText } from '../../core/label-accuracy.ts';
import type { TaskAccuracy } from './known-accuracy.ts';

/** Empty where nothing was measured. */
export function accuracyRows({ task, figures, newImages, outdated }: TaskAccuracy): string[] {
  const rows = figures.map((of) => {
    const apart = apartText(of);
    return `Accuracy of ${measuredText(of)}: ${datedText(of)}${apart ? `; ${apart} are apart` : ''}.`;
  });
  if (outdated) rows.push(outdatedText({ task, ...outdated }));
  if (newImages) rows.push(`On new images: ${datedText(newImages)}.`);
  return rows;
}

/** A figure that is stated no more. */
export function outdatedText({
  task,
  atMs,
}: Pick<TaskAccuracy, 'task'> & NonNullable<TaskAccuracy['outdated']>): string {
  return `Accuracy of the labels by machines is not known: those that were measured on ${dayOf(atMs)} were given anew since (labelsmith audit ${task}).`;
}
