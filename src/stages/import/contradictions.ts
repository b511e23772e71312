/**
 * What people said before of the images of a file that is only added to it, and the file says otherwise: a second person's file
 * after the first one's. Both words are kept; the newer holds, and that is told.
 */
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, NONE_OF_THESE } from '../../core/labels.ts';
import type { NewLabel, Store } from '../../store/store.ts';
import { type Note, namesIn } from './notes.ts';
import type { PlannedEntry } from './plan.ts';
import type { Rows } from './rows.ts';

/** In tasks of one class an item, of whole images. */
export async function contradictionsIn(
  store: Pick<Store, 'labelsOf' | 'tasks'>,
  page: readonly PlannedEntry[],
  { labels }: Pick<Rows, 'labels'>,
): Promise<Note[]> {
  const single = new Set((await store.tasks()).flatMap(({ name, rule }) => (rule === 'single' ? [name] : [])));
  const said = Map.groupBy(
    labels.filter((label) => isWord(label) && single.has(label.task)),
    ({ itemId }) => itemId,
  );
  if (said.size === 0) return [];
  const entries = new Map<ItemId, PlannedEntry>(page.map((entry) => [entry.image.id, entry]));
  const before = await store.labelsOf([...said.keys()].filter((id) => entries.has(id)));
  return [...before].flatMap(([itemId, there]): Note[] => {
    const entry = entries.get(itemId);
    if (entry === undefined) return [];
    const now = said.get(itemId) ?? [];
    const otherwise = [...new Set(now.map(({ task }) => task))].flatMap((task) =>
      currentLabels(
        there.filter((label) => label.task === task && label.origin === 'human'),
        'single',
      ).filter(({ className }) => now.every((label) => label.task !== task || label.className !== className)),
    );
    return otherwise.length === 0
      ? []
      : [['person-contradicted', entry.where, `${entry.file}: it was ${namesIn(otherwise).join(', ')}`]];
  });
}

const isWord = ({ origin, present, className }: NewLabel) =>
  origin === 'human' && present && className !== NONE_OF_THESE;
