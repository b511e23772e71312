/** Labels of clusters that counted before an import and do not any more (`corpus/task-owner.ts`). */
import { type DisownedClusters, TaskOwners } from '../../corpus/task-owner.ts';
import type { ClassRecord, Store } from '../../store/store.ts';
import { isClustered } from '../discover/cluster-model.ts';

/** The classes before an import; null where there are no clusters, for which nothing needs to be known. Costs a count of all labels. */
export async function classesOfClustered(
  store: Pick<Store, 'artifact' | 'classes' | 'tasks'>,
): Promise<ClassRecord[] | null> {
  const tasks = (await store.tasks()).map(({ name }) => name);
  const clustered = await Promise.all(tasks.map((task) => isClustered(store, task)));
  return clustered.includes(true) ? store.classes() : null;
}

/** Told after the import, of the tasks that nobody owned before. Costs another count where there are clusters. */
export async function silencedSince(
  before: readonly ClassRecord[] | null,
  store: Pick<Store, 'classes'>,
): Promise<DisownedClusters[]> {
  if (before === null) return [];
  const owners = new TaskOwners(before);
  const classes = await store.classes();
  return new TaskOwners(classes).disowned(classes).filter(({ task }) => owners.ownerOf(task) === null);
}
