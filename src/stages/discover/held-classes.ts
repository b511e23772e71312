/**
 * Classes of a task that are people's, with the items that are known to be theirs. A new clustering goes around them: it
 * proposes other classes beside them and never takes a name away.
 *
 * A cluster is people's, with all its items, when somebody gave it its name or said that the one it has is right, merged it, described it, gave it another word or
 * a place; what later cuts add to it is the machine's again. Beside that an item is of the class that a person says of it.
 * Items held out to measure accuracy steer nothing.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, NONE_OF_THESE } from '../../core/labels.ts';
import { confirmedNames } from '../../corpus/confirmed-names.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import type { Store } from '../../store/store.ts';
import { type ClusterModel, clustersOf, knownOf } from './cluster-model.ts';

export interface HeldClasses {
  /** In order of name. */
  readonly names: readonly string[];
  /** Of each, whether a cluster of that name is people's, and not single items alone. */
  readonly whole: readonly boolean[];
  /** The place in `names` of each item that is known to be of one. */
  readonly classOf: IdMap;
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
  const nameOf = await namesByPeople(store, task, ids);
  const ofClusters = there ? await namesOfHeldClusters(store, there) : undefined;
  if (ofClusters) for (const [i, id] of ids.entries()) nameOf[i] ??= ofClusters.nameOf(id);
  const names = [...new Set(nameOf.filter((name) => name !== undefined))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const classOf = new IdMap();
  for (const [i, name] of nameOf.entries()) {
    const place = name === undefined ? undefined : places.get(name);
    if (place !== undefined) classOf.set(ids[i], place);
  }
  return { names, whole: names.map((name) => ofClusters?.names.has(name) ?? false), classOf };
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

/** The names of clusters that are people's, and of the items that belong to them for certain. */
async function namesOfHeldClusters(store: Pick<Store, 'corpus' | 'corpusHistory'>, there: ClusterModel) {
  const index = new CorpusIndex(await store.corpus());
  const confirmed = await confirmedNames(store);
  const changed: (string | undefined)[] = [];
  const known: (string | undefined)[] = [];
  for (const { name: last, held: lastHeld = false, partOf, ofHeld = false } of there.clusters) {
    const whole = index.find(last) ? undefined : partOf;
    const [name, held] = whole === undefined ? [last, lastHeld] : [whole, ofHeld];
    const root = index.find(name);
    const described = root && (root.placed || root.description !== null || root.synset !== null);
    const named = root && (root.name !== name || confirmed.has(name) || index.otherNames(root).length > 0);
    const touched = described || named;
    changed.push(root && touched && !(held && root.name === name) ? root.name : undefined);
    known.push(root && held ? root.name : undefined);
  }
  const [own, ownKnown] = [clustersOf(there), knownOf(there)];
  return {
    names: new Set([...changed, ...known].filter((name) => name !== undefined)),
    nameOf: (id: ItemId) => changed[own.get(id) ?? -1] ?? known[ownKnown.get(id) ?? -1],
  };
}
