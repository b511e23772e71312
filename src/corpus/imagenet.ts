/**
 * ImageNet's classes as names for what is in images, and what of WordNet stands above them: a name for a class, and names for
 * what several of its classes are kinds of.
 */
import { TOO_GENERAL } from './hypernyms.ts';
import { IMAGENET_SYNSETS } from './imagenet-synsets.ts';
import type { Synset, WordNet } from './wordnet.ts';

/** What a class is, or what it is a kind of. */
export interface VotedName {
  readonly name: string;
  readonly synset: string;
  /** How many of the classes are kinds of it; 1 for a class itself. */
  readonly classes: number;
}

export interface VotedNames {
  readonly names: readonly VotedName[];
  /** For each class, shape [classes]: its own place among the names, then those of what it is a kind of, the nearest first. */
  readonly of: readonly (readonly number[])[];
}

/** Of more classes than these says too little: 118 of them are dogs, 218 mammals. */
const MAX_CLASSES = 130;

/** True of much that has nothing to do with each other, and so no help as a name. First words of synsets. */
const VAGUE: ReadonlySet<string> = new Set([
  ...['device', 'instrument', 'equipment', 'implement', 'mechanism', 'machine', 'system', 'electronic equipment'],
  ...['electrical device', 'mechanical device', 'covering', 'protective covering', 'structure', 'container', 'barrier'],
  ...['creation', 'product', 'way', 'surface', 'area', 'obstruction', 'support', 'decoration', 'consumer goods'],
  ...['durables', 'sheet', 'furnishing', 'geological formation', 'strip', 'restraint', 'nutriment', 'communication'],
  ...['signal', 'building material', 'person', 'mercantile establishment', 'establishment', 'place of business'],
  ...['facility', 'fabric', 'textile', 'relation', 'possession'],
]);

export function imagenetNames(wordNet: WordNet): VotedNames {
  const places = new Map<number, number>();
  const synsets: Synset[] = [];
  const placeOf = (synset: Synset) => {
    const known = places.get(synset.offset);
    if (known !== undefined) return known;
    places.set(synset.offset, synsets.length);
    return synsets.push(synset) - 1;
  };
  const chains = IMAGENET_SYNSETS.map((key) => {
    const synset = wordNet.synset(key);
    return synset ? allAbove(wordNet, synset).map(placeOf) : [];
  });
  const classes = new Int32Array(synsets.length);
  for (const chain of chains) for (const place of chain) classes[place] = classes[place] + 1;
  const helps = synsets.map(({ words: [word] }, place) => {
    return classes[place] <= MAX_CLASSES && !TOO_GENERAL.has(word) && !VAGUE.has(word);
  });
  return {
    names: synsets.map(({ words: [name], key }, place) => ({ name, synset: key, classes: classes[place] })),
    of: chains.map(([own, ...above]) => (own === undefined ? [] : [own, ...above.filter((place) => helps[place])])),
  };
}

/** A synset and all that it is a kind of, along every path, the nearest first. */
function allAbove(wordNet: WordNet, synset: Synset): Synset[] {
  const found = new Map([[synset.offset, synset]]);
  // What is put in while it is gone through is gone through too.
  for (const { above } of found.values()) {
    for (const offset of above) if (!found.has(offset)) found.set(offset, wordNet.at(offset));
  }
  return [...found.values()];
}
