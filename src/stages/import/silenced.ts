/** Labels of clusters that counted before an import and do not any more (`corpus/task-owner.ts`). */
import { type DisownedClusters, TaskOwners } from '../../corpus/task-owner.ts';
import type { Store } from '../../store/store.ts';
import { isClustered } from '../discover/cluster-model.ts';

type Read = Pick<Store, 'artifact' | 'classes' | 'tasks'>;

/** Told after the import, of the tasks that nobody owned when this was called. Costs two counts of all labels where there are clusters. */
export async function silencedSince(store: Read): Promise<(store: Read) => Promise<DisownedClusters[]>> {
  const tasks = (await store.tasks()).map(({ name }) => name);
  const clustered = await Promise.all(tasks.map((task) => isClustered(store, task)));
  if (!clustered.includes(true)) return async () => [];
  const before = new TaskOwners(await store.classes());
  return async (after) => {
    const classes = await after.classes();
    return new TaskOwners(classes).disowned(classes).filter(({ task }) => before.ownerOf(task) === null);
  };
}
