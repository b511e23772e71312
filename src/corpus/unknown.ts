/** Names that stand for no class of a corpus, with those that were probably meant. */
import type { CorpusState } from '../core/corpus.ts';
import { nearestNames } from '../core/nearest-names.ts';
import { CorpusIndex } from './state.ts';

export interface UnknownClass {
  readonly name: string;
  readonly near: readonly string[];
}

export function unknownClasses(state: CorpusState, names: Iterable<string>): UnknownClass[] {
  const index = new CorpusIndex(state);
  const known = [...[...state.classes.values()].map(({ name }) => name), ...state.synonyms.keys()];
  return [...names]
    .filter((name) => index.find(name) === undefined)
    .map((name) => ({ name, near: nearestNames(name, known) }));
}
