/** What an export will name, from a pass over what it reads: classes, keypoints, splits; and what does not count in it. */
import type { DatasetImage } from '../../core/dataset.ts';
import type { TaskOwner, TaskOwners } from '../../corpus/task-owner.ts';
import type { DatasetQuery, DatasetView } from '../../store/store.ts';

/** Labels of clusters in a task that somebody else owns. */
export interface Disowned {
  readonly task: string;
  readonly owner: TaskOwner;
  readonly labels: number;
}

export interface Used {
  readonly classNames: readonly string[];
  readonly keypointCount: number;
  readonly splits: ReadonlySet<string | null>;
  readonly disowned: readonly Disowned[];
  /** Tasks with labels of machines or imports, in order of name. */
  readonly labelledTasks: readonly string[];
}

/**
 * The classes that this names, of those there are (a filter may leave some out), the most keypoints on a region,
 * the splits that images came with, and what of clusters does not count. Costs one pass.
 */
export async function usedIn(view: DatasetView, query: DatasetQuery, owners: TaskOwners): Promise<Used> {
  const used = new Set<string>();
  const splits = new Set<string | null>();
  const disowned = new Map<string, number>();
  const labelledTasks = new Set<string>();
  let keypointCount = 0;
  const use = (image: Pick<DatasetImage, 'labels'>) => {
    for (const label of image.labels) {
      if (owners.disowns(label)) disowned.set(label.task, (disowned.get(label.task) ?? 0) + 1);
      else {
        used.add(label.className);
        if (label.origin !== 'human') labelledTasks.add(label.task);
      }
    }
  };
  for await (const image of view.read(query)) {
    splits.add(image.split);
    use(image);
    for (const region of image.regions) {
      use(region);
      if (region.labels.length > 0) keypointCount = Math.max(keypointCount, region.keypoints?.length ?? 0);
    }
  }
  const classNames = view.classes.map(({ name }) => name).filter((name) => used.has(name));
  const left = [...disowned]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([task, labels]) => {
      const owner = owners.ownerOf(task);
      return owner === null ? [] : [{ task, owner, labels }];
    });
  return { classNames, keypointCount, splits, disowned: left, labelledTasks: [...labelledTasks].sort() };
}
