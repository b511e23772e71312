/** Lines of a text file of any length, as UTF-8, a byte-order mark taken off, either line end. */
import { createReadStream } from 'node:fs';
import { badFile } from './check.ts';

/** Longer lines are refused: one image with ten thousand polygons stays well below. */
const MAX_LINE_CHARACTERS = 1 << 27;

/** Decoded pieces of the file. */
export async function* textPieces(path: string, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let first = true;
  let lines = 0;
  const decode = (chunk?: Buffer) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw badFile(`${name} (after line ${lines})`, 'the text is not UTF-8', 'Save it as UTF-8.', cause);
    }
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    if (first && ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)))
      throw badFile(name, 'the text is UTF-16', 'Save it as UTF-8.');
    first = false;
    const text = decode(chunk);
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
    yield text;
  }
  yield decode();
}

/** Each line without its end, with its number from 1. */
export async function* linesOf(path: string, name: string): AsyncGenerator<{ text: string; number: number }> {
  let pending = '';
  let number = 0;
  for await (const piece of textPieces(path, name)) {
    pending += piece;
    if (pending.length > MAX_LINE_CHARACTERS) throw badFile(`${name}:${number + 1}`, 'the line is too long');
    let from = 0;
    for (let at = pending.indexOf('\n'); at >= 0; at = pending.indexOf('\n', from)) {
      yield { text: pending.slice(from, pending[at - 1] === '\r' ? at - 1 : at), number: ++number };
      from = at + 1;
    }
    pending = pending.slice(from);
  }
  if (pending !== '') yield { text: pending, number: number + 1 };
}
