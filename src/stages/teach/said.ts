/** What people said of the items of a task, and which items belong together, in one pass over the record. */
import { chunks } from '../../core/chunks.ts';
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, type Label, NONE_OF_THESE, type Task } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';

/** What people said of one item. */
export type Annotation =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'class'; readonly className: string; readonly origin: 'human' | 'imported' }
  /** In the task, but none of its classes; or not any of these classes. */
  | { readonly kind: 'none' }
  | { readonly kind: 'not'; readonly classNames: readonly string[] }
  /** Two classes at once from one source. */
  | { readonly kind: 'contradiction'; readonly classNames: readonly string[] };

/** Resident: some 300 bytes an item that people spoke of, and as many an image that is in the group of another. */
export interface SaidOfTask {
  /** Of the items that people, or an import, said something of. */
  readonly annotations: ReadonlyMap<ItemId, Annotation>;
  /** Of images all that are in the group of another; of regions those that `annotations` has, and those asked for. */
  readonly groupOf: ReadonlyMap<ItemId, string>;
}

const PAGE = 512;
const NOTHING: Annotation = { kind: 'nothing' };

/** What the labels of an item come to, people's word first. */
export function annotationOf(labels: readonly Label[]): Annotation {
  const trusted = labels.filter(({ origin }) => origin === 'human' || origin === 'imported');
  if (trusted.length === 0) return NOTHING;
  const [best] = currentLabels(trusted, 'single');
  if (best) {
    const rivals = currentLabels(trusted, 'multi').filter(
      ({ origin, runId }) => origin === best.origin && runId === best.runId && runId !== null,
    );
    if (rivals.length > 1) return { kind: 'contradiction', classNames: rivals.map(({ className }) => className) };
    return { kind: 'class', className: best.className, origin: best.origin as 'human' | 'imported' };
  }
  const human = trusted.filter(({ origin }) => origin === 'human');
  if (human.some(({ present, className }) => present && className === NONE_OF_THESE)) return { kind: 'none' };
  const not = human.filter(({ present }) => !present).map(({ className }) => className);
  return not.length > 0 ? { kind: 'not', classNames: not } : NOTHING;
}

/** @param also regions whose group is wanted, whatever was said of them */
export async function readSaid(
  store: Pick<Store, 'images' | 'regionsOf' | 'labelsOf'>,
  task: Pick<Task, 'name' | 'items'>,
  also: ReadonlySet<ItemId>,
): Promise<SaidOfTask> {
  const annotations = new Map<ItemId, Annotation>();
  const groupOf = new Map<ItemId, string>();
  const annotate = async (ids: readonly ItemId[]) => {
    for (const some of chunks(ids, PAGE)) {
      for (const [id, labels] of await store.labelsOf(some, task.name)) {
        const annotation = annotationOf(labels);
        if (annotation.kind !== 'nothing') annotations.set(id, annotation);
      }
    }
  };
  for await (const page of store.images({ gone: true })) {
    const images = page.map(({ id }) => id);
    if (task.items === 'images') {
      await annotate(images);
      for (const { id, groupId } of page) if (groupId !== id) groupOf.set(id, groupId);
      continue;
    }
    const groups = new Map(page.map(({ id, groupId }) => [id, groupId]));
    const regions = [...(await store.regionsOf(images)).values()].flat();
    await annotate(regions.map(({ id }) => id));
    for (const { id, imageId } of regions) {
      if (annotations.has(id) || also.has(id)) groupOf.set(id, groups.get(imageId) ?? imageId);
    }
  }
  return { annotations, groupOf };
}
