/** The classes that are here, with how often: the user's own, and those of objects that a detector found. */
import { type TaskOwner, TaskOwners } from '../../corpus/task-owner.ts';
import type { Store } from '../../store/store.ts';
import { type Certainty, type ClassDoubt, certaintyOf } from '../detect/doubt.ts';

export interface FoundClass {
  readonly name: string;
  readonly images: number;
  readonly regions: number;
  /** Mean score of its regions, 0 to 1. */
  readonly meanConfidence: number;
  /** How sure it is that the class is in this pile at all; null where nothing says so. */
  readonly certainty: Certainty | null;
}

/** Those of the task `objects` that anything bears, most regions first. */
export async function foundClasses(
  store: Pick<Store, 'classes'>,
  doubts: readonly ClassDoubt[] | null,
): Promise<FoundClass[]> {
  const doubtOf = new Map(doubts?.map((doubt) => [doubt.name, doubt]));
  return (await store.classes())
    .map(({ name, counts }) => {
      const of = (items: string) => counts.find((count) => count.task === 'objects' && count.items === items);
      return {
        name,
        images: of('images')?.count ?? 0,
        regions: of('regions')?.count ?? 0,
        meanConfidence: of('regions')?.meanConfidence ?? 0,
        certainty: certaintyOf(doubtOf.get(name)),
      };
    })
    .filter(({ images, regions }) => images + regions > 0)
    .sort((a, b) => b.regions - a.regions || (a.name < b.name ? -1 : 1));
}

/** A task that a model, references or people label: classes of the user's own. */
export interface OwnClasses {
  readonly task: string;
  readonly owner: TaskOwner;
  /** Most labels first. */
  readonly classes: readonly { readonly name: string; readonly labels: number; readonly meanConfidence: number }[];
}

export async function ownClasses(store: Pick<Store, 'classes'>): Promise<OwnClasses[]> {
  const known = await store.classes();
  const owners = new TaskOwners(known);
  const counted = owners.countedClasses(known);
  return owners
    .owned()
    .filter(({ task }) => task !== 'objects')
    .map(({ task, owner }) => ({
      task,
      owner,
      classes: counted
        .flatMap(({ name, counts }) =>
          counts
            .filter((of) => of.task === task)
            .map(({ count, meanConfidence }) => ({ name, labels: count, meanConfidence })),
        )
        .sort((a, b) => b.labels - a.labels || (a.name < b.name ? -1 : 1)),
    }));
}

/** One pass over what has a label in the task `objects`. */
export async function imagesWithObjects(store: Pick<Store, 'dataset'>): Promise<number> {
  let images = 0;
  for await (const _ of store.dataset({ task: 'objects' })) images++;
  return images;
}
