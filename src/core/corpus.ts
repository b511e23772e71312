/** The corpus of classes as plain data: what operations on it take and give, and what its history says. */
import type { ItemId } from './ids.ts';

/** A class, or one that was merged and now counts as another. */
export interface CorpusClass {
  /** Below 0 for one that an operation makes: the store gives it its number. */
  readonly id: number;
  readonly name: string;
  /** The class it counts as; its own id unless it was merged. Never a class that was merged itself. */
  readonly rootId: number;
  readonly parentId: number | null;
  /** A person said where it stands; without a parent that means at the top. Else WordNet may place it. */
  readonly placed: boolean;
  readonly description: string | null;
  /** WordNet synset such as `dog.n.01`; null where nobody said one. */
  readonly synset: string | null;
}

/** Names of classes, merged ones too, and synonyms are all different. */
export interface CorpusState {
  /** By id. */
  readonly classes: ReadonlyMap<number, CorpusClass>;
  /** To the id of the class that each was given to. */
  readonly synonyms: ReadonlyMap<string, number>;
}

/** One item goes from a class to another within a task. Ids of classes are those of the state after the operation. */
export interface Reassignment {
  readonly itemId: ItemId;
  readonly task: string;
  readonly from: number;
  readonly to: number;
}

/** What an operation makes of the corpus. */
export interface CorpusChange {
  readonly state: CorpusState;
  /**
   * `word`: a person says of each item that it is the one and not the other. `move`: labels of every origin change
   * their class and keep the rest.
   */
  readonly items?: { readonly how: 'word' | 'move'; readonly list: readonly Reassignment[] };
  /** It goes into the history although no row changes: a person said that something is as it is. */
  readonly confirms?: boolean;
  /** What it is in the history, where what was asked comes to another operation. Default: what was asked. */
  readonly told?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
}

/** One operation as the history shows it. */
export interface CorpusEvent {
  /** Grows with time. */
  readonly id: number;
  readonly atMs: number;
  /** `rename`, `merge`, … */
  readonly operation: string;
  /** What it was asked: names, files. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly undone: boolean;
  /** Labels that it wrote, moved or took away. */
  readonly labels: number;
}

/** A row as it is to be; null where there is to be none. */
export type RowChange = readonly [id: number, row: CorpusClass | null];

/** What of one state is other than in another. */
export interface RowChanges {
  readonly classes: readonly RowChange[];
  readonly synonyms: readonly (readonly [name: string, classId: number | null])[];
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

/** One operation with the rows that it changed. */
export interface LoggedChange {
  readonly event: CorpusEvent;
  /** The change that undid it, of which later ones are larger; 0 where it stands. */
  readonly undoneBy: number;
  /** Labels of this sequence and later ones were written after it was done, or done again. */
  readonly since: number;
  readonly forward: RowChanges;
  readonly backward: RowChanges;
}
