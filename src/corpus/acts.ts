/**
 * The operations of the history as acts on classes: which hold, which can be done again, and whom each was about. Pure.
 *
 * The history is a stack. An operation that was undone can be redone until another is done in its place; from then on it is
 * as if it had never been, and no act. The others, in order of id, are the acts: first those that stand, then those that can be redone.
 */
import { namesConfirmedBy } from '../core/confirmed-names.ts';
import { type CorpusClass, type CorpusState, type LoggedChange, withRows } from '../core/corpus.ts';
import { CorpusIndex } from './state.ts';

export interface Act {
  /** Of its operation; grows with time. */
  readonly id: number;
  readonly stands: boolean;
  readonly atMs: number;
  /** Ids of the classes whose name, meaning or place it decided, with all that counted as these, before it or after. */
  readonly classes: ReadonlySet<number>;
  /** Those of them of which somebody said that they are called what they are called; that changes no row. */
  readonly confirmed: readonly number[];
}

export class Acts {
  /** In order of id. */
  readonly all: readonly Act[];
  /** Of the newest operation there is, whether it stands or not; 0 where there is none. */
  readonly newest: number;
  /** Of the newest that stands; 0 where none does. */
  readonly newestStanding: number;
  readonly #byId: ReadonlyMap<number, Act>;

  /** @param log of the history, in any order */
  constructor(now: CorpusState, log: readonly LoggedChange[]) {
    const newestFirst = log.toSorted((a, b) => b.event.id - a.event.id);
    this.newest = newestFirst[0]?.event.id ?? 0;
    this.newestStanding = newestFirst.find(({ undoneBy }) => undoneBy === 0)?.event.id ?? 0;
    this.all = actsFrom(now, stackOf(newestFirst));
    this.#byId = new Map(this.all.map((act) => [act.id, act]));
  }

  /** Whether the operation stands or can be redone. */
  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Classes of which an act that stands confirmed the name. */
  get confirmed(): ReadonlySet<number> {
    return new Set(this.all.flatMap(({ stands, confirmed }) => (stands ? confirmed : [])));
  }

  stands(id: number): boolean {
    return this.#byId.get(id)?.stands === true;
  }
}

/** Those that stand or can be redone, in order of id. What was undone before a newer one was done is older than that one's undoing. */
function stackOf(newestFirst: readonly LoggedChange[]): LoggedChange[] {
  const stack: LoggedChange[] = [];
  let undoneLast = 0;
  for (const entry of newestFirst) {
    const { undoneBy } = entry;
    if (undoneBy !== 0 && undoneBy < undoneLast) continue;
    stack.push(entry);
    undoneLast = undoneBy === 0 ? Number.POSITIVE_INFINITY : undoneBy;
  }
  return stack.reverse();
}

function actsFrom(now: CorpusState, stack: readonly LoggedChange[]): Act[] {
  const standing = stack.filter(({ undoneBy }) => undoneBy === 0);
  let state = standing.reduceRight((after, { backward }) => withRows(after, backward), now);
  return stack.map((entry) => {
    const before = state;
    state = withRows(state, entry.forward);
    const confirmed = confirmedBy(entry.event, state);
    const classes = classesOf(entry, confirmed, before, state);
    return { id: entry.event.id, stands: entry.undoneBy === 0, atMs: entry.event.atMs, classes, confirmed };
  });
}

function classesOf(
  { forward, backward }: LoggedChange,
  confirmed: readonly number[],
  before: CorpusState,
  after: CorpusState,
): Set<number> {
  const decided = new Set([...confirmed, ...forward.classes.map(([id]) => id)]);
  for (const [, id] of [...forward.synonyms, ...backward.synonyms]) if (id !== null) decided.add(id);
  const states = [before.classes, after.classes];
  const roots = new Set(states.flatMap((classes) => [...decided].flatMap((id) => classes.get(id)?.rootId ?? [])));
  const about = new Set<number>();
  for (const classes of states) for (const { id, rootId } of classes.values()) if (roots.has(rootId)) about.add(id);
  return about;
}

function confirmedBy(event: LoggedChange['event'], state: CorpusState): number[] {
  const same = namesConfirmedBy(event);
  if (same.length === 0) return [];
  const index = new CorpusIndex(state);
  return same.map((name) => index.find(name)).flatMap((root: CorpusClass | undefined) => (root ? [root.id] : []));
}
