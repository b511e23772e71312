/**
 * A task is of whole images or of boxes. Labels of the other kind are refused where somebody asked for the task, and left out and
 * told where the file names it: an import never puts boxes into a task of images.
 */
import type { ImportedRegion } from '../../core/dataset.ts';
import type { Task } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Reckoning } from '../../formats/reckoning.ts';

interface TasksOfFile {
  /** Tasks that boxes and whole images of the file name; null: none is named. */
  readonly regionTasks: ReadonlySet<string | null>;
  readonly imageTasks: ReadonlySet<string | null>;
}

/** @param path as it is shown; @param name the task that was asked for */
export function refuseOtherKind(
  path: string,
  name: string,
  tasks: readonly Task[],
  { regionTasks, imageTasks }: TasksOfFile,
): void {
  const items = tasks.find((task) => task.name === name)?.items;
  const others = tasks.filter((task) => task.items !== items).map((task) => task.name);
  const details = { task: name, items, tasks: others };
  if (items === 'images' && regionTasks.size > 0)
    throw new LabelsmithError('REFUSED', `${path} has boxes, and the task ${name} is of whole images.`, {
      hint: `Nothing was imported. Leave out --task (boxes go to objects), or give it a task of boxes: ${others.join(', ')}, or a new name. docs/teach.md says how images get the classes of their boxes.`,
      details,
    });
  // Beside boxes, classes of whole images are what follows from them, as our own exports have it.
  if (items === 'regions' && regionTasks.size === 0 && imageTasks.size > 0)
    throw new LabelsmithError('REFUSED', `${path} has classes of whole images, and the task ${name} is of boxes.`, {
      hint: `Nothing was imported. Leave out --task (they go to class), or give it a task of whole images: ${others.join(', ')}, or a new name.`,
      details,
    });
}

/** Regions without labels in tasks of whole images that the file names; a region that has no other is left out. */
export function boxesOfTheirTasks(
  regions: readonly ImportedRegion[],
  { imageTasks, reckoning, where }: { imageTasks: ReadonlySet<string>; reckoning: Reckoning; where: string },
): readonly ImportedRegion[] {
  const isMisplaced = ({ task }: { readonly task: string | null }) => task !== null && imageTasks.has(task.trim());
  if (!regions.some((region) => region.labels.some(isMisplaced))) return regions;
  return regions.flatMap((region) => {
    const labels = region.labels.filter((label) => !isMisplaced(label));
    if (labels.length === region.labels.length) return [region];
    const tasks = new Set(region.labels.filter(isMisplaced).map(({ task }) => task));
    reckoning.note('box-in-images-task', region.where ?? where, `the task ${[...tasks].join(', ')}`);
    return labels.length === 0 ? [] : [{ ...region, labels }];
  });
}
