/**
 * Classes of a task that are people's, with the items that are known to be theirs. A new clustering goes around them: it
 * proposes other classes beside them and never takes a name away.
 *
 * An item is of the class that a person says of it, else of that which the last standing act about it gives it
 * (`people-acts.ts`), unless a person denied it: of the cluster that somebody named, merged, split or described. What later cuts add to such a cluster is the
 * machine's again. Items held out to measure accuracy steer nothing.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, type Label, NONE_OF_THESE } from '../../core/labels.ts';
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
  /** Of each, whether people made it of items that they took out of clusters: it is these items, and no cluster gets its name. */
  readonly taken: readonly boolean[];
  /** The place in `names` of each item that is known to be of one. */
  readonly classOf: IdMap;
  /** Of each that nobody said so of by itself, but of its cluster: the row of that cluster. Parts that a person split a class into are not among them. */
  readonly namedIn: IdMap;
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
  const namedIn = new IdMap();
  const nameOf = (await saidByPeople(store, task, ids)).map(({ name, denied }, i) => {
    const row = rowOf.get(sampleKey(ids[i])) ?? -1;
    const held = rootNames[row];
    if (held !== undefined) ofActs.add(held);
    if (held !== undefined && name === undefined && record.rows[row].splitBy === undefined) namedIn.set(ids[i], row);
    return name ?? (held === undefined || denied.has(held) ? undefined : held);
  });
  const names = [...new Set(nameOf.filter((name) => name !== undefined))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const taken = await store.classesOutOfClusters(task);
  const classOf = new IdMap();
  for (const [i, name] of nameOf.entries()) {
    const place = name === undefined ? undefined : places.get(name);
    if (place !== undefined) classOf.set(ids[i], place);
  }
  return {
    names,
    whole: names.map((name) => ofActs.has(name)),
    taken: names.map((name) => taken.has(name) && !ofActs.has(name)),
    classOf,
    namedIn,
    record,
    rowOf,
    now,
  };
}

interface SaidOfItem {
  readonly name?: string;
  /** Classes that it is not of. */
  readonly denied: ReadonlySet<string>;
}

/** What people said of each item. */
async function saidByPeople(store: Store, task: string, ids: readonly ItemId[]): Promise<SaidOfItem[]> {
  const measuring = await store.auditedItems(task);
  const said: SaidOfItem[] = [];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const labels = await store.labelsOf(page, task);
    for (const id of page) {
      const ofItem = measuring.has(id) ? [] : (labels.get(id) ?? []);
      const [best] = currentLabels(ofItem, 'single');
      const held = best?.origin === 'human' && best.className !== NONE_OF_THESE;
      said.push({ name: held ? best.className : undefined, denied: deniedByPeople(ofItem) });
    }
  }
  return said;
}

/** Classes of which a person said that an item is not of them. @param labels of the item */
export function deniedByPeople(labels: readonly Label[]): ReadonlySet<string> {
  return new Set(labels.filter(({ origin, present }) => origin === 'human' && !present).map((one) => one.className));
}
