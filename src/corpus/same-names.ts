/**
 * Which classes names stand for, by the one rule of `core/class-name.ts`: the class that has the name or had it; else the only
 * one that has, or else had, a name which differs by letters' case, blanks or Unicode form alone. Where a list has two such
 * names, or the corpus has two such classes (`a` and `A` of a set of letters), they are meant apart.
 */
import { foldClassName, readClassName } from '../core/class-name.ts';
import type { CorpusState } from '../core/corpus.ts';
import type { Store } from '../store/store.ts';
import { change } from './corpus.ts';
import { CorpusIndex } from './state.ts';

/** What a name that a person gives now is called here; itself where it is new. */
export async function nameHere(store: Pick<Store, 'corpus'>, name: string): Promise<string> {
  return new CorpusIndex(await store.corpus()).find(name)?.name ?? name;
}

/**
 * Makes the classes of a whole list of names that somebody else gave: those of a model, of folders, of a flow. One that is
 * nearly the name of a class here becomes another word for it, which stands in the history and can be undone.
 */
export async function ensureClassesOf(store: Store, names: readonly string[]): Promise<void> {
  await adoptNames(store, names);
  await store.ensureClasses(names);
}

/** The same without making any. */
export async function adoptNames(store: Store, names: readonly string[]): Promise<void> {
  for (const [synonym, name] of sameNames(await store.corpus(), names)) {
    await change(store, { kind: 'alias', name, synonym });
  }
}

/** The names of a list that are new and stand for a class that is here, with its name. */
export function sameNames(state: CorpusState, names: readonly string[]): Map<string, string> {
  const index = new CorpusIndex(state);
  const spellings = new Map<string, Set<string>>();
  for (const text of names) {
    const reading = readClassName(text);
    if (reading.kind === 'refused') continue;
    const folded = foldClassName(reading.name);
    spellings.set(folded, (spellings.get(folded) ?? new Set()).add(reading.name));
  }
  const same = new Map<string, string>();
  for (const [folded, [name, another]] of spellings) {
    if (another !== undefined || index.owner(name) !== undefined) continue;
    const meant = index.alike(folded);
    if (meant !== undefined) same.set(name, meant.name);
  }
  return same;
}
