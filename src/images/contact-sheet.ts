/** Several pictures as one: a grid of squares on grey, each whole in its square, in the order given, row by row. */
import sharp, { type OverlayOptions } from 'sharp';
import { release } from '../core/release.ts';
import { decodeWithin } from './decode.ts';

export interface ContactSheetOptions {
  /** Side of a square in pixels (default 160). */
  readonly side?: number;
  /** Squares a row (default: as many as make the sheet about square). */
  readonly columns?: number;
  /** JPEG quality, 1 to 100 (default 80). */
  readonly quality?: number;
}

const GAP = 4;
const GROUND = '#808080';

/** A JPEG. Resident: the sheet, and one picture at a time. @param pictures encoded images */
export async function contactSheet(
  pictures: readonly Uint8Array[],
  { side = 160, columns = Math.max(1, Math.ceil(Math.sqrt(pictures.length))), quality = 80 }: ContactSheetOptions = {},
): Promise<Uint8Array> {
  const rows = Math.max(1, Math.ceil(pictures.length / columns));
  const cell = side + GAP;
  const placed: OverlayOptions[] = [];
  for (const [i, bytes] of pictures.entries()) {
    const { pixels, width, height } = await decodeWithin(bytes, side);
    const input = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    release(pixels);
    const left = GAP + (i % columns) * cell + Math.floor((side - width) / 2);
    const top = GAP + Math.floor(i / columns) * cell + Math.floor((side - height) / 2);
    placed.push({ input, left, top });
  }
  const size = { width: columns * cell + GAP, height: rows * cell + GAP };
  const sheet = await sharp({ create: { ...size, channels: 3, background: GROUND } })
    .composite(placed)
    .jpeg({ quality })
    .toBuffer();
  return new Uint8Array(sheet.buffer, sheet.byteOffset, sheet.byteLength);
}
