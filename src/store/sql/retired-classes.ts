/**
 * Classes that nothing hangs on and that stay in the record for the history's sake alone: clusters that are no more, of which an operation
 * speaks. They are listed again once they have a label, or anything beside their name.
 */
import { z } from 'zod';
import type { CorpusClass, CorpusState } from '../../core/corpus.ts';
import { parsed } from './column.ts';
import type { Session } from './session.ts';
import { insert } from './table.ts';
import { settings } from './tables.ts';
import type { Work } from './work.ts';

const KEY = 'retired classes';
const IDS = z.array(z.number());
const put = insert(settings, { existing: 'replace' });

export function retiredQuery(db: Session['db']) {
  return db.selectFrom('setting').select('value').where('key', '=', KEY);
}

export function retiredOf([row]: readonly { readonly value: string }[]): Set<number> {
  return new Set(row === undefined ? [] : parsed(IDS, row.value, `setting ${KEY}`));
}

export async function retire(work: Work, ids: readonly number[], { classes }: CorpusState): Promise<void> {
  const [rows] = await work.read([retiredQuery(work.db)]);
  const before = retiredOf(rows);
  const all = new Set([...before, ...ids].filter((id) => classes.has(id)));
  if (all.size === before.size && ids.every((id) => before.has(id))) return;
  work.add(put, { key: KEY, value: JSON.stringify([...all].sort((a, b) => a - b)) });
}

/** Classes that are a name and nothing more. */
export function bareClasses({ classes, synonyms }: CorpusState): CorpusClass[] {
  const leant = new Set(synonyms.values());
  for (const { id, rootId, parentId } of classes.values()) {
    if (rootId !== id) leant.add(rootId);
    if (parentId !== null) leant.add(parentId);
  }
  return [...classes.values()].filter(
    ({ id, rootId, parentId, placed, description, synset }) =>
      rootId === id && parentId === null && !placed && description === null && synset === null && !leant.has(id),
  );
}
