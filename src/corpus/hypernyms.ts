/** What a name is a kind of, by WordNet: for names of clusters in which several kinds of one thing are together. */
import { groundingOf } from './grounding.ts';
import type { WordNet } from './wordnet.ts';

/** Hypernyms under which nearly everything falls; first words of their synsets. */
export const TOO_GENERAL: ReadonlySet<string> = new Set([
  'entity',
  'physical entity',
  'abstraction',
  'object',
  'whole',
  'thing',
  'matter',
  'substance',
  'solid',
  'material',
  'part',
  'unit',
  'group',
  'artifact',
  'instrumentality',
  'article',
  'commodity',
  'natural object',
  'living thing',
  'organism',
  'causal agent',
]);

/**
 * The names of what it is a kind of, the nearest first, as far as they say something. Empty for a name that WordNet has not
 * or that has no clear meaning.
 */
export function hypernymsOf(wordNet: WordNet, name: string): readonly string[] {
  const found = groundingOf(wordNet, { name, synonyms: [], synset: null, detected: false });
  if (!found) return [];
  return wordNet
    .chain(found.synset)
    .map(({ words }) => words[0])
    .filter((word) => !TOO_GENERAL.has(word));
}
