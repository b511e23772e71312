/** Tasks by name. */
import type { Task } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { Store } from '../store/store.ts';

/** The task of that name, or an error that says which there are. */
export async function requireTask(
  store: Pick<Store, 'tasks'> & Partial<Pick<Store, 'classes'>>,
  name: string,
): Promise<Task> {
  const tasks = await store.tasks();
  const task = tasks.find((one) => one.name === name);
  if (task) return task;
  const names = tasks.map((one) => one.name);
  const named = (await store.classes?.())?.find((one) => one.name === name || one.synonyms.includes(name));
  const isClass = named === undefined ? '' : ` "${name}" is a class; a task is a set of classes.`;
  throw new LabelsmithError('NOT_FOUND', `There is no task "${name}".${isClass}`, {
    hint:
      names.length > 0
        ? `Tasks of this workspace: ${names.join(', ')}. Importing labels into another makes it, and so does labelsmith teach select --task NAME --items images.`
        : 'There is none yet: detect, discover, match and import make them.',
  });
}
