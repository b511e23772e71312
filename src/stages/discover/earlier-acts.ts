/**
 * Clusters of versions that wrote down no acts: what was people's is told by the names that clusters had and have. Which act
 * gave them is not known, so that undoing it later gives names back and frees no item.
 */

import { pushTo } from '../../core/lists.ts';
import type { ClassRows, CorpusNow } from './class-rows.ts';
import { type ClusterModel, type Core, clusterOfEach } from './cluster-model.ts';

export function earlierCores(there: ClusterModel, { index, acts }: CorpusNow, rows: ClassRows): Core[] {
  const changed: (number | undefined)[] = [];
  const known: (number | undefined)[] = [];
  for (const { name: last, held: lastHeld = false, partOf, ofHeld = false } of there.clusters) {
    const whole = index.find(last) ? undefined : partOf;
    const [name, held] = whole === undefined ? [last, lastHeld] : [whole, ofHeld];
    const root = index.find(name);
    const row = root && rows.place({ classId: (index.owner(name) ?? root).id });
    const described = root && (root.placed || root.description !== null || root.synset !== null);
    const named = root && (root.name !== name || acts.confirmed.has(root.id) || index.otherNames(root).length > 0);
    changed.push((described || named) && !(held && root.name === name) ? row : undefined);
    known.push(held ? row : undefined);
  }
  const clusters = clusterOfEach(there);
  const members = new Map<number, string[]>();
  for (const [item, key] of there.sample.entries()) {
    const row = changed[clusters[item]] ?? known[there.cut?.known[item] ?? -1];
    if (row !== undefined) pushTo(members, row, key);
  }
  return [...members].map(([row, keys]) => ({ act: 0, row, members: keys }));
}
