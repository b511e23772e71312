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

/** What was seen of some images; several of them can be put together, in any order. */
export interface SeenNames {
  readonly used: ReadonlySet<string>;
  readonly splits: ReadonlySet<string | null>;
  /** Labels that do not count, by task. */
  readonly disowned: ReadonlyMap<string, number>;
  readonly labelledTasks: ReadonlySet<string>;
  readonly keypointCount: number;
}

export class NamesSeen implements SeenNames {
  readonly used = new Set<string>();
  readonly splits = new Set<string | null>();
  readonly disowned = new Map<string, number>();
  readonly labelledTasks = new Set<string>();
  keypointCount = 0;

  see(image: DatasetImage, owners: TaskOwners): void {
    this.splits.add(image.split);
    this.#use(image, owners);
    for (const region of image.regions) {
      this.#use(region, owners);
      if (region.labels.length > 0) this.#keypoints(region.keypoints?.length ?? 0);
    }
  }

  merge({ used, splits, disowned, labelledTasks, keypointCount }: SeenNames): void {
    for (const name of used) this.used.add(name);
    for (const split of splits) this.splits.add(split);
    for (const task of labelledTasks) this.labelledTasks.add(task);
    for (const [task, labels] of disowned) this.#disown(task, labels);
    this.#keypoints(keypointCount);
  }

  /** @param view has the classes that there are; a filter may leave some out */
  result(view: Pick<DatasetView, 'classes'>, owners: TaskOwners): Used {
    const left = [...this.disowned]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([task, labels]) => {
        const owner = owners.ownerOf(task);
        return owner === null ? [] : [{ task, owner, labels }];
      });
    return {
      classNames: view.classes.map(({ name }) => name).filter((name) => this.used.has(name)),
      keypointCount: this.keypointCount,
      splits: this.splits,
      disowned: left,
      labelledTasks: [...this.labelledTasks].sort(),
    };
  }

  #use(image: Pick<DatasetImage, 'labels'>, owners: TaskOwners): void {
    for (const label of image.labels) {
      if (owners.disowns(label)) this.#disown(label.task, 1);
      else {
        this.used.add(label.className);
        if (label.origin !== 'human') this.labelledTasks.add(label.task);
      }
    }
  }

  #disown(task: string, labels: number): void {
    this.disowned.set(task, (this.disowned.get(task) ?? 0) + labels);
  }

  #keypoints(count: number): void {
    this.keypointCount = Math.max(this.keypointCount, count);
  }
}

/**
 * The classes that this names, of those there are (a filter may leave some out), the most keypoints on a region,
 * the splits that images came with, and what of clusters does not count. Costs one pass.
 */
export async function usedIn(view: DatasetView, query: DatasetQuery, owners: TaskOwners): Promise<Used> {
  const names = new NamesSeen();
  for await (const image of view.read(query)) names.see(image, owners);
  return names.result(view, owners);
}
