/**
 * Names for things that something votes for, classes of a network or words, and for what several of them are kinds of by WordNet.
 */
import { TOO_GENERAL } from './hypernyms.ts';
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

/** Of more of ImageNet's classes than these says too little: 118 of them are dogs, 218 mammals. */
const MAX_CLASSES = 130;
/** The same of larger vocabularies, as a share of them: 190 of 27,000 nouns are dogs, 1,200 mammals. */
const MAX_SHARE = 0.02;

/** True of much that has nothing to do with each other, and so no help as a name. First words of synsets. */
const VAGUE: ReadonlySet<string> = new Set([
  ...['device', 'instrument', 'equipment', 'implement', 'mechanism', 'machine', 'system', 'electronic equipment'],
  ...['electrical device', 'mechanical device', 'covering', 'protective covering', 'structure', 'container', 'barrier'],
  ...['creation', 'product', 'way', 'surface', 'area', 'obstruction', 'support', 'decoration', 'consumer goods'],
  ...['durables', 'sheet', 'furnishing', 'geological formation', 'strip', 'restraint', 'nutriment', 'communication'],
  ...['signal', 'building material', 'person', 'mercantile establishment', 'establishment', 'place of business'],
  ...['facility', 'fabric', 'textile', 'relation', 'possession'],
]);

/** One that can be voted for. */
export interface Votable {
  /** What it is, where WordNet has it. */
  readonly synset: Synset | undefined;
  /** What to call it (default: the first word of its synset). */
  readonly name?: string;
}

/** @param votables in the order of their numbers */
export function votedNamesOf(wordNet: WordNet, votables: readonly Votable[]): VotedNames {
  const places = new Map<number, number>();
  const found: { name: string; synset: string; word: string }[] = [];
  const placeOf = (synset: Synset) => {
    const known = places.get(synset.offset);
    if (known !== undefined) return known;
    places.set(synset.offset, found.length);
    return found.push({ name: synset.words[0], synset: synset.key, word: synset.words[0] }) - 1;
  };
  const chains = votables.map(({ synset, name }) => {
    const chain = synset ? allAbove(wordNet, synset).map(placeOf) : [];
    if (name === undefined || name === synset?.words[0]) return chain;
    // Another word for a synset is a name of its own, below that.
    const own = found.push({ name, synset: synset?.key ?? '', word: name }) - 1;
    return [own, ...chain];
  });
  const classes = new Int32Array(found.length);
  for (const chain of chains) for (const place of chain) classes[place] = classes[place] + 1;
  const most = Math.max(MAX_CLASSES, MAX_SHARE * votables.length);
  const helps = found.map(({ word }, place) => classes[place] <= most && !TOO_GENERAL.has(word) && !VAGUE.has(word));
  return {
    names: found.map(({ name, synset }, place) => ({ name, synset, classes: classes[place] })),
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
