/**
 * The one rule for names of classes, and of whatever else people name (tasks, annotators): what stands on the record is
 * what can be seen.
 *
 * - Unicode NFC, so that an umlaut typed on one system is the one typed on another.
 * - Blanks at the ends go, runs of blanks inside (tabs and line breaks too) are one space.
 * - Characters that nobody sees go: control characters, bidirectional marks, zero-width spaces. Joiners stay, since
 *   Persian and emoji need them.
 * - Half a surrogate pair, nothing at all, and more than {@link MAX_NAME_LENGTH} characters are refused.
 *
 * Letters keep their case: `a` and `A` are two classes of a set of letters. {@link foldClassName} tells which names are
 * nearly the same, for questions. Path separators are allowed; exports into folders replace them (formats/names.ts).
 */
import { LabelsmithError } from '../errors.ts';
import { NONE_OF_THESE } from './labels.ts';

/** Longer names do not fit a file name of 255 bytes in UTF-8, which exports into class folders need. */
export const MAX_NAME_LENGTH = 200;

export type NameReading =
  | { readonly kind: 'name'; readonly name: string }
  /** `problem` goes on after "the class name": `is empty`, `"…" has 300 characters`. */
  | { readonly kind: 'refused'; readonly problem: string };

/** Blanks of every script; line breaks and tabs are blanks here. U+FEFF is none: it is only a mark of byte order. */
const BLANKS = /(?:[^\S\ufeff]|[\u0085\u180e])+/gu;
/** Control characters, bidirectional marks and embeddings, zero-width space and no-break space, soft hyphen. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** The name as it is kept, or why it cannot be one. */
export function readName(text: string): NameReading {
  if (!text.isWellFormed())
    return { kind: 'refused', problem: `${shown(text)} holds half a character (a lone surrogate)` };
  // Unicode form last: an accent behind a character that goes joins the letter before it.
  const name = text.replace(BLANKS, ' ').replace(UNSEEN, '').replace(/ {2,}/g, ' ').trim().normalize('NFC');
  if (name === '') return { kind: 'refused', problem: 'is empty' };
  if (name.length > MAX_NAME_LENGTH) {
    return {
      kind: 'refused',
      problem: `${shown(name)} has ${name.length} characters, and ${MAX_NAME_LENGTH} can be kept`,
    };
  }
  return { kind: 'name', name };
}

/** As {@link readName}; {@link NONE_OF_THESE} is an answer and no class. */
export function readClassName(text: string): NameReading {
  const reading = readName(text);
  if (reading.kind === 'name' && reading.name === NONE_OF_THESE) {
    return { kind: 'refused', problem: `${shown(reading.name)} means that no class fits` };
  }
  return reading;
}

/** The class's name as it is kept; fails with `USAGE` where it cannot be one. */
export function toClassName(text: string): string {
  return required(readClassName(text), 'class', text);
}

/** The name of a task or an annotator as it is kept; fails with `USAGE` where it cannot be one. */
export function toName(text: string, what: 'task' | 'annotator'): string {
  return required(readName(text), what, text);
}

function required(reading: NameReading, what: string, text: string): string {
  if (reading.kind === 'name') return reading.name;
  throw new LabelsmithError('USAGE', `The ${what} name ${reading.problem}.`, {
    details: { name: text.toWellFormed() },
  });
}

function shown(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(short);
}

/** Full-width and half-width forms of East Asian input, and ligatures of print: the same letters, set otherwise. */
const SET_OTHERWISE = /[\ufb00-\ufb06\uff01-\uffee]/gu;
/** Between letters nobody sees a joiner; after a virama or in an emoji one changes what is seen. */
const JOINERS = /(?<=\p{L})[\u200c\u200d](?=\p{L})/gu;

/** Blanks but for those between two numbers: `part 1 1` is not `part 11`. */
const NO_NUMBER = /(?<!\p{Nd}) | (?!\p{Nd})/gu;

/**
 * Equal for names that differ only by letters' case, blanks (but between digits) or Unicode form: `Traffic Light`,
 * `trafficlight`. What is equal here is one class, or is asked about. Full case folding: `STRASSE` and `straße` are nearly the same.
 */
export function foldClassName(name: string): string {
  const plain = name.toWellFormed().replace(SET_OTHERWISE, (letter) => letter.normalize('NFKC'));
  const spaced = plain.replace(BLANKS, ' ').replace(UNSEEN, '').replace(/ +/g, ' ');
  const seen = spaced.replace(NO_NUMBER, '').replace(JOINERS, '').normalize('NFC');
  // Lower case first: ẞ has no upper case, and its lower case ß has SS.
  return seen.toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/** `a` and `A` of a set of letters, or the `k` and `K` of chess, are two classes. */
export function isLetter(name: string): boolean {
  return [...name].length === 1;
}
