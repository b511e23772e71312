/** A file of masks as numbers or colours, a value a pixel: greys of 8 and 16 bits, palettes, colours. */
import sharp from 'sharp';
import { messageOf } from '../../errors.ts';
import { badFile } from '../check.ts';
import { MAX_MASK_PIXELS } from '../mend.ts';
import { bytesOf, regularFileSize } from '../special-files.ts';
import type { MaskPicture } from './parts.ts';

/** A picture of masks is small, and of one colour for the most part. */
const MAX_BYTES = 1 << 27;

export async function maskPictureOf(path: string, name: string): Promise<MaskPicture> {
  if ((await regularFileSize(path, name)) > MAX_BYTES) throw badFile(name, `it is more than ${MAX_BYTES} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of bytesOf(path, name, 1 << 20)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (bytes.length === 0) throw badFile(name, 'the picture is empty');
  const isDeep = isPng(bytes) && bytes[24] === 16;
  if (isDeep && (bytes[25] & 2) !== 0)
    throw badFile(name, 'a mask of colours of 16 bits', 'Colours of 8 bits, and greys of 8 and 16 can be read.');
  const picture = sharp(bytes, { limitInputPixels: MAX_MASK_PIXELS, failOn: 'error', ignoreIcc: true }).removeAlpha();
  const decoded = await (isDeep ? picture.toColourspace('grey16').raw({ depth: 'ushort' }) : picture.raw())
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw badFile(name, `not a picture: ${messageOf(error)}`, undefined, error);
    });
  const { info } = decoded;
  const data = isDeep ? new Uint16Array(Uint8Array.from(decoded.data).buffer) : decoded.data;
  const { width, height, channels } = info;
  const coloured = channels >= 3 && !isGrey(bytes, data, channels);
  const values = new Uint32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const at = i * channels;
    values[i] = coloured ? (data[at] << 16) | (data[at + 1] << 8) | data[at + 2] : data[at];
  }
  return { width, height, values, coloured, palette: isPng(bytes) ? paletteOf(bytes) : null };
}

/** By PNG's colour type, since greys come as three channels; of other files, by their pixels. */
function isGrey(bytes: Buffer, data: ArrayLike<number>, channels: number): boolean {
  if (isPng(bytes)) return (bytes[25] & 2) === 0;
  for (let i = 0; i + 2 < data.length; i += channels)
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

function isPng(bytes: Buffer): boolean {
  return bytes.length > 33 && bytes.toString('latin1', 1, 4) === 'PNG';
}

/** Of the PLTE chunk (PNG, 11.2.2); a colour that comes twice has its first number. */
function paletteOf(bytes: Buffer): Map<number, number> | null {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const [length, type] = [bytes.readUInt32BE(at), bytes.toString('latin1', at + 4, at + 8)];
    if (type === 'IDAT') return null;
    if (type === 'PLTE' && at + 8 + length <= bytes.length) {
      const palette = new Map<number, number>();
      for (let i = 0; i + 3 <= length; i += 3) {
        const colour = bytes.readUIntBE(at + 8 + i, 3);
        if (!palette.has(colour)) palette.set(colour, i / 3);
      }
      return palette;
    }
    at += 12 + length;
  }
  return null;
}
