/**
 * Corrections that take items out of clusters: a person moves pictures of a cluster's folder into one of their own. That corrects
 * clusters, and is no labelling in classes of one's own, by which clusters would not count any more (`corpus/task-owner.ts`). Pure.
 */
import type { ImageId } from '../../core/ids.ts';
import { type Label, NONE_OF_THESE } from '../../core/labels.ts';
import type { OutOfClusters } from '../../core/out-of-clusters.ts';
import type { ClassRecord, NewLabel } from '../../store/store.ts';
import type { ShownImage } from '../export/shown.ts';

/** A class that a person gave an item to which the export gave another or none, and whether it gave it one of clusters. */
export type Move = readonly [task: string, className: string, isOut: boolean];

interface Moved {
  readonly imageId: ImageId;
  /** What the corrections write of the image and its regions. */
  readonly labels: readonly NewLabel[];
  readonly shown: ShownImage;
  readonly heldOf: (itemId: string, task: string) => readonly Label[];
}

/** Classes as they were before the import. */
export class ClusterClasses {
  readonly #classes: ReadonlyMap<string, ClassRecord>;

  constructor(classes: readonly ClassRecord[]) {
    const synonyms = classes.flatMap((one) => one.synonyms.map((name) => [name, one] as const));
    this.#classes = new Map([...synonyms, ...classes.map((one) => [one.name, one] as const)]);
  }

  moves({ imageId, labels, shown, heldOf }: Moved): Move[] {
    return labels.flatMap(({ itemId, task, className, present, origin }): Move[] => {
      if (origin !== 'human' || !present || className === NONE_OF_THESE) return [];
      const before = shownOf(itemId === imageId ? null : itemId, task, shown);
      if (before.includes(className)) return [];
      const held = heldOf(itemId, task);
      const isOfClusters =
        held.some((label) => label.origin === 'cluster' || this.#isGiven(task, label.className)) ||
        before.some((name) => this.#isGiven(task, name));
      return [[task, className, before.length > 0 && isOfClusters]];
    });
  }

  /** Those of the classes moved into of which people now say it mostly of what they took out of clusters. */
  outOf(moves: MoveCounts): OutOfClusters {
    const found: Record<string, string[]> = {};
    for (const { task, className, out, others } of moves.all()) {
      const isMost = out > others + this.#saidBefore(task, className);
      if (out > 0 && (isMost || this.#isGiven(task, className))) found[task] = [...(found[task] ?? []), className];
    }
    return found;
  }

  /** Clusters gave it in the task, or corrections made it out of theirs. */
  #isGiven(task: string, className: string): boolean {
    return this.#classes.get(className)?.clusteredIn?.includes(task) ?? false;
  }

  /** Labels of people and imports that hold. */
  #saidBefore(task: string, className: string): number {
    const counts = this.#classes.get(className)?.counts.filter((of) => of.task === task) ?? [];
    return counts.reduce((sum, { origins: { human = 0, imported = 0 } }) => sum + human + imported, 0);
  }
}

/** Classes that the export gave an item in a task. @param region null: the image itself */
function shownOf(region: string | null, task: string, shown: ShownImage): readonly string[] {
  if (region === null) return shown.labels.flatMap((label) => (label.task === task ? [label.className] : []));
  return shown.regions.find((one) => one.id === region && one.task === task)?.classes ?? [];
}

interface MoveCount {
  readonly task: string;
  readonly className: string;
  /** Items that left a cluster's class for it, and others that it was given. */
  out: number;
  others: number;
}

export class MoveCounts {
  readonly #counts = new Map<string, MoveCount>();

  /** @param times 1 to add, -1 to take off */
  add(moves: readonly Move[], times: 1 | -1): void {
    for (const [task, className, isOut] of moves) {
      const key = JSON.stringify([task, className]);
      const count = this.#counts.get(key) ?? { task, className, out: 0, others: 0 };
      count[isOut ? 'out' : 'others'] += times;
      this.#counts.set(key, count);
    }
  }

  /** In order of task and name. */
  all(): readonly MoveCount[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
  }
}
