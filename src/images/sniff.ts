/** Tells what bytes are by their first bytes, never by a name. Decodes nothing and never fails. */
import type { ImageFormat } from '../core/image.ts';

/** Formats that are told apart: those of {@link ImageFormat} and some that are refused by name. */
export type SniffedFormat = ImageFormat | 'jxl' | 'jp2' | 'psd' | 'ico' | 'pdf' | 'video';

/** Bytes {@link sniffFormat} looks at; SVG may have a long comment before its root element. */
export const SNIFF_BYTES = 1024;

/** `text` at `offset`, byte for byte (Latin-1). */
function has(bytes: Uint8Array, offset: number, text: string): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** In order; the first that matches counts. Signatures are those of the formats' own specifications. */
const SIGNATURES: readonly (readonly [SniffedFormat, (bytes: Uint8Array) => boolean])[] = [
  ['jpeg', (b) => has(b, 0, '\xff\xd8\xff')],
  ['png', (b) => has(b, 0, '\x89PNG\r\n\x1a\n')],
  ['gif', (b) => has(b, 0, 'GIF87a') || has(b, 0, 'GIF89a')],
  ['webp', (b) => has(b, 0, 'RIFF') && has(b, 8, 'WEBP')],
  ['raw', isRaw],
  ['tiff', (b) => ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((mark) => has(b, 0, mark))],
  ['avif', (b) => isHeif(b, ['avif', 'avis'])],
  ['heic', (b) => isHeif(b, ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1'])],
  ['bmp', (b) => has(b, 0, 'BM') && b.length >= 18 && has(b, 6, '\0\0\0\0')],
  ['jxl', (b) => has(b, 0, '\xff\x0a') || has(b, 4, 'JXL \r\n\x87\n')],
  ['jp2', (b) => has(b, 4, 'jP  \r\n\x87\n') || has(b, 0, '\xff\x4f\xff\x51')],
  ['psd', (b) => has(b, 0, '8BPS')],
  ['ico', (b) => has(b, 0, '\0\0\x01\0') && b.length >= 22 && b[4] > 0 && b[5] === 0],
  ['pdf', (b) => has(b, 0, '%PDF-')],
  ['video', (b) => has(b, 4, 'ftyp') || has(b, 0, '\x1a\x45\xdf\xa3') || (has(b, 0, 'RIFF') && has(b, 8, 'AVI '))],
  ['svg', isSvg],
];

/** What the bytes begin like; undefined when like no image at all. */
export function sniffFormat(bytes: Uint8Array): SniffedFormat | undefined {
  return SIGNATURES.find(([, matches]) => matches(bytes))?.[0];
}

/** ISO base media files name their brands in the `ftyp` box: one major brand, then compatible ones. */
function isHeif(bytes: Uint8Array, brands: readonly string[]): boolean {
  if (!has(bytes, 4, 'ftyp')) return false;
  if (brands.some((brand) => has(bytes, 8, brand))) return true;
  // `mif1` as major brand says "an image" and leaves the codec to the compatible brands.
  if (!has(bytes, 8, 'mif1') && !has(bytes, 8, 'msf1')) return false;
  const size = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  for (let at = 16; at + 4 <= Math.min(size, bytes.length); at += 4) {
    if (brands.some((brand) => has(bytes, at, brand))) return true;
  }
  return false;
}

/**
 * Camera raw. CR2, RW2, ORF, RAF, CR3 have marks of their own; DNG, NEF and ARW are TIFF files whose first directory is a
 * reduced-size preview (tag 254 with bit 0) of sub-directories (tag 330), which no ordinary TIFF has.
 */
function isRaw(bytes: Uint8Array): boolean {
  if (has(bytes, 0, 'FUJIFILMCCD-RAW') || has(bytes, 0, 'IIU\0') || has(bytes, 0, 'IIRO') || has(bytes, 0, 'IIRS')) {
    return true;
  }
  if (has(bytes, 4, 'ftypcrx ')) return true;
  const little = has(bytes, 0, 'II*\0');
  if (!little && !has(bytes, 0, 'MM\0*')) return false;
  if (has(bytes, 8, 'CR')) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) return false;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return false;
  const count = view.getUint16(directory, little);
  let reduced = false;
  let nested = false;
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > bytes.length) break;
    const tag = view.getUint16(at, little);
    if (tag === 254) reduced = (view.getUint32(at + 8, little) & 1) === 1;
    if (tag === 330) nested = true;
    if (tag === 50706) return true; // DNGVersion
  }
  return reduced && nested;
}

/** Whether an `svg` element comes first, behind declarations and comments. Not one expression: those take for ever on some. */
function isSvg(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFF_BYTES)).toString('latin1');
  let rest = (head.startsWith('\xef\xbb\xbf') ? head.slice(3) : head).trimStart().toLowerCase();
  for (;;) {
    const end =
      /^<\?xml/.test(rest) || /^<!doctype\s+svg/.test(rest) ? '>' : rest.startsWith('<!--') ? '-->' : undefined;
    if (end === undefined) return /^<svg[\s>]/.test(rest);
    const at = rest.indexOf(end, end === '-->' ? 4 : 0);
    if (at < 0) return false;
    rest = rest.slice(at + end.length).trimStart();
  }
}
