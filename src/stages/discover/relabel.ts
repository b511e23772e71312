/**
 * Labels of clusters after an act was undone or done again. Items that it was about are labelled as the clusters that were made
 * in between, and parts that were split off as their whole; they get the class of the act at once, and not with the next cut only.
 */
import type { CorpusEvent } from '../../core/corpus.ts';
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import type { NewLabel, Store } from '../../store/store.ts';
import { corpusNow } from './class-rows.ts';
import { type ClusterModel, savedModel } from './cluster-model.ts';
import { heldBeside, namesOfEach } from './clusters-now.ts';
import { undoneSince } from './people-acts.ts';
import { sampleKey } from './sample.ts';

/** Items a page of labels. */
const PAGE = 500;

/** As the store's, with labels of clusters that say the same. */
export async function undoCorpusChange(store: Store): Promise<CorpusEvent | null> {
  const event = await store.undoCorpusChange();
  if (event) await relabelClusters(store, event.id);
  return event;
}

/**
 * After an operation on the corpus was undone or redone. Where labels can differ it costs a pass over the images. Items that
 * are not of a task's sample, and that no act was about, are left to the next `discover`.
 */
export async function relabelClusters(store: Store, act: number): Promise<void> {
  for (const { name: task } of await store.tasks()) {
    const model = await savedModel(store, task);
    if (!model?.acts) continue;
    const now = await corpusNow(store);
    const isSplit = partsOf(model, act);
    // What else stood when the clusters were made the record itself gives back.
    const isNew = act > model.acts.stood && act <= model.acts.seen;
    if (!isNew && !now.acts.stands(act) && !isSplit.includes(true)) continue;
    const names = namesOfEach(model, now);
    const beside = heldBeside(model, now);
    const placeOf = new IdMap();
    for (const [place, key] of model.sample.entries()) placeOf.set(key, place);
    let page: ItemId[] = [];
    const relabel = async () => {
      const labels = await store.labelsOf(page, task);
      const changed = page.flatMap((itemId): NewLabel[] => {
        const said = labels.get(itemId)?.find(({ origin, present }) => present && origin === 'cluster');
        const place = placeOf.get(itemId) ?? -1;
        const other = beside.get(sampleKey(itemId));
        const className = names.written[place] ?? other?.written;
        if (said === undefined || className === undefined) return [];
        // Parts of what was merged go back to what each was.
        if (said.className === (names.root[place] ?? other?.root) && !isSplit[place]) return [];
        const { confidence, runId } = said;
        return [{ itemId, task, className, present: true, origin: 'cluster', confidence, runId }];
      });
      if (changed.length > 0) await store.putLabels(changed, { replace: true });
      page = [];
    };
    for await (const image of store.dataset({ task })) {
      for (const { id } of [image, ...image.regions]) {
        if (placeOf.get(id) !== undefined || beside.has(sampleKey(id))) page.push(id);
      }
      if (page.length >= PAGE) await relabel();
    }
    await relabel();
    await store.dropUnusedClasses(model.clusters.map(({ name }) => name));
  }
}

/** Tasks whose clusters were made around an operation that was undone since, in order: the next `discover` cuts them again. */
export async function tasksToCutAgain(
  store: Pick<Store, 'tasks' | 'artifact' | 'corpus' | 'corpusLog'>,
): Promise<string[]> {
  const { acts } = await corpusNow(store);
  const found: string[] = [];
  for (const { name } of await store.tasks()) {
    const model = await savedModel(store, name);
    if (model && undoneSince(model, acts)) found.push(name);
  }
  return found.sort();
}

/** Of each item of the sample whether it is in a part that the act split off. */
function partsOf({ sample, cut, acts }: ClusterModel, act: number): boolean[] {
  const isPart = (place: number | undefined): boolean => {
    const row = acts?.rows[place ?? -1];
    return row !== undefined && (row.splitBy === act || isPart(row.from));
  };
  return sample.map((_, item) => isPart(cut?.rows?.[item]));
}
