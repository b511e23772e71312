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

const FRAME = 8;
/** Of the sheet that is meant, and of those beside it. */
const FRAMES = { meant: '#00a000', other: '#404040' } as const;

/** One sheet large in a green frame at the left, and others at half its size in dark frames, one under the other at its right. A JPEG. */
export async function sheetBesideOthers(
  sheet: Uint8Array,
  others: readonly Uint8Array[],
  { quality = 80 }: Pick<ContactSheetOptions, 'quality'> = {},
): Promise<Uint8Array> {
  const framed = async (bytes: Uint8Array, background: string, scale: number) => {
    const { width, height } = await sharp(bytes).metadata();
    const sides = { width: Math.round(width * scale), height: Math.round(height * scale) };
    const edges = { top: FRAME, bottom: FRAME, left: FRAME, right: FRAME };
    const input = await sharp(bytes)
      .resize(sides)
      .extend({ ...edges, background })
      .png({ compressionLevel: 1 })
      .toBuffer();
    return { input, width: sides.width + 2 * FRAME, height: sides.height + 2 * FRAME };
  };
  const meant = await framed(sheet, FRAMES.meant, 1);
  const beside = [];
  for (const other of others) beside.push(await framed(other, FRAMES.other, 0.5));
  const column = beside.reduce((sum, { height }) => sum + height + GAP, 0);
  const size = {
    width: meant.width + (beside.length > 0 ? 4 * GAP : 0) + Math.max(0, ...beside.map(({ width }) => width)),
    height: Math.max(meant.height, column),
  };
  let top = 0;
  const placed = beside.map(({ input, height }) => {
    const at = { input, left: meant.width + 4 * GAP, top };
    top += height + GAP;
    return at;
  });
  const whole = await sharp({ create: { ...size, channels: 3, background: GROUND } })
    .composite([{ input: meant.input, left: 0, top: 0 }, ...placed])
    .jpeg({ quality })
    .toBuffer();
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
}
