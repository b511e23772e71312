/** Names of classes in what was kept from earlier runs: they follow what `corpus` renamed and merged since. */
import type { Store } from '../store/store.ts';

/** Gives what a class is called by now; a name that no class has or had stays as it is. */
export async function namesNow(store: Pick<Store, 'classes'>): Promise<(name: string) => string> {
  const nowOf = new Map<string, string>();
  for (const { name, synonyms } of await store.classes()) for (const one of [...synonyms, name]) nowOf.set(one, name);
  return (name) => nowOf.get(name) ?? name;
}
