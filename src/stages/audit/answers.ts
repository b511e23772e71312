/** What people answered: into the record, and as labels of their own. */
import type { ItemId } from '../../core/ids.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { requireTask } from '../../corpus/tasks.ts';
import type { AuditAnswer, AuditItem, AuditRecord, NewLabel, Store } from '../../store/store.ts';

/**
 * Writes answers into the record and makes them human labels. Doing it again changes nothing.
 * @param operation that the labels belong to
 */
export async function answerAudit(
  store: Store,
  audit: AuditRecord,
  answers: readonly AuditAnswer[],
  { operation }: { readonly operation?: number } = {},
): Promise<void> {
  const task = await requireTask(store, audit.task);
  await store.putAuditAnswers(audit.id, answers);
  const labels: NewLabel[] = [];
  for (const { itemId, className, right, trueClass } of answers) {
    const say = (name: string, present: boolean) =>
      labels.push({ itemId, task: task.name, className: name, present, origin: 'human', confidence: 1, runId: null });
    if (!right) say(className, false);
    const is = right ? className : trueClass;
    // "None of these" would silence the other labels of an item that may have several.
    if (is !== null && (is !== NONE_OF_THESE || task.rule === 'single')) say(is, true);
  }
  const standing = await stillThere(store, await store.auditItems(audit.id));
  await store.putLabels(
    labels.filter(({ itemId }) => standing.has(itemId)),
    { operation },
  );
}

/** Regions may have gone since they were drawn; images stay. */
async function stillThere(store: Store, items: readonly AuditItem[]): Promise<Set<ItemId>> {
  const regions = await store.regionsOf([...new Set(items.map(({ imageId }) => imageId))]);
  const there = new Set<ItemId>(items.map(({ imageId }) => imageId));
  for (const list of regions.values()) for (const { id } of list) there.add(id);
  return there;
}
