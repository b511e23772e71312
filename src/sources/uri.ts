/**
 * File paths as URIs and back, byte for byte: `file:///photos/caf%C3%A9.jpg`, a member of an archive
 * `file:///photos/shoot.zip!/a.jpg`. Every byte that a URI does not take as it is is percent-encoded (RFC 3986), whatever
 * its encoding, so a name that is not UTF-8 has a URI too. What schemes mean is in `schemes.ts`.
 */
import { LabelsmithError } from '../errors.ts';

/** Unreserved characters, and those reserved ones that mean nothing within a path (RFC 3986, 2.2 and 3.3). */
const AS_IT_IS = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=:@"),
);

/** The URI of an absolute path, given as bytes. */
export function fileUriOf(path: Buffer): string {
  const plain = path.every((byte) => AS_IT_IS.has(byte));
  const text = plain ? path.toString('latin1') : Array.from(path, encoded).join('');
  // A drive letter's path has no slash before it (RFC 8089, appendix E.2).
  return text.startsWith('/') ? `file://${text}` : `file:///${text.replaceAll('\\', '/')}`;
}

function encoded(byte: number): string {
  if (AS_IT_IS.has(byte)) return String.fromCharCode(byte);
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The bytes of the path that a `file:` URI names; fails with `USAGE` for one of another machine or with a broken escape. */
export function pathOfFileUri(uri: string): Buffer {
  const parts = /^file:(?:\/\/([^/]*))?(\/.*)$/is.exec(uri);
  if (parts === null) throw badUri(uri, 'it has no absolute path');
  const [, host = '', text] = parts;
  if (host !== '' && host.toLowerCase() !== 'localhost') throw badUri(uri, `it names the machine ${host}`);
  if (/%(?![0-9a-f]{2})/i.test(text)) throw badUri(uri, 'it has a % that two hexadecimal digits do not follow');
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const path = bytes.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(/^\/[a-z]:\//i.test(path) ? path.slice(1) : path, 'latin1');
}

function badUri(uri: string, why: string): LabelsmithError {
  return new LabelsmithError('USAGE', `${uri} is no address of a file here: ${why}`, {
    hint: 'Write file:///absolute/path, or the path alone.',
  });
}
