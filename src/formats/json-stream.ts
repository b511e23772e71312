/**
 * Reads a large JSON object piece by piece: of `{"a": [x, y], "b": {…}}` it gives the elements of top-level lists and
 * the other top-level values one at a time, with the bytes they span, so that one element is resident and not the file.
 *
 * Structure (braces, strings, commas) is followed byte by byte here; what is inside an element is left to `JSON.parse`.
 */
import { messageOf } from '../errors.ts';
import { badFile } from './check.ts';
import { decoderFor, utf16Of } from './encodings.ts';
import { bytesOf, kindOfBytes, regularFileSize } from './special-files.ts';

export interface JsonPiece {
  /** The top-level key. */
  readonly key: string;
  /** Position in the list, or null when the key's value is no list or an empty one. */
  readonly index: number | null;
  /** Bytes of the file that hold it; of UTF-16, bytes of {@link transcoded}. */
  readonly start: number;
  readonly end: number;
  /** @throws `BAD_FILE` where the bytes are no JSON, though the structure around them is whole */
  readonly value: () => unknown;
}

/** An element longer than this is refused rather than gathered: no image or annotation comes near it. */
const MAX_PIECE_BYTES = 1 << 28;
const CHUNK_BYTES = 1 << 20;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** What the scanner waits for. `value…` states gather bytes of a piece. */
type State =
  | 'object'
  | 'list'
  | 'key-or-end'
  | 'key'
  | 'in-key'
  | 'colon'
  | 'value'
  | 'in-value'
  | 'after-value'
  | 'element-or-end'
  | 'element'
  | 'in-element'
  | 'after-element'
  | 'end';

/**
 * @param name the file's name in messages
 * @param chunkBytes read at once
 */
export function jsonPieces(path: string, name: string, chunkBytes = CHUNK_BYTES): AsyncGenerator<JsonPiece> {
  return piecesOf(path, name, 'object', chunkBytes);
}

/** Whether the file is one list: its first character is `[`. */
export async function isJsonList(path: string, name: string): Promise<boolean> {
  for await (const chunk of utf8BytesOf(path, name, 1 << 12)) {
    const first = chunk
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, '')
      .trimStart();
    if (first !== '') return first.startsWith('[');
  }
  return false;
}

/** Fails with `BAD_FILE` where the structure is not whole: the file is cut off, say. What is inside an element is not looked at. */
export async function checkJson(path: string, name: string): Promise<void> {
  const root = (await isJsonList(path, name)) ? 'list' : 'object';
  for await (const _ of piecesOf(path, name, root, CHUNK_BYTES));
}

/** The elements of a file that is one list, with `index` from 0. */
export async function* jsonElements(
  path: string,
  name: string,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<JsonPiece & { readonly index: number }> {
  for await (const { index, ...piece } of piecesOf(path, name, 'list', chunkBytes))
    if (index !== null) yield { index, ...piece };
}

async function* piecesOf(
  path: string,
  name: string,
  root: 'object' | 'list',
  chunkBytes: number,
): AsyncGenerator<JsonPiece> {
  const afterList = root === 'list' ? 'end' : 'after-value';
  let state = root as State;
  let key = '';
  let index = 0;
  /** Bytes of the piece so far that came in earlier chunks. */
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let start = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let offset = 0;

  const place = () => {
    if (state === 'in-element' || state === 'after-element') return `${name} ${key}[${index}]`;
    if (state === 'element' || state === 'element-or-end') return `${name} ${key}`;
    return key === '' ? name : `${name} ${key}`;
  };
  const fault = (at: number, what: string) => badFile(`${place()} (byte ${at})`, what);
  const parse = (bytes: Buffer) => parsedJson(bytes, `${place()} (byte ${start})`);

  for await (const chunk of utf8BytesOf(path, name, chunkBytes)) {
    let from = 0;
    const take = (to: number): Buffer => {
      const last = chunk.subarray(from, to);
      const all = gathered.length === 0 ? last : Buffer.concat([...gathered, last]);
      gathered = [];
      gatheredBytes = 0;
      return all;
    };
    for (let i = offset === 0 ? afterMark(chunk) : 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (state === 'in-value' || state === 'in-element' || state === 'in-key') {
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) {
            inString = false;
            if (state === 'in-key') {
              key = String(parse(take(i + 1)));
              state = 'colon';
            }
          }
          continue;
        }
        if (byte === QUOTE) inString = true;
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
        else if (depth > 0 && (byte === CLOSE_BRACE || byte === CLOSE_BRACKET)) depth--;
        else if (depth === 0 && (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET)) {
          const element = state === 'in-element';
          if (byte === (element ? CLOSE_BRACE : CLOSE_BRACKET)) throw fault(offset + i, 'the brackets do not match');
          const [bytes, where] = [take(i), `${place()} (byte ${start})`];
          yield { key, index: element ? index : null, start, end: offset + i, value: () => parsedJson(bytes, where) };
          if (!element) state = byte === COMMA ? 'key' : 'end';
          else if (byte === COMMA) {
            index++;
            state = 'element';
          } else state = afterList;
        }
        continue;
      }
      if (isSpace(byte)) continue;
      switch (state) {
        case 'object':
          if (byte === OPEN_BRACKET) throw fault(offset + i, 'a JSON object was expected, and this is a list');
          if (byte !== OPEN_BRACE) throw await notJson(path, name, '{');
          state = 'key-or-end';
          break;
        case 'list':
          if (byte === OPEN_BRACE) throw fault(offset + i, 'a JSON list was expected, and this is an object');
          if (byte !== OPEN_BRACKET) throw await notJson(path, name, '[');
          state = 'element-or-end';
          break;
        case 'key-or-end':
        case 'key':
          if (byte === CLOSE_BRACE && state === 'key-or-end') state = 'end';
          else if (byte === QUOTE) {
            from = i;
            start = offset + i;
            inString = true;
            state = 'in-key';
          } else throw fault(offset + i, 'a key in quotes was expected');
          break;
        case 'colon':
          if (byte !== COLON) throw fault(offset + i, 'a colon was expected');
          state = 'value';
          break;
        case 'value':
          if (byte === OPEN_BRACKET) {
            index = 0;
            state = 'element-or-end';
            break;
          }
          from = i;
          start = offset + i;
          state = 'in-value';
          i--;
          break;
        case 'element-or-end':
        case 'element':
          if (byte === CLOSE_BRACKET && state === 'element-or-end') {
            state = afterList;
            yield { key, index: null, start: offset + i, end: offset + i, value: () => [] };
            break;
          }
          from = i;
          start = offset + i;
          state = 'in-element';
          i--;
          break;
        case 'after-value':
          if (byte === COMMA) state = 'key';
          else if (byte === CLOSE_BRACE) state = 'end';
          else throw fault(offset + i, 'a comma or } was expected');
          break;
        case 'end':
          throw fault(offset + i, 'there is something after the end of the JSON');
        default:
          throw new Error(`JSON scanner in state ${state}`);
      }
    }
    if (state === 'in-value' || state === 'in-element' || state === 'in-key') {
      gathered.push(chunk.subarray(from));
      gatheredBytes += chunk.length - from;
      if (gatheredBytes > MAX_PIECE_BYTES) throw fault(start, `one value is longer than ${MAX_PIECE_BYTES} bytes`);
    }
    offset += chunk.length;
  }
  if (state !== 'end')
    throw badFile(`${place()} (byte ${offset})`, offset === 0 ? 'the file is empty' : 'the file ends early: it is cut');
}

async function notJson(path: string, name: string, start: string) {
  const kind = await kindOfBytes(path);
  return badFile(
    name,
    kind === null ? `this is not JSON: it does not start with ${start}` : `this is ${kind}, not JSON`,
  );
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parsedJson(bytes: Buffer, where: string): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw badFile(where, 'the text is not UTF-8', undefined, cause);
  }
  try {
    return parseJson(text);
  } catch (cause) {
    throw badFile(where, `not valid JSON: ${messageOf(cause)}`, undefined, cause);
  }
}

/** Whole numbers beyond 2⁵³ have so many digits at least. */
const LONG_NUMBER = /\d{16}/;
const NOT_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * JSON with two kindnesses: a whole number that a double cannot hold comes as its digits, so that two ids of 64 bits stay
 * two; and `NaN` and `Infinity`, which Python writes, are null.
 */
export function parseJson(text: string): unknown {
  try {
    return LONG_NUMBER.test(text) ? parseLongNumbers(text) : JSON.parse(text);
  } catch (error) {
    const mended = text.replace(NOT_NUMBERS, (found) => (found.startsWith('"') ? found : 'null'));
    if (mended === text) throw error;
    return parseJson(mended);
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

function parseLongNumbers(text: string): unknown {
  // The third parameter is in the language since ES2025; the compiler's library does not know it yet.
  const reviver: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? (source ?? value) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Where the text begins: after a byte-order mark of UTF-8. */
function afterMark(chunk: Buffer): number {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
}

/** Pieces of a file as UTF-8, which UTF-16 is made. */
async function* utf8BytesOf(path: string, name: string, pieceBytes: number): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null | undefined;
  try {
    for await (const bytes of bytesOf(path, name, pieceBytes)) {
      if (decoder === undefined) decoder = utf16Of(bytes) === null ? null : decoderFor(bytes, name);
      const text = decoder?.decode(bytes, { stream: true });
      if (text === undefined) yield bytes;
      else if (text !== '') yield Buffer.from(text);
    }
    decoder?.decode();
  } catch (error) {
    if (error instanceof TypeError) throw badFile(name, 'the text is not whole UTF-16', undefined, error);
    throw error;
  }
}

/** Larger files of UTF-16 are refused where parts of them are read by their place. */
const MAX_TRANSCODED_BYTES = 1 << 28;

/** The whole of a file of UTF-16 as UTF-8; null for any other. */
export async function transcoded(path: string, name: string): Promise<Buffer | null> {
  for await (const head of bytesOf(path, name, 4)) {
    if (utf16Of(head) === null) return null;
    break;
  }
  if ((await regularFileSize(path, name)) > MAX_TRANSCODED_BYTES)
    throw badFile(name, `the text is UTF-16, and more than ${MAX_TRANSCODED_BYTES} bytes`, 'Save it as UTF-8.');
  const pieces: Buffer[] = [];
  for await (const piece of utf8BytesOf(path, name, CHUNK_BYTES)) pieces.push(piece);
  return pieces.length === 0 ? null : Buffer.concat(pieces);
}
