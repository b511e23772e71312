/**
 * What people did to clusters (named, merged, split, described, confirmed them), written down by the items that it was about.
 *
 * **Invariant.** The classes of items that are people's are a function of the acts that stand, and of nothing else: each act is
 * an operation of the corpus' history with its *cores*, the items of each class that it was about when it was done. An item is of the
 * class that the last standing act about it says. So after `undo` every later cut is as if the act had never been, and the
 * others hold; after `redo` it is as if it had never been undone; and a name that stands is never lost, whatever is cut
 * in between. An act that another was done in the place of, after it was undone, is forgotten.
 *
 * **How.** Classes are known by their ids, which no renaming and no merge changes. What is merged stays apart here: items of a merged class are
 * still written down, and labelled, as that class, which counts as the one it was merged into as long as that stands. A
 * part that was split off knows what it was a part of. Acts are looked up in the history when the next clusters are made, since until then
 * the clusters are those that people saw; what was undone then keeps its cores for as long as it can be redone. Clusters that were made
 * around an act that was undone since, or without one that was redone, are not kept.
 *
 * Resident: the ids of the items that acts were about, 16 characters each.
 */
import type { CorpusClass } from '../../core/corpus.ts';
import { pushTo } from '../../core/lists.ts';
import type { Acts } from '../../corpus/acts.ts';
import type { CorpusIndex } from '../../corpus/state.ts';
import { ClassRows, type CorpusNow } from './class-rows.ts';
import { type ActRecord, type ClassRow, type ClusterModel, type Core, clusterOfEach } from './cluster-model.ts';
import { earlierCores } from './earlier-acts.ts';

/** The class of each item of the sample as a place among the rows, with what was done again since; −1 for none, [items]. */
export function rowOfEach(
  model: ClusterModel,
  { index, acts }: CorpusNow,
  rows: ClassRows,
  stood: (act: number) => boolean = (act) => acts.stands(act),
): Int32Array {
  const named = model.clusters.map((cluster) => {
    const entry = classNamed(index, cluster);
    return entry ? rows.place({ classId: entry.id }) : -1;
  });
  const places = clusterOfEach(model).map((cluster, item) => {
    const own = model.cut?.rows?.[item] ?? -1;
    return cluster < 0 || own >= 0 ? own : (named[cluster] ?? -1);
  });
  const redone = redoneSince(model, acts).filter(({ act }) => stood(act));
  if (redone.length > 0) {
    const itemOf = new Map(model.sample.map((key, item) => [key, item]));
    for (const { row, members } of redone) {
      for (const key of members) places[itemOf.get(key) ?? -1] = row;
    }
  }
  return places.map((place) => (place < 0 ? -1 : rows.standing(place, stood)));
}

/** Cores of acts that were undone when the clusters were made, and stand now. */
export function redoneSince({ acts: record }: Pick<ClusterModel, 'acts'>, acts: Acts): Core[] {
  return (record?.cores ?? []).filter(({ act }) => act > (record?.stood ?? 0) && acts.stands(act));
}

/** Whether an act that the clusters were made around was undone since. The history is a stack: then the newest was. */
export function undoneSince({ acts: record }: Pick<ClusterModel, 'acts'>, acts: Acts): boolean {
  return record !== undefined && record.stood > 0 && !acts.stands(record.stood);
}

function classNamed(index: CorpusIndex, { name, partOf }: ClusterModel['clusters'][number]): CorpusClass | undefined {
  return index.owner(name) ?? (partOf === undefined ? undefined : index.owner(partOf));
}

/** The record of a model brought up to date: with what was done since its clusters were made. */
export function actsUntilNow(there: ClusterModel | undefined, now: CorpusNow): ActRecord {
  const { acts } = now;
  const rows = new ClassRows(there?.acts?.rows);
  const until = { seen: acts.newest, stood: acts.newestStanding };
  if (there === undefined) return { ...until, rows: rows.rows, cores: [] };
  if (there.acts === undefined) return { ...until, cores: earlierCores(there, now, rows), rows: rows.rows };
  const { seen } = there.acts;
  const cores = there.acts.cores.filter(({ act }) => act === 0 || acts.has(act));
  const lastOf = new Map<string, number>();
  for (const { row, members } of cores) for (const key of members) lastOf.set(key, row);
  for (const { id, classes } of acts.all) {
    if (id <= seen) continue;
    const places = rowOfEach(there, now, rows, (act) => act <= id && acts.has(act));
    const members = new Map<number, string[]>();
    for (const [item, key] of there.sample.entries()) {
      const place = places[item];
      if (place < 0 || lastOf.get(key) === place || !classes.has(rows.rows[place].classId)) continue;
      pushTo(members, place, key);
      lastOf.set(key, place);
    }
    for (const [row, keys] of members) cores.push({ act: id, row, members: keys });
  }
  return { ...until, rows: rows.rows, cores };
}

/** The row of each item that a standing act was about, by the first 16 digits of its id. */
export function rowsHeld({ rows, cores }: ActRecord, { state, acts }: CorpusNow): Map<string, number> {
  const rowOf = new Map<string, number>();
  for (const { act, row, members } of cores) {
    if (!(act === 0 || acts.stands(act)) || !state.classes.has(rows[row].classId)) continue;
    for (const key of members) rowOf.set(key, row);
  }
  return rowOf;
}

/** The class that a row counts as; undefined where it is gone. */
export function rootOfRow({ classId }: ClassRow, { state, index }: CorpusNow): CorpusClass | undefined {
  return state.classes.has(classId) ? index.root(classId) : undefined;
}
