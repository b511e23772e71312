/**
 * One owner a task. Clusters are proposals: where a model, references or people label the same task, what clusters say is
 * kept in the record and stays out of exports, counts and comparisons, unless it is asked for by its origin. Pure.
 *
 * A model or references own a task as soon as one label of theirs holds in it. People (and imports) own it when most of their
 * labels are of classes that no cluster gave: they label in classes of their own. Where most are of clusters' classes, they
 * correct clusters, also where they said it of every item of one, or took items out of clusters for a class that they made
 * (`stages/import/left-clusters.ts`). Clusters whose class people named or merged are theirs and stay, unless a model or references own the
 * task.
 */
import type { DatasetImage, LabelValue } from '../core/dataset.ts';
import type { Origin } from '../core/labels.ts';
import type { ClassRecord } from '../store/store.ts';

export type TaskOwner = 'model' | 'reference' | 'people';

/** Labels of clusters that do not count in a task, and of how many classes they are. */
export interface DisownedClusters {
  readonly task: string;
  readonly owner: TaskOwner;
  readonly classes: number;
  readonly labels: number;
}

type CountedClass = Pick<ClassRecord, 'name' | 'synonyms' | 'confirmed' | 'counts' | 'clusteredIn'>;

/** That people gave it its name: an earlier one is a synonym. */
export const isNamed = ({ synonyms, confirmed = false }: Pick<ClassRecord, 'synonyms' | 'confirmed'>) =>
  synonyms.length > 0 || confirmed;

export class TaskOwners {
  readonly #owners: ReadonlyMap<string, TaskOwner>;
  /** Classes that people renamed or merged, or whose name they confirmed. */
  readonly #named: ReadonlySet<string>;

  constructor(classes: readonly CountedClass[]) {
    this.#named = new Set(classes.filter(isNamed).map(({ name }) => name));
    this.#owners = ownersOf(classes);
  }

  /** Null: clusters are all there is, or people correct them. */
  ownerOf(task: string): TaskOwner | null {
    return this.#owners.get(task) ?? null;
  }

  /** Tasks that somebody owns, in order of name. */
  owned(): { readonly task: string; readonly owner: TaskOwner }[] {
    return [...this.#owners].map(([task, owner]) => ({ task, owner })).sort((a, b) => (a.task < b.task ? -1 : 1));
  }

  /** Of all that decides what counts. */
  key(): string {
    const owned = this.owned();
    return JSON.stringify(owned.length === 0 ? [] : [owned, [...this.#named].sort()]);
  }

  /** Whether a label stays out of what the task says. */
  disowns({ task, origin, className }: { readonly task: string; readonly origin: Origin; readonly className: string }) {
    if (origin !== 'cluster') return false;
    const owner = this.#owners.get(task);
    if (owner === undefined) return false;
    return owner !== 'people' || !this.#named.has(className);
  }

  /** The image with the labels that count; whole images alone have labels of clusters beside a model's, and regions too. */
  counted(image: DatasetImage): DatasetImage {
    if (this.#owners.size === 0) return image;
    const counts = (label: LabelValue) => !this.disowns(label);
    if (image.labels.every(counts) && image.regions.every(({ labels }) => labels.every(counts))) return image;
    const regions = image.regions.map((region) => ({ ...region, labels: region.labels.filter(counts) }));
    return { ...image, labels: image.labels.filter(counts), regions };
  }

  /** What {@link countedClasses} leaves out, in order of task. */
  disowned(classes: readonly CountedClass[]): DisownedClusters[] {
    return this.owned().flatMap(({ task, owner }) => {
      const labels = classes
        .filter(({ name }) => this.disowns({ task, origin: 'cluster', className: name }))
        .map(({ counts }) => counts.reduce((sum, of) => sum + (of.task === task ? (of.origins.cluster ?? 0) : 0), 0))
        .filter((count) => count > 0);
      if (labels.length === 0) return [];
      return [{ task, owner, classes: labels.length, labels: labels.reduce((sum, count) => sum + count, 0) }];
    });
  }

  /** The classes with the counts of labels that count. */
  countedClasses<T extends CountedClass>(classes: readonly T[]): T[] {
    return classes.map((one) => ({
      ...one,
      counts: one.counts.flatMap((of) => {
        const { cluster = 0, ...origins } = of.origins;
        if (cluster === 0 || !this.disowns({ task: of.task, origin: 'cluster', className: one.name })) return [of];
        return of.count === cluster ? [] : [{ ...of, count: of.count - cluster, origins }];
      }),
    }));
  }
}

function ownersOf(classes: readonly CountedClass[]): Map<string, TaskOwner> {
  const owners = new Map<string, TaskOwner>();
  const claim = (task: string, owner: TaskOwner) => {
    const order: readonly TaskOwner[] = ['model', 'reference', 'people'];
    const before = owners.get(task);
    if (before === undefined || order.indexOf(owner) < order.indexOf(before)) owners.set(task, owner);
  };
  const balance = new Map<string, number>();
  for (const { counts, clusteredIn } of classes) {
    for (const { task, origins } of counts) {
      if (origins.model) claim(task, 'model');
      if (origins.reference) claim(task, 'reference');
      const said = (origins.human ?? 0) + (origins.imported ?? 0);
      balance.set(task, (balance.get(task) ?? 0) + (origins.cluster || clusteredIn?.includes(task) ? -said : said));
    }
  }
  for (const [task, own] of balance) if (own > 0) claim(task, 'people');
  return owners;
}

/** Images whose labels of clusters do not count where somebody owns the task. Those that have nothing left come too. */
export async function* countedImages(
  owners: TaskOwners,
  images: AsyncIterable<DatasetImage>,
): AsyncGenerator<DatasetImage> {
  for await (const image of images) yield owners.counted(image);
}
