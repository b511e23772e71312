/**
 * The audit set of a task: items drawn at random for people to check, by which whatever labelled the task is judged. No
 * stage trains on them, whoever labels them and however often. Precious: kept with the records, not beside the models.
 */
import type { ItemId } from '../core/ids.ts';
import type { Store } from '../store/store.ts';

const auditSetting = (task: string) => `audit:${task}`;

/** Items that must not be trained on in this task; empty where nothing was drawn. */
export async function auditItems(store: Pick<Store, 'getSetting'>, task: string): Promise<ReadonlySet<ItemId>> {
  const text = await store.getSetting(auditSetting(task));
  return new Set(text === undefined ? [] : (JSON.parse(text) as ItemId[]));
}

/** Adds to the audit set; items never leave it. */
export async function addAuditItems(
  store: Pick<Store, 'getSetting' | 'putSetting'>,
  task: string,
  ids: Iterable<ItemId>,
): Promise<void> {
  const all = new Set([...(await auditItems(store, task)), ...ids]);
  await store.putSetting(auditSetting(task), JSON.stringify([...all].sort()));
}
