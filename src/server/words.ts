/** Words to name a class with, as they are typed: own classes and their synonyms, then nouns of WordNet. */
import { wordNet } from '../corpus/wordnet.ts';
import type { Store } from '../store/store.ts';

export interface Word {
  readonly name: string;
  /** A class that is here already. */
  readonly own: boolean;
  readonly what: string | null;
}

const MAX_WORDS = 12;

export async function wordsLike(store: Pick<Store, 'corpus'>, begins: string): Promise<Word[]> {
  const asked = begins.trim().toLowerCase();
  const { classes } = await store.corpus();
  const own = [...classes.values()].filter(({ id, rootId }) => id === rootId).map(({ name }) => name);
  const rank = (name: string) => (name.toLowerCase().startsWith(asked) ? 0 : 1);
  const found = own
    .filter((name) => name.toLowerCase().includes(asked))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .slice(0, MAX_WORDS)
    .map((name): Word => ({ name, own: true, what: null }));
  const known = new Set(found.map(({ name }) => name));
  for (const { synset } of wordNet().senses(asked)) {
    for (const name of synset.words.slice(0, 1)) {
      if (known.has(name) || found.length >= MAX_WORDS) continue;
      known.add(name);
      found.push({ name, own: false, what: synset.definition });
    }
  }
  for (const name of wordNet().beginning(asked, MAX_WORDS)) {
    if (known.has(name) || found.length >= MAX_WORDS) continue;
    known.add(name);
    const what = wordNet().senses(name)[0]?.synset.definition ?? null;
    found.push({ name, own: false, what });
  }
  return found;
}
