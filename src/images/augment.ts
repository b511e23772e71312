/**
 * Other views of a photograph, as training sees more than one of. Weak ones are a random crop, mirrored or not, in slightly
 * other light (random resized crop, flip and jitter as since Szegedy et al., "Going Deeper with Convolutions", CVPR 2015).
 * Strong ones are cropped closer, changed by two of a table of operations (Cubuk et al., "RandAugment", NeurIPS 2020), and a
 * part is erased (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020).
 *
 * sharp works in threads of its own, so that decoding and augmenting stay off the one that trains.
 */
import sharp, { type Sharp } from 'sharp';
import type { Random } from '../core/random.ts';
import type { Pixels } from './decode.ts';

/** Least share of the area that is kept: with less, small objects are often cut away. */
const MIN_AREA = 0.5;
const MIN_AREA_STRONG = 0.3;
/** How far the crop's aspect is from the image's, at most. */
const MAX_STRETCH = 4 / 3;
/** Brightness and saturation are multiplied by 1 ± this, at most. */
const JITTER = 0.2;

/** What a pile's classes bear. */
export interface AugmentOptions {
  /** Whether views may be mirrored (default true): not where classes differ by it. */
  readonly mirror?: boolean;
  /** Whether strong views may be turned by some degrees (default true): not where classes differ by how they stand. */
  readonly rotate?: boolean;
}

/** One view as an uncompressed PNG file, so that it goes where files of images go. Draws seven numbers. */
export function augmentedView(image: Pixels, random: Random): Promise<Uint8Array> {
  return weak(image, random, {}).png({ compressionLevel: 0 }).toBuffer();
}

/** The same view stretched to a square, as training takes it: shape [size, size, 3], RGB. */
export function weakSquare(
  image: Pixels,
  random: Random,
  size: number,
  options: AugmentOptions = {},
): Promise<Uint8Array> {
  return squareOf(weak(image, random, options), size);
}

/** A view that is harder to tell, of the same shape. */
export async function strongSquare(
  image: Pixels,
  random: Random,
  size: number,
  { mirror = true, rotate = true }: AugmentOptions = {},
): Promise<Uint8Array> {
  const cropped = await squareOf(croppedPart(image, random, MIN_AREA_STRONG, mirror), size);
  const operations = rotate ? OPERATIONS : OPERATIONS.filter(({ turns }) => !turns);
  let pixels = cropped;
  for (let i = 0; i < OPERATIONS_A_VIEW; i++) {
    const one = operations[Math.floor(random() * operations.length)];
    const strength = 2 * random() - 1;
    if (!one) continue;
    pixels = await middleOf(
      one.apply(sharp(pixels, { raw: { width: size, height: size, channels: 3 } }), strength),
      size,
    );
  }
  return erased(pixels, size, random);
}

function weak(image: Pixels, random: Random, { mirror = true }: AugmentOptions): Sharp {
  const cropped = croppedPart(image, random, MIN_AREA, mirror);
  const [brightness, saturation] = [1 + JITTER * (2 * random() - 1), 1 + JITTER * (2 * random() - 1)];
  return cropped.modulate({ brightness, saturation });
}

/** A random part, mirrored or not. Draws five numbers, whatever comes of them. */
function croppedPart({ pixels, width, height }: Pixels, random: Random, minArea: number, mirror: boolean): Sharp {
  const area = minArea + (1 - minArea) * random();
  const stretch = MAX_STRETCH ** (2 * random() - 1);
  const [w, h] = [Math.sqrt(area * stretch) * width, Math.sqrt(area / stretch) * height];
  const [cropWidth, cropHeight] = [wholeWithin(w, width), wholeWithin(h, height)];
  const left = Math.floor(random() * (width - cropWidth + 1));
  const top = Math.floor(random() * (height - cropHeight + 1));
  const mirrored = random() < 0.5;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract({ left, top, width: cropWidth, height: cropHeight })
    .flop(mirrored && mirror);
}

function wholeWithin(value: number, most: number): number {
  return Math.max(1, Math.min(most, Math.round(value)));
}

function squareOf(view: Sharp, size: number): Promise<Uint8Array> {
  return view.resize(size, size, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
}

/** What is turned or sheared has become larger: the middle of it. */
async function middleOf(changed: Sharp, size: number): Promise<Uint8Array> {
  const { data, info } = await changed.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (width === size && height === size) return data;
  const [left, top] = [Math.floor((width - size) / 2), Math.floor((height - size) / 2)];
  return sharp(data, { raw: { width, height, channels: 3 } })
    .extract({ left, top, width: size, height: size })
    .raw()
    .toBuffer();
}

interface Operation {
  readonly name: string;
  readonly turns?: boolean;
  /** @param strength from −1 to 1 */
  apply(image: Sharp, strength: number): Sharp;
}

const OPERATIONS_A_VIEW = 2;
/** Where a turned picture shows nothing. */
const GROUND = { r: 128, g: 128, b: 128 };
const MAX_DEGREES = 25;

const OPERATIONS: readonly Operation[] = [
  { name: 'brightness', apply: (image, s) => image.modulate({ brightness: 1 + 0.5 * s }) },
  { name: 'saturation', apply: (image, s) => image.modulate({ saturation: Math.max(0, 1 + 0.9 * s) }) },
  { name: 'hue', apply: (image, s) => image.modulate({ hue: Math.round(40 * s) }) },
  { name: 'contrast', apply: (image, s) => image.linear(1 + 0.5 * s, -64 * s) },
  { name: 'channels', apply: (image, s) => image.linear([1 + 0.3 * s, 1, 1 - 0.3 * s], [0, 0, 0]) },
  { name: 'grey', apply: (image) => image.modulate({ saturation: 0 }) },
  { name: 'blur', apply: (image, s) => image.blur(0.5 + 1.5 * Math.abs(s)) },
  { name: 'sharpen', apply: (image, s) => image.sharpen({ sigma: 0.5 + 1.5 * Math.abs(s) }) },
  { name: 'darker tones', apply: (image, s) => image.gamma(1 + 1.2 * Math.abs(s)) },
  { name: 'rotate', turns: true, apply: (image, s) => image.rotate(MAX_DEGREES * s, { background: GROUND }) },
  {
    name: 'shear',
    turns: true,
    apply: (image, s) => image.affine([1, 0.25 * s, 0, 1], { background: GROUND }),
  },
];

/** Share of a view that is erased. */
const ERASED: readonly [number, number] = [0.02, 0.2];

/** One rectangle of noise, in place. */
function erased(pixels: Uint8Array, size: number, random: Random): Uint8Array {
  const [least, most] = ERASED;
  const area = (least + (most - least) * random()) * size * size;
  const aspect = 3 ** (2 * random() - 1);
  const [width, height] = [wholeWithin(Math.sqrt(area * aspect), size), wholeWithin(Math.sqrt(area / aspect), size)];
  const left = Math.floor(random() * (size - width + 1));
  const top = Math.floor(random() * (size - height + 1));
  for (let y = top; y < top + height; y++) {
    for (let i = (y * size + left) * 3; i < (y * size + left + width) * 3; i++) pixels[i] = 256 * random();
  }
  return pixels;
}

/** A mirrored picture, for asking whether classes bear it: [size, size, 3], RGB. */
export function mirroredSquare({ pixels, width, height }: Pixels, size: number): Promise<Uint8Array> {
  return squareOf(sharp(pixels, { raw: { width, height, channels: 3 } }).flop(), size);
}

/** The same of one that is turned by some degrees. */
export async function turnedSquare(
  { pixels, width, height }: Pixels,
  degrees: number,
  size: number,
): Promise<Uint8Array> {
  const turned = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .rotate(degrees, { background: GROUND })
    .png({ compressionLevel: 0 })
    .toBuffer();
  return sharp(turned).resize(size, size, { fit: 'fill', kernel: 'linear' }).removeAlpha().raw().toBuffer();
}
