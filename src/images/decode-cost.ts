/**
 * What decoding a file holds at once beside the file: nothing much where rows come one after the other, the whole picture
 * where the format has it otherwise (progressive JPEG, interlaced PNG, WebP, AVIF, GIF). Told from headers, in microseconds;
 * an upper bound, in bytes.
 */
import { bmpSizeOf } from './bmp.ts';
import { jpegHeaderOf } from './jpeg-header.ts';
import { sniffFormat } from './sniff.ts';
import { tiffPageOf } from './tiff/page.ts';

export function decodeCostOf(bytes: Uint8Array): number {
  switch (sniffFormat(bytes)) {
    case 'jpeg': {
      const header = jpegHeaderOf(bytes);
      // Coefficients of three components in 16 bits each; baseline and extended files come row by row.
      return header === undefined || header.process < 2 ? 0 : 6 * header.width * header.height;
    }
    case 'png': {
      const bytesAPixel = 4 * (bytes[24] === 16 ? 2 : 1);
      const isHeld = bytes[28] === 1 || bytes[24] === 16;
      return isHeld && bytes.length > 28 ? bytesAPixel * number(bytes, 16, 4, false) * number(bytes, 20, 4, false) : 0;
    }
    case 'webp':
      return 4 * webpPixels(bytes);
    case 'gif':
      return bytes.length > 10 ? 4 * number(bytes, 6, 2, true) * number(bytes, 8, 2, true) : 0;
    case 'tiff': {
      const page = tiffPageOf(bytes);
      return page === undefined ? 0 : page.width * page.height * (Math.ceil((page.samples * page.bits) / 8) + 4);
    }
    case 'bmp': {
      const size = bmpSizeOf(bytes);
      // The picture as a TIFF, and the colours of its runs.
      return size === undefined ? 0 : 5 * size.width * size.height;
    }
    case 'avif':
    case 'heic':
      // The planes of the decoder, and the picture in RGB.
      return 8 * heifPixels(bytes);
    default:
      return 0;
  }
}

/** A whole number of some bytes. */
function number(bytes: Uint8Array, at: number, length: number, little: boolean): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[little ? at + length - 1 - i : at + i] ?? 0);
  return value;
}

/** Of the three kinds of first chunk (RFC 9649, sections 2.5 to 2.7). */
function webpPixels(bytes: Uint8Array): number {
  if (bytes.length < 30) return 0;
  const chunk = Buffer.from(bytes.subarray(12, 16)).toString('latin1');
  if (chunk === 'VP8X') return (number(bytes, 24, 3, true) + 1) * (number(bytes, 27, 3, true) + 1);
  if (chunk === 'VP8 ') return (number(bytes, 26, 2, true) & 0x3fff) * (number(bytes, 28, 2, true) & 0x3fff);
  const bits = number(bytes, 21, 4, true);
  return ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1);
}

/** Sizes stand in `ispe` boxes (ISO/IEC 23008-12, 6.5.3), one for each picture or tile of one. */
function heifPixels(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2 ** 16));
  let most = 0;
  for (let at = view.indexOf('ispe'); at >= 0 && at + 16 <= view.length; at = view.indexOf('ispe', at + 4)) {
    most = Math.max(most, view.readUInt32BE(at + 8) * view.readUInt32BE(at + 12));
  }
  return most;
}
