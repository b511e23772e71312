/**
 * Items that were put into clusters which were not made of them: those that came later, and near copies. People saw them in the class
 * when they did something to it, so they are of every act about it since.
 *
 * A label of a cluster says what an item was in since its run began; nothing is written down before the next clusters are made.
 * Of more than {@link MAX_SAMPLE} items those are known alone that the next clusters are made of.
 */
import { type ItemId, isRegionId } from '../../core/ids.ts';
import { pushTo } from '../../core/lists.ts';
import type { Store } from '../../store/store.ts';
import { ClassRows, type CorpusNow } from './class-rows.ts';
import type { ActRecord, ClusterModel } from './cluster-model.ts';
import { actsUntilNow } from './people-acts.ts';
import { MAX_SAMPLE, sampleKey } from './sample.ts';

interface GivenItem {
  /** The first 16 digits of its id. */
  readonly key: string;
  /** The class that it is labelled as, merged or not, and since when. */
  readonly classId: number;
  readonly sinceMs: number;
}

/** The clusters of a task so far. */
interface There {
  readonly task: string;
  readonly model: ClusterModel | undefined;
}

interface Known {
  /** What the next clusters are made of. */
  readonly ids?: readonly ItemId[];
  /** An operation that took a class apart, and the id of that class. */
  readonly split?: { readonly act: number; readonly whole: number };
}

/** {@link actsUntilNow}, with such items. */
export async function recordUntilNow(
  store: Store,
  { task, model }: There,
  now: CorpusNow,
  { ids = [], split }: Known = {},
): Promise<ActRecord> {
  const record = actsUntilNow(model, now);
  const seen = model?.acts?.seen ?? 0;
  if (model === undefined || now.acts.newest === seen) return record;
  const sampled = new Set(model.sample);
  const isOther = (id: ItemId) => !sampled.has(sampleKey(id));
  const others = [...new Set([...ids.filter(isOther), ...(await fewItems(store, model)).filter(isOther)])];
  const given = await itemsGiven(store, task, others);
  return withGiven(record, { seen, split }, given, now);
}

/** All items that can be of clusters; none where there are many. */
async function fewItems(store: Store, { task, items }: ClusterModel): Promise<readonly ItemId[]> {
  const found: ItemId[] = [];
  for await (const image of store.dataset({ task })) {
    for (const { id } of [image, ...image.regions]) if (isRegionId(id) === (items === 'regions')) found.push(id);
    if (found.length > MAX_SAMPLE) return [];
  }
  return found;
}

/** Items a page of labels. */
const PAGE = 500;

async function itemsGiven(store: Store, task: string, ids: readonly ItemId[]): Promise<GivenItem[]> {
  if (ids.length === 0) return [];
  const runs = await store.runs({ stage: 'discover', limit: Number.MAX_SAFE_INTEGER });
  const startOf = new Map(runs.map(({ id, startedAtMs }) => [id, startedAtMs]));
  const given: GivenItem[] = [];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const labels = await store.labelsOf(page, task);
    const written = await store.writtenClassesOf(page, task, 'cluster');
    for (const id of page) {
      const label = labels.get(id)?.find(({ origin, present }) => present && origin === 'cluster');
      const [classId, sinceMs] = [written.get(id), startOf.get(label?.runId ?? '')];
      if (classId !== undefined && sinceMs !== undefined) given.push({ key: sampleKey(id), classId, sinceMs });
    }
  }
  return given;
}

/** @param since the newest operation that the record knew before it was brought up to date, and what is known of those after it */
function withGiven(
  record: ActRecord,
  { seen, split }: { readonly seen: number } & Pick<Known, 'split'>,
  given: readonly GivenItem[],
  { acts }: CorpusNow,
): ActRecord {
  const rows = new ClassRows(record.rows);
  const lastOf = new Map<string, number>();
  for (const { row, members } of record.cores) for (const key of members) lastOf.set(key, row);
  const rowAfter = (act: number, classId: number, last: number | undefined) => {
    if (act !== split?.act || classId === split.whole) return rows.place({ classId });
    return rows.place({ classId, splitBy: act, from: last ?? rows.place({ classId: split.whole }) });
  };
  const members = new Map<string, string[]>();
  for (const { key, classId, sinceMs } of given) {
    const since = acts.all.filter(({ id, atMs, classes }) => id > seen && atMs >= sinceMs && classes.has(classId));
    for (const { id } of since) {
      const last = lastOf.get(key);
      if (last !== undefined && rows.rows[last].classId === classId) continue;
      const row = rowAfter(id, classId, last);
      lastOf.set(key, row);
      pushTo(members, `${id} ${row}`, key);
    }
  }
  const added = Array.from(members, ([name, keys]) => {
    const [act, row] = name.split(' ').map(Number);
    return { act, row, members: keys };
  });
  return { ...record, rows: rows.rows, cores: [...record.cores, ...added].sort((a, b) => a.act - b.act) };
}
