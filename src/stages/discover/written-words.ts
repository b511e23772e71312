/** The words that are written on things, as evidence for names. */
import type { ItemId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { decodeWithin, type Pixels } from '../../images/decode.ts';
import type { TextReader } from '../../models/text-reader.ts';
import type { WordReader } from './gather-evidence.ts';
import { wordsOf } from './words.ts';

/** A line that is less sure is misread too often: "oghurt", "rla". */
const MIN_CONFIDENCE = 0.8;

/** Shorter ones are mostly pieces of others: names are broken over lines. */
const MIN_LETTERS = 4;

export interface WrittenCounts {
  /** Images that were read. */
  readonly images: number;
  /** Of those, the ones with a word on them. */
  readonly withWords: number;
  /** Images that could not be decoded. */
  readonly undecodable: number;
}

/** Reads each image once, however often it is asked for. */
export function wordReader(
  reader: Pick<TextReader, 'longest' | 'read' | 'capacity'>,
): WordReader & { counts(): WrittenCounts } {
  const known = new Map<ItemId, readonly string[] | undefined>();
  return {
    capacity: reader.capacity,
    async read(id, bytes) {
      if (!known.has(id)) known.set(id, await wordsOn(bytes, reader));
      return known.get(id);
    },
    counts() {
      const all = [...known.values()];
      const images = all.filter((words) => words !== undefined);
      const withWords = images.filter((words) => words.length > 0).length;
      return { images: images.length, withWords, undecodable: all.length - images.length };
    },
  };
}

async function wordsOn(
  bytes: Uint8Array,
  reader: Pick<TextReader, 'longest' | 'read'>,
): Promise<readonly string[] | undefined> {
  let picture: Pixels;
  try {
    picture = await decodeWithin(bytes, reader.longest);
  } catch (error) {
    if (error instanceof LabelsmithError) return undefined;
    throw error;
  }
  const lines = await reader.read(picture);
  const words = lines.flatMap(({ text, confidence }) => (confidence < MIN_CONFIDENCE ? [] : wordsOf(text)));
  return [...new Set(words.filter((word) => word.length >= MIN_LETTERS))];
}
