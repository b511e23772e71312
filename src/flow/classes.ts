/**
 * The classes that a flow names, in the corpus. Only what is not there yet is made: what people changed since (names,
 * parents, descriptions) holds.
 */
import { change } from '../corpus/corpus.ts';
import { adoptNames } from '../corpus/same-names.ts';
import type { Store } from '../store/store.ts';
import type { Flow } from './flow.ts';

export async function prepareClasses(store: Store, classes: Flow['classes']): Promise<number> {
  await adoptNames(store, Object.keys(classes ?? {}));
  const { classes: there, synonyms } = await store.corpus();
  const known = new Set([...[...there.values()].map(({ name }) => name), ...synonyms.keys()]);
  const wanted = Object.entries(classes ?? {}).filter(([name]) => !known.has(name));
  if (wanted.length === 0) return 0;
  const entries = wanted.map(([name, said]) => {
    const { synonyms: others = [], parent = null, description = null } = said ?? {};
    const free = others.filter((other) => !known.has(other));
    return { name, synonyms: free, parent, description, synset: null, where: `classes.${name} of the flow` };
  });
  const named = new Set([...known, ...wanted.map(([name]) => name)]);
  const parents = new Set(entries.flatMap(({ parent }) => (parent === null || named.has(parent) ? [] : [parent])));
  const above = [...parents].map((name) => {
    return { name, synonyms: [], parent: null, description: null, synset: null, where: `classes of the flow` };
  });
  await change(store, { kind: 'import', entries: [...above, ...entries] });
  return wanted.length;
}
