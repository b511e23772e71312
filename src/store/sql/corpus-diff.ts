/** The difference between two states of the corpus as rows, and back. */
import { isDeepStrictEqual } from 'node:util';
import type { CorpusClass, CorpusState } from '../../core/corpus.ts';

/** A row as it is to be; null where there is to be none. */
export type RowChange = readonly [id: number, row: CorpusClass | null];

export interface RowChanges {
  readonly classes: readonly RowChange[];
  readonly synonyms: readonly (readonly [name: string, classId: number | null])[];
}

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

export function withRows(state: CorpusState, rows: RowChanges): CorpusState {
  const classes = new Map(state.classes);
  const synonyms = new Map(state.synonyms);
  for (const [id, row] of rows.classes) {
    if (row) classes.set(id, row);
    else classes.delete(id);
  }
  for (const [name, id] of rows.synonyms) {
    if (id === null) synonyms.delete(name);
    else synonyms.set(name, id);
  }
  return { classes, synonyms };
}
