/** The corpus as it is, and the classes of it that items of clusters are of (`people-acts.ts`). */
import type { CorpusState } from '../../core/corpus.ts';
import { Acts } from '../../corpus/acts.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import type { Store } from '../../store/store.ts';
import type { ClassRow } from './cluster-model.ts';

/** The corpus with the acts on it. */
export interface CorpusNow {
  readonly state: CorpusState;
  readonly index: CorpusIndex;
  readonly acts: Acts;
}

export async function corpusNow(store: Pick<Store, 'corpus' | 'corpusLog'>): Promise<CorpusNow> {
  const [state, log] = [await store.corpus(), await store.corpusLog()];
  return { state, index: new CorpusIndex(state), acts: new Acts(state, log) };
}

/** Rows of classes, each once. */
export class ClassRows {
  readonly rows: ClassRow[];
  readonly #placeOf = new Map<string, number>();

  constructor(rows: readonly ClassRow[] = []) {
    this.rows = [...rows];
    for (const [place, row] of this.rows.entries()) this.#placeOf.set(keyOf(row), place);
  }

  place(row: ClassRow): number {
    const there = this.#placeOf.get(keyOf(row));
    if (there !== undefined) return there;
    this.#placeOf.set(keyOf(row), this.rows.length);
    return this.rows.push(row) - 1;
  }

  /** What a row stands for: of a part whose split does not stand that is what it was a part of. */
  standing(place: number, stands: (act: number) => boolean): number {
    const { splitBy, from } = this.rows[place];
    return splitBy === undefined || from === undefined || stands(splitBy) ? place : this.standing(from, stands);
  }
}

const keyOf = ({ classId, splitBy = 0, from = -1 }: ClassRow) => `${classId} ${splitBy} ${from}`;
