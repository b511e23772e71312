/**
 * Squares around regions at a model's size, padded where they reach beyond the image, with the way back to its pixels.
 *
 * A square is cut from the image decoded at a half, a quarter or an eighth where that still has the pixels the model
 * takes: JPEG decoders do that for a fraction of the cost, and a photograph of 24 million pixels with a large person in
 * it is read in a tenth of the time. The size is chosen for each square by itself, so that what a model sees of a
 * region does not depend on the other regions.
 */
import sharp from 'sharp';
import type { Box } from '../core/boxes.ts';
import { asRgbPixels, decodeUpright, decodeWithin, type Kernel, type Pixels } from './decode.ts';

export interface SquareOptions {
  /** Side of the result in pixels. */
  readonly size: number;
  /** Added on every side, as a share of the box's longer side. */
  readonly margin: number;
  /** RGB, 0 to 255 each: what stands where the square reaches beyond the image. */
  readonly pad: readonly [red: number, green: number, blue: number];
  readonly kernel: Kernel;
}

export interface Square {
  /** Shape [size, size, 3], RGB. */
  readonly pixels: Uint8Array;
  /** x in the image = left + x in the square ÷ scale, and so for y. */
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

interface Place {
  readonly left: number;
  readonly top: number;
  /** In pixels of the image. */
  readonly side: number;
}

/** Divisors of the image's sides that are decoded. */
const LEVELS = [8, 4, 2, 1] as const;

/** The square with the box in its middle, as long as the box's longer side with its margins. It may leave the image. */
export function squareAbout(box: Box, margin: number): Place {
  const side = Math.max(1, Math.max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * margin));
  return { left: (box[0] + box[2] - side) / 2, top: (box[1] + box[3] - side) / 2, side };
}

/** Bytes of the largest picture that {@link regionSquares} decodes for these boxes. */
export function squaresBytes(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  boxes: readonly Box[],
  { size, margin }: Pick<SquareOptions, 'size' | 'margin'>,
): number {
  const level = Math.min(...boxes.map((box) => levelOf(squareAbout(box, margin).side, size)));
  return (3 * width * height) / (level * level);
}

/**
 * One square a box, in their order. `image` is the upright image's size; `bytes` its file.
 */
export async function regionSquares(
  bytes: Uint8Array,
  image: Pick<Pixels, 'width' | 'height'>,
  boxes: readonly Box[],
  options: SquareOptions,
): Promise<Square[]> {
  const places = boxes.map((box) => squareAbout(box, options.margin));
  const squares: Square[] = new Array(boxes.length);
  const sides = places.map(({ side }) => side);
  await eachDecoded(bytes, image, sides, options.size, async (decoded, i) => {
    squares[i] = await squareOf(decoded, image, places[i], options);
  });
  return squares;
}

/**
 * Visits regions with the image decoded as small as each of them allows: `sides` are theirs in pixels of the image, `size`
 * is what is made of them. For the other files of this folder.
 */
export async function eachDecoded(
  bytes: Uint8Array,
  image: Pick<Pixels, 'width' | 'height'>,
  sides: readonly number[],
  size: number,
  visit: (decoded: Pixels, index: number) => Promise<void>,
): Promise<void> {
  for (const level of LEVELS) {
    const here = [...sides.keys()].filter((i) => levelOf(sides[i], size) === level);
    if (here.length === 0) continue;
    const longest = Math.max(1, Math.ceil(Math.max(image.width, image.height) / level));
    const decoded = level === 1 ? await decodeUpright(bytes) : await decodeWithin(bytes, longest);
    for (const i of here) await visit(decoded, i);
  }
}

/** The divisor to decode an image at for a region of this side to fill `size` pixels. */
export function levelOf(side: number, size: number): number {
  return LEVELS.find((level) => side >= level * size) ?? 1;
}

async function squareOf(
  decoded: Pixels,
  image: Pick<Pixels, 'width' | 'height'>,
  { left, top, side }: Place,
  { size, pad, kernel }: SquareOptions,
): Promise<Square> {
  const scale = size / side;
  const x = along(left, side, scale, image.width, decoded.width);
  const y = along(top, side, scale, image.height, decoded.height);
  const { width, height } = decoded;
  const raw = sharp(decoded.pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  const part = raw.extract({ left: x.from, top: y.from, width: x.taken, height: y.taken });
  const inner = await asRgbPixels(part.resize(x.size, y.size, { fit: 'fill', kernel }));
  const pixels = new Uint8Array(size * size * 3);
  for (let at = 0; at < pixels.length; at += 3) pixels.set(pad, at);
  const [first, last] = [Math.max(0, x.at), Math.min(size, x.at + x.size)];
  for (let row = Math.max(0, y.at); row < Math.min(size, y.at + y.size); row++) {
    const start = 3 * ((row - y.at) * x.size + first - x.at);
    pixels.set(inner.pixels.subarray(start, start + 3 * (last - first)), 3 * (row * size + first));
  }
  return { pixels, left, top, scale };
}

/**
 * Of one axis: the decoded pixels that the square touches, how many pixels of the result they make, and where those begin:
 * before the result's first one where the square cuts a pixel.
 */
function along(start: number, side: number, scale: number, imageSize: number, decodedSize: number) {
  const perImage = decodedSize / imageSize;
  const from = clamp(Math.floor(start * perImage), 0, decodedSize - 1);
  const to = clamp(Math.ceil((start + side) * perImage), from + 1, decodedSize);
  const at = Math.round((from / perImage - start) * scale);
  const end = Math.round((to / perImage - start) * scale);
  return { from, taken: to - from, at, size: Math.max(1, end - at) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
