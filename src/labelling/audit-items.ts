/**
 * The audit set of a task: items drawn at random for people to check, by which whatever labelled the task is judged. No
 * stage trains on them, whoever labels them and however often. Precious: kept with the records, not beside the models.
 */
import type { ItemId } from '../core/ids.ts';
import type { Store } from '../store/store.ts';

const auditSetting = (task: string) => `audit:${task}`;

/** Items drawn by `teach select --audit`, each with equal chance: what accuracy may be estimated on as it is. */
export async function randomAuditItems(store: Pick<Store, 'getSetting'>, task: string): Promise<ReadonlySet<ItemId>> {
  const text = await store.getSetting(auditSetting(task));
  return new Set(text === undefined ? [] : (JSON.parse(text) as ItemId[]));
}

/** Items that must not be trained on in this task: those, and all that were ever drawn by `audit`. */
export async function neverTrainedOn(
  store: Pick<Store, 'getSetting' | 'auditedItems'>,
  task: string,
): Promise<ReadonlySet<ItemId>> {
  return new Set([...(await randomAuditItems(store, task)), ...(await store.auditedItems(task))]);
}

/** Adds to the random audit set; items never leave it. */
export async function addAuditItems(
  store: Pick<Store, 'getSetting' | 'putSetting'>,
  task: string,
  ids: Iterable<ItemId>,
): Promise<void> {
  const all = new Set([...(await randomAuditItems(store, task)), ...ids]);
  await store.putSetting(auditSetting(task), JSON.stringify([...all].sort()));
}
