/** Text files of any length in the encoding that they say (`encodings.ts`); a byte-order mark is taken off. */
import { badFile } from './check.ts';
import { decoderFor } from './encodings.ts';
import { bytesOf, notText } from './special-files.ts';

/** Longer lines are refused: one image with ten thousand polygons stays well below. */
const MAX_LINE_CHARACTERS = 1 << 26;
const PIECE_BYTES = 1 << 18;

/** Decoded pieces of the file. */
export async function* textPieces(path: string, name: string): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let lines = 0;
  try {
    for await (const bytes of bytesOf(path, name, PIECE_BYTES)) {
      decoder ??= decoderFor(bytes, name);
      const text = decoder.decode(bytes, { stream: true });
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
      yield text;
    }
    if (decoder !== null) yield decoder.decode();
  } catch (error) {
    // What `decode` throws for bytes that are none of the encoding's.
    if (error instanceof TypeError) throw await notText(path, name, `${name} (after line ${lines})`, error);
    throw error;
  }
}

/** Each line without its end, with its number from 1. Cost: O(characters), whatever the length of the lines. */
export async function* linesOf(path: string, name: string): AsyncGenerator<{ text: string; number: number }> {
  let pending: string[] = [];
  let pendingLength = 0;
  let number = 0;
  for await (const piece of textPieces(path, name)) {
    let from = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
      const line = pending.join('') + piece.slice(from, at);
      pending = [];
      pendingLength = 0;
      yield { text: line.endsWith('\r') ? line.slice(0, -1) : line, number: ++number };
      from = at + 1;
    }
    pending.push(piece.slice(from));
    pendingLength += piece.length - from;
    if (pendingLength > MAX_LINE_CHARACTERS) throw badFile(`${name}:${number + 1}`, 'the line is too long');
  }
  if (pendingLength > 0) yield { text: pending.join(''), number: number + 1 };
}
