/** Which task an export takes: the one that is named, else by the rule that `export --help` states. */
import type { Task } from '../../core/labels.ts';
import { isNamed } from '../../corpus/task-owner.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Format } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';

/** Null: the format holds all tasks at once, and none was named. */
export async function taskToExport(
  store: Pick<Store, 'tasks' | 'classes'>,
  { holds }: Format,
  named: string | undefined,
): Promise<Task | null> {
  if (named !== undefined) return requireTask(store, named);
  const tasks = await store.tasks();
  if (holds === 'both') return null;
  const byName = (name: string) => tasks.find((task) => task.name === name) ?? null;
  if (holds === 'regions') return byName('objects');
  // Unnamed heaps say less than what a detector saw; what people, references or a model said of whole images says more, and
  // so do heaps of which people gave one its name.
  const classes = await store.classes();
  const counts = classes.flatMap((known) => known.counts).filter(({ count }) => count > 0);
  const classified = counts.filter(({ task }) => task === 'class');
  const hasNamed = classes.some(
    (one) => isNamed(one) && one.counts.some(({ task, count }) => task === 'class' && count > 0),
  );
  const better =
    hasNamed || classified.some(({ origins }) => Object.keys(origins).some((origin) => origin !== 'cluster'));
  const detected = counts.some(({ task }) => task === 'objects');
  return byName(better || (classified.length > 0 && !detected) ? 'class' : 'objects');
}

/** Why there is nothing to export, and where there would be something. */
export async function nothingLabelled(
  store: Pick<Store, 'classes'>,
  format: Format,
  task: Task | null,
  filtered: boolean,
): Promise<LabelsmithError> {
  const counts = (await store.classes()).flatMap((known) => known.counts).filter(({ count }) => count > 0);
  const others = [...new Set(counts.map((count) => count.task))].filter((name) => name !== task?.name).sort();
  const where = task === null ? '' : ` in the task ${task.name}`;
  const how = filtered ? ' that --origin and --min-confidence leave' : '';
  const elsewhere = others.length > 0 && task !== null ? `There are labels in ${others.join(', ')} (--task). ` : '';
  return new LabelsmithError('NOT_FOUND', `There is no label${where}${how} to export to ${format.name}.`, {
    hint: `${elsewhere}labelsmith detect, discover, teach and import make labels; --empty writes the export without any.`,
    details: { task: task?.name ?? null, tasksWithLabels: others },
  });
}
