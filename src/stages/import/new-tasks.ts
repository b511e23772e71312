/** Tasks that an import is going to make: told, since a task is easily mistyped, and a class taken for one. */
import { foldClassName } from '../../core/class-name.ts';
import { nearestNames } from '../../core/nearest-names.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ClassRecord, Store } from '../../store/store.ts';

export interface NewTask {
  readonly name: string;
  /** Tasks that are there. */
  readonly known: readonly string[];
  /** One of them that is called nearly so. */
  readonly near: string | null;
  /** A class that is called so, which may have been meant. */
  readonly class: string | null;
}

/** @param named tasks of labels that are taken in */
export async function newTasksAmong(
  store: Pick<Store, 'tasks' | 'classes'>,
  named: Iterable<string>,
): Promise<NewTask[]> {
  const known = (await store.tasks()).map(({ name }) => name).sort();
  const names = [...new Set(named)].filter((name) => !known.includes(name)).sort();
  if (names.length === 0) return [];
  const classes = await store.classes();
  return names.map((name) => {
    const [near = null] = nearestNames(name, known, 1);
    return { name, known, near, class: classNamed(name, classes) };
  });
}

function classNamed(name: string, classes: readonly ClassRecord[]): string | null {
  const folded = foldClassName(name);
  return (
    classes.find((one) => [one.name, ...one.synonyms].some((other) => foldClassName(other) === folded))?.name ?? null
  );
}

/** One sentence, as it is told and refused. */
export function newTaskText({ name, known, near, class: className }: NewTask): string {
  const what = `${JSON.stringify(name)} is a new task (the workspace has ${known.join(', ')})`;
  if (className !== null) return `${what}, and the name of a class: a task is a set of classes`;
  return near === null ? what : `${what}; did you mean ${JSON.stringify(near)}?`;
}

export function newTaskRefused(task: NewTask): LabelsmithError {
  return new LabelsmithError('REFUSED', `Nothing was imported, as --strict asks: ${newTaskText(task)}`, {
    hint:
      task.class === null
        ? 'Give --task the name of one that is there, or leave out --strict to make it.'
        : 'To say a class of every image, write it in the file. Without --strict the task is made.',
    details: { task },
  });
}
