/** What clusters are called by now: acts on the corpus since they were made are seen through (`people-acts.ts`). */
import type { Store } from '../../store/store.ts';
import { ClassRows, type CorpusNow, corpusNow } from './class-rows.ts';
import { type ClusterModel, clusterOfEach, type NamedCluster } from './cluster-model.ts';
import { actsUntilNow, rootOfRow, rowOfEach, rowsHeld } from './people-acts.ts';
import { sampleKey } from './sample.ts';

export interface ClusterNow extends NamedCluster {
  /** Its place in the model. */
  readonly number: number;
  /** What its class is called by now. */
  readonly name: string;
  /** Whether its class exists: classes come with the first labels. */
  readonly exists: boolean;
  /** Somebody gave it its name, or did something else to it. */
  readonly held: boolean;
}

/**
 * The clusters in order, each once for every class that its items are of: a merge that was undone since leaves several. Those of one
 * class stand behind each other as they are in the model.
 */
export async function clustersNow(
  store: Pick<Store, 'corpus' | 'corpusLog'>,
  model: ClusterModel,
): Promise<ClusterNow[]> {
  const now = await corpusNow(store);
  const names = namesOfEach(model, now);
  const held = namesHeld(model, now);
  const clusterOf = clusterOfEach(model);
  const whenMade = namesOfEach(model, now, (act) => act <= (model.acts?.stood ?? 0) && now.acts.stands(act));
  const counts = model.clusters.map(() => new Map<string, number>());
  const nameOf = new Map<string, string>();
  for (const [item, key] of model.sample.entries()) {
    const [own, name] = [counts[clusterOf[item]], names.root[item]];
    if (own === undefined || name === undefined) continue;
    own.set(name, (own.get(name) ?? 0) + 1);
    nameOf.set(key, name);
    // What came later stays in the class of the cluster that it was put into, though all of the sample is of another by an act that
    // was redone, until the next labels.
    const before = whenMade.root[item];
    if (before !== undefined && before !== name) own.set(before, own.get(before) ?? 0);
  }
  return model.clusters.flatMap((cluster, number) => {
    const sizes = [...counts[number]].sort(([, a], [, b]) => b - a);
    return sizes.map(([name], _, all) => {
      const isOwn = (id: string) => all.length === 1 || nameOf.get(sampleKey(id)) === name;
      const exemplars = cluster.exemplars.filter(isOwn);
      const exists = now.index.owner(name) !== undefined;
      return { ...cluster, number, name, exists, held: held.has(name), exemplars };
    });
  });
}

export interface NamesOfItems {
  /** What each item of the sample is labelled as: the class as it is written down, merged or not; undefined for none. */
  readonly written: readonly (string | undefined)[];
  /** What that counts as. */
  readonly root: readonly (string | undefined)[];
}

/** @param stood which acts count (default: those that stand) */
export function namesOfEach(model: ClusterModel, now: CorpusNow, stood?: (act: number) => boolean): NamesOfItems {
  const rows = new ClassRows(model.acts?.rows);
  const places = rowOfEach(model, now, rows, stood);
  const entries = rows.rows.map((row) => ({ own: now.state.classes.get(row.classId), root: rootOfRow(row, now) }));
  const clusters = clusterOfEach(model);
  const names = Array.from(places, (place, item) => {
    const entry = entries[place];
    // Classes come with their first labels, so that of a new cluster there may be none yet.
    const plain = model.clusters[clusters[item]]?.name;
    return { written: entry?.own?.name ?? plain, root: entry?.root?.name ?? plain };
  });
  return { written: names.map(({ written }) => written), root: names.map(({ root }) => root) };
}

/** An item that the clusters were not made of, and that people's acts are about. */
export interface HeldBeside {
  readonly cluster: number;
  /** What it is labelled as, and what that counts as. */
  readonly written: string;
  readonly root: string;
}

/** Such items by the first 16 digits of their ids, as far as there is a cluster of their class. */
export function heldBeside(model: ClusterModel, now: CorpusNow): Map<string, HeldBeside> {
  const record = actsUntilNow(model, now);
  const sampled = new Set(model.sample);
  const rowOf = [...rowsHeld(record, now)].filter(([key]) => !sampled.has(key));
  const beside = new Map<string, HeldBeside>();
  if (rowOf.length === 0) return beside;
  const clusters = clusterOfEach(model);
  const clusterOf = new Map(namesOfEach(model, now).root.map((name, item) => [name, clusters[item]]));
  for (const [key, place] of rowOf) {
    const row = record.rows[place];
    const [written, root] = [now.state.classes.get(row.classId)?.name, rootOfRow(row, now)?.name];
    const cluster = clusterOf.get(root) ?? -1;
    if (written !== undefined && root !== undefined && cluster >= 0) beside.set(key, { cluster, written, root });
  }
  return beside;
}

function namesHeld(model: ClusterModel, now: CorpusNow): Set<string> {
  const record = actsUntilNow(model, now);
  const places = new Set(rowsHeld(record, now).values());
  return new Set([...places].flatMap((place) => rootOfRow(record.rows[place], now)?.name ?? []));
}
