/**
 * In which encoding a text file is: UTF-8, but where a byte-order mark or every other byte says UTF-16, or XML names another
 * one in its first line, as tools of the time before UTF-8 write it.
 */
import { badFile } from './check.ts';

/** A fatal decoder for a file that begins with these bytes. */
export function decoderFor(head: Uint8Array, name: string): TextDecoder {
  const label = encodingOf(head);
  try {
    return new TextDecoder(label, { fatal: true });
  } catch (cause) {
    throw badFile(name, `the encoding ${label} is not known`, 'Save it as UTF-8.', cause);
  }
}

/** Null for what is not UTF-16. Without a mark it is seen by the zeros beside the first two characters. */
export function utf16Of([a, b, c, d]: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (isAscii(a) && b === 0 && isAscii(c) && d === 0) return 'utf-16le';
  return a === 0 && isAscii(b) && c === 0 && isAscii(d) ? 'utf-16be' : null;
}

/** What text of every format begins with. */
const isAscii = (byte: number) => byte > 0 && byte < 0x80;

/** The beginning of a file as text, whatever it is. */
export function textOfHead(head: Uint8Array): string {
  return new TextDecoder(utf16Of(head) ?? 'utf-8').decode(head);
}

function encodingOf(head: Uint8Array): string {
  const wide = utf16Of(head);
  if (wide !== null) return wide;
  const line = Buffer.from(head.subarray(0, 200)).toString('latin1');
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(line)?.[1];
  // What is declared as UTF-16 and read so far as single bytes is none.
  return declared === undefined || /^(?:utf-?16|ucs)/i.test(declared) ? 'utf-8' : declared.toLowerCase();
}
