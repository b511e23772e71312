/**
 * Which class of the corpus each item of people's clusters is labelled as. One cluster may hold several that were merged, and stay apart
 * in the record, so that undoing the merge gives each its items back: one that no act was about goes where the nearest is that one was about.
 */
import { sumsByPart } from '../../math/matrix.ts';
import { ClassRows, type CorpusNow } from './class-rows.ts';
import type { HeldClass } from './cluster-cut.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { HeldClasses } from './held-classes.ts';
import { type Sample, sampleKey } from './sample.ts';

/** The model with the rows of its items. @param classes of each cluster the class that people's words give it */
export function withRowsOfCut(
  model: ClusterModel,
  { record, rowOf, now }: Pick<HeldClasses, 'record' | 'rowOf' | 'now'>,
  classes: readonly (HeldClass | undefined)[],
  sample: Sample,
): ClusterModel {
  const { cut } = model;
  const rows = new ClassRows(record.rows);
  const acts = { ...record, rows: rows.rows };
  if (cut === undefined) return { ...model, acts };
  const rootOf = (place: number) => now.state.classes.get(rows.rows[place].classId)?.rootId;
  const roots = classes.map((held) => held && now.index.find(held.name));
  const found = Int32Array.from(model.sample, (key, item) => {
    const own = rowOf.get(key);
    const root = roots[cut.clusters[item]];
    return own !== undefined && root !== undefined && rootOf(own) === root.id ? own : -1;
  });
  const nearest = nearestRow(model, found, sample);
  const given = found.map((own, item) => {
    const root = roots[cut.clusters[item]];
    if (own >= 0 || root === undefined) return own;
    return nearest(item) ?? rows.place({ classId: oldestOf(root.id, now) });
  });
  return { ...model, acts, cut: { ...cut, rows: given } };
}

/** The first class that counts as this one: a class that a merge made goes with it. */
function oldestOf(rootId: number, { state }: CorpusNow): number {
  return Math.min(...[...state.classes.values()].filter((one) => one.rootId === rootId).map(({ id }) => id));
}

/** Of the rows that are in an item's cluster that whose mean is nearest to it by cosine. Cost: items · rows of the cluster · columns. */
function nearestRow(
  { sample: keys, cut }: ClusterModel,
  rows: Int32Array,
  { ids, vectors }: Sample,
): (item: number) => number | undefined {
  const clusters = cut?.clusters ?? new Int32Array();
  const parts: { readonly cluster: number; readonly row: number }[] = [];
  const partOf = new Map<string, number>();
  const partOfItem = rows.map((row, item) => {
    if (row < 0) return -1;
    const key = `${clusters[item]} ${row}`;
    const part = partOf.get(key) ?? parts.push({ cluster: clusters[item], row }) - 1;
    partOf.set(key, part);
    return part;
  });
  const placeOf = new Map(ids.map((id, place) => [sampleKey(id), place]));
  const partOfKey = new Map(keys.map((key, item) => [key, partOfItem[item]]));
  const sums = sumsByPart(
    vectors,
    ids.map((id) => partOfKey.get(sampleKey(id)) ?? -1),
    parts.length,
  );
  const { columns, data } = vectors;
  const lengths = parts.map((_, part) => Math.hypot(...sums.subarray(part * columns, (part + 1) * columns)) || 1);
  const ofCluster = Map.groupBy(parts.keys(), (part) => parts[part].cluster);
  return (item) => {
    const near = ofCluster.get(clusters[item]) ?? [];
    const place = placeOf.get(keys[item]);
    if (near.length < 2 || place === undefined) return parts[near[0]]?.row;
    const cosines = near.map((part) => {
      let dot = 0;
      for (let j = 0; j < columns; j++) dot += sums[part * columns + j] * data[place * columns + j];
      return dot / lengths[part];
    });
    return parts[near[cosines.indexOf(Math.max(...cosines))]].row;
  };
}
