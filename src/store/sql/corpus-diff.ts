/** The difference between two states of the corpus as rows. */
import { isDeepStrictEqual } from 'node:util';
import type { CorpusState, RowChanges } from '../../core/corpus.ts';

/** What of `after` is other than in `before`, in order of id and name. */
export function changedRows(before: CorpusState, after: CorpusState): RowChanges {
  const ids = [...new Set([...before.classes.keys(), ...after.classes.keys()])].sort((a, b) => a - b);
  const names = [...new Set([...before.synonyms.keys(), ...after.synonyms.keys()])].sort();
  return {
    classes: ids
      .filter((id) => !isDeepStrictEqual(before.classes.get(id), after.classes.get(id)))
      .map((id) => [id, after.classes.get(id) ?? null]),
    synonyms: names
      .filter((name) => before.synonyms.get(name) !== after.synonyms.get(name))
      .map((name) => [name, after.synonyms.get(name) ?? null]),
  };
}
