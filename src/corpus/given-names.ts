/** Names that people gave to classes, in a sheet of `corpus names`, or by `corpus rename` or `merge`; an undone operation gives none. */
import { z } from 'zod';
import { toClassName } from '../core/class-name.ts';
import { pairsOf } from '../core/confirmed-names.ts';
import type { CorpusStore } from '../store/corpus-store.ts';

const MERGED = z.object({ into: z.string() });

/** Whether the class had each name before or not. */
export async function givenNames(store: Pick<CorpusStore, 'corpusHistory'>): Promise<Set<string>> {
  const names = new Set<string>();
  for (const event of await store.corpusHistory()) {
    if (event.undone) continue;
    const { success, data } = MERGED.safeParse(event.operation === 'merge' ? event.arguments : null);
    for (const name of [...pairsOf(event).map(([, to]) => to), ...(success ? [data.into] : [])]) {
      names.add(toClassName(name));
    }
  }
  return names;
}
