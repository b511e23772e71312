/**
 * ImageNet's classes as names for what is in images, and what of WordNet stands above them (`voted-names.ts`).
 */
import { IMAGENET_SYNSETS } from './imagenet-synsets.ts';
import { type VotedNames, votedNamesOf } from './voted-names.ts';
import type { WordNet } from './wordnet.ts';

export function imagenetNames(wordNet: WordNet): VotedNames {
  return votedNamesOf(
    wordNet,
    IMAGENET_SYNSETS.map((key) => ({ synset: wordNet.synset(key) })),
  );
}
