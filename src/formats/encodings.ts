/**
 * In which encoding a text file is: UTF-8, but where a byte-order mark says UTF-16, or XML names another one in its first
 * line, as tools of the time before UTF-8 write it.
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

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const line = Buffer.from(head.subarray(0, 200)).toString('latin1');
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(line)?.[1];
  // What is declared as UTF-16 and read so far as single bytes is none.
  return declared === undefined || /^(?:utf-?16|ucs)/i.test(declared) ? 'utf-8' : declared.toLowerCase();
}
