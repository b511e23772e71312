/**
 * The audit set of a task: items drawn at random for people to check, by which whatever labelled the task is judged. No
 * stage trains on them, whoever labels them and however often. Precious: kept with the records, not beside the models.
 */
import type { ItemId } from '../../core/ids.ts';
import { isMachine, type Label } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';

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

/** Adds to the random audit set; an item that somebody has labelled never leaves it. */
export async function addAuditItems(
  store: Pick<Store, 'getSetting' | 'putSetting'>,
  task: string,
  ids: Iterable<ItemId>,
): Promise<void> {
  const all = new Set([...(await randomAuditItems(store, task)), ...ids]);
  await store.putSetting(auditSetting(task), JSON.stringify([...all].sort()));
}

/** Takes those out of the random audit set that no person and no import has labelled; gives how many. */
export async function dropUnlabelledAuditItems(
  store: Pick<Store, 'getSetting' | 'putSetting' | 'labelsOf'>,
  task: string,
): Promise<number> {
  const ids = [...(await randomAuditItems(store, task))];
  const labels = ids.length > 0 ? await store.labelsOf(ids, task) : new Map<ItemId, readonly Label[]>();
  const kept = ids.filter((id) => labels.get(id)?.some(({ origin }) => !isMachine(origin)));
  if (kept.length < ids.length) await store.putSetting(auditSetting(task), JSON.stringify(kept.sort()));
  return ids.length - kept.length;
}
