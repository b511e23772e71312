/**
 * Classes of a task that are people's, with the items that are known to be theirs. A new clustering goes around them: it
 * proposes other classes beside them and never takes a name away.
 *
 * An item is of the class that a person says of it, else of that which the last standing act about it gives it
 * (`people-acts.ts`): of the cluster that somebody named, merged, split or described. What later cuts add to such a cluster is the
 * machine's again. Items held out to measure accuracy steer nothing.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, NONE_OF_THESE } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';
import { type CorpusNow, corpusNow } from './class-rows.ts';
import type { ActRecord, ClusterModel } from './cluster-model.ts';
import { recordUntilNow } from './given-items.ts';
import { rootOfRow, rowsHeld } from './people-acts.ts';
import { sampleKey } from './sample.ts';

export interface HeldClasses {
  /** In order of name. */
  readonly names: readonly string[];
  /** Of each, whether a cluster of that name is people's, and not single items alone. */
  readonly whole: readonly boolean[];
  /** The place in `names` of each item that is known to be of one. */
  readonly classOf: IdMap;
  /** The acts there are by now, and the row of each item that they are about. */
  readonly record: ActRecord;
  readonly rowOf: ReadonlyMap<string, number>;
  readonly now: CorpusNow;
}

/** Items a page of labels. */
const PAGE = 500;

/** @param there the clusters of the task so far */
export async function heldClasses(
  store: Store,
  task: string,
  there: ClusterModel | undefined,
  ids: readonly ItemId[],
): Promise<HeldClasses> {
  const now = await corpusNow(store);
  const record = await recordUntilNow(store, { task, model: there }, now, { ids });
  const rowOf = rowsHeld(record, now);
  const rootNames = record.rows.map((row) => rootOfRow(row, now)?.name);
  const ofActs = new Set<string>();
  const nameOf = (await namesByPeople(store, task, ids)).map((said, i) => {
    const held = rootNames[rowOf.get(sampleKey(ids[i])) ?? -1];
    if (held !== undefined) ofActs.add(held);
    return said ?? held;
  });
  const names = [...new Set(nameOf.filter((name) => name !== undefined))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const classOf = new IdMap();
  for (const [i, name] of nameOf.entries()) {
    const place = name === undefined ? undefined : places.get(name);
    if (place !== undefined) classOf.set(ids[i], place);
  }
  return { names, whole: names.map((name) => ofActs.has(name)), classOf, record, rowOf, now };
}

/** The class that people said of each item. */
async function namesByPeople(store: Store, task: string, ids: readonly ItemId[]): Promise<(string | undefined)[]> {
  const measuring = await store.auditedItems(task);
  const names: (string | undefined)[] = [];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const labels = await store.labelsOf(page, task);
    for (const id of page) {
      const [best] = currentLabels(labels.get(id) ?? [], 'single');
      const held = best?.origin === 'human' && best.className !== NONE_OF_THESE && !measuring.has(id);
      names.push(held ? best.className : undefined);
    }
  }
  return names;
}
