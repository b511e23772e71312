/**
 * Names that operations gave and that were undone. What people said under such a name since is of a class of its own by now
 * (`labels-since.ts`), and was said of the classes that had the name then.
 */
import type { CorpusClass, CorpusState, LoggedChange } from '../../core/corpus.ts';

/** @returns by the id of a class that has such a name now, the ids of those that had it; all of them classes that count as themselves */
export function classesMeant(
  state: CorpusState,
  undone: readonly Pick<LoggedChange, 'event' | 'forward' | 'backward'>[],
): Map<number, Set<number>> {
  const meant = new Map<number, Set<number>>();
  if (undone.length === 0) return meant;
  const ids = new Map([...state.synonyms, ...[...state.classes.values()].map(({ name, id }) => [name, id] as const)]);
  const rootOf = (id: number | undefined) => (id === undefined ? undefined : state.classes.get(id)?.rootId);
  for (const { event, forward, backward } of undone) {
    const before = new Map(backward.classes);
    for (const row of namesGiven(forward.classes, before)) {
      const named = rootOf(ids.get(row.name));
      if (named === undefined) continue;
      const members = forward.classes.flatMap(([id, own]) => (own?.rootId === row.id && before.get(id) ? [id] : []));
      const whole = event.operation.startsWith('split') ? ids.get(String(event.arguments.name)) : undefined;
      for (const had of [...members, whole].map(rootOf)) {
        if (had === undefined || had === named) continue;
        meant.set(named, (meant.get(named) ?? new Set()).add(had));
      }
    }
  }
  return meant;
}

/** Classes that the operation made, or gave another name. */
function namesGiven(
  after: LoggedChange['forward']['classes'],
  before: ReadonlyMap<number, CorpusClass | null>,
): CorpusClass[] {
  return after.flatMap(([id, row]) => (row?.rootId === id && before.get(id)?.name !== row.name ? [row] : []));
}
