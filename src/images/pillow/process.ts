/** From a decoded image to the pixels of a network's input, in the steps of the hub's image processors. */
import type { PillowProcessing } from '../../core/pillow.ts';
import type { Pixels } from '../decode.ts';
import { resizeAveraged } from './averaged-resize.ts';
import { resizeSquareBlurred } from './blurred-resize.ts';
import { resizeAsOpenCv } from './opencv-resize.ts';
import { resizeAsPillow } from './resample.ts';
import { roundHalfToEven } from './rounding.ts';
import { resizeSampled } from './sampled-resize.ts';

export interface PillowInput {
  /** Of the network's input, in pixels. */
  readonly width: number;
  readonly height: number;
  /** RGB, of what the image does not cover. */
  readonly pad: readonly [number, number, number];
  readonly pillow: PillowProcessing;
}

export interface Placed extends Pixels {
  /** Input pixels per image pixel, where the whole image is in the input at its top left; else null. */
  readonly scale: { readonly x: number; readonly y: number } | null;
}

export function processAsPillow(image: Pixels, { width, height, pad, pillow }: PillowInput): Placed {
  const { resample, size } = pillow;
  const middle = (of: Pixels) => ({ ...middleOf(of, { width, height, pillow }), scale: null });
  const toSize = (of: Pixels, w: number, h: number) => resizeAsPillow(of, { width: w, height: h, resample });
  switch (size.kind) {
    case 'exact':
      return { ...toSize(image, width, height), scale: { x: width / image.width, y: height / image.height } };
    case 'none':
      return middle(image);
    case 'squashed':
      return middle(toSize(image, size.width, size.height));
    case 'shortest': {
      const { edge } = size;
      const long = (side: number, other: number) => Math.trunc((edge * side) / other);
      const upright = image.width <= image.height;
      const [w, h] = upright ? [edge, long(image.height, image.width)] : [long(image.width, image.height), edge];
      return middle(toSize(image, w, h));
    }
    case 'open': {
      const { w, h } = wholeMultiples(openSides(image, size), size.multiple ?? 1);
      return { ...toSize(image, w, h), scale: { x: w / image.width, y: h / image.height } };
    }
    case 'padded-square': {
      const side = Math.max(image.width, image.height);
      const square = onGround(image, side, side, pad);
      return { ...toSize(square, width, height), scale: { x: width / side, y: height / side } };
    }
    case 'blurred-square': {
      const side = Math.max(image.width, image.height);
      const pixels = bytesOf(resizeSquareBlurred(image, width));
      return { pixels, width, height, scale: { x: width / side, y: height / side } };
    }
    case 'sampled': {
      const pixels = bytesOf(resizeSampled(image, width, height));
      return { pixels, width, height, scale: { x: width / image.width, y: height / image.height } };
    }
    case 'opencv-letterbox': {
      const share = Math.min(height / image.height, width / image.width);
      const whole = (side: number) => Math.max(1, Math.trunc(side * share));
      const inner = resizeAsOpenCv(image, whole(image.width), whole(image.height));
      return { ...onGround(inner, width, height, pad), scale: { x: share, y: share } };
    }
    case 'averaged': {
      if (resample === 'nearest') throw new RangeError('nothing is averaged by the nearest pixel');
      const pixels = bytesOf(resizeAveraged(image, { width, height, resample }));
      return { pixels, width, height, scale: { x: width / image.width, y: height / image.height } };
    }
    case 'filled': {
      const { w, h } = longestSides(image, Math.max(width, height));
      const pixels = bytesOf(filledUp(toSize(image, w, h), { width, height, fill: size.fill }));
      return { pixels, width, height, scale: { x: w / image.width, y: h / image.height } };
    }
    case 'longest': {
      const { w, h } = longestSides(image, Math.max(width, height));
      const whole = onGround(toSize(image, w, h), width, height, pad);
      return { ...whole, scale: { x: w / image.width, y: h / image.height } };
    }
    default:
      return size satisfies never;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The longer side to so many pixels, the other to the nearest whole number. */
function longestSides({ width, height }: Pick<Pixels, 'width' | 'height'>, side: number) {
  const share = side / Math.max(width, height);
  return { w: Math.trunc(width * share + 0.5), h: Math.trunc(height * share + 0.5) };
}

function filledUp(
  image: Pixels,
  { width, height, fill }: Pick<PillowInput, 'width' | 'height'> & { readonly fill: readonly number[] },
): Float32Array {
  const values = Float32Array.from({ length: width * height * 3 }, (_, i) => fill[i % 3] ?? 0);
  const row = image.width * 3;
  for (let y = 0; y < image.height; y++) values.set(image.pixels.subarray(y * row, (y + 1) * row), y * width * 3);
  return values;
}

/** `get_size_with_aspect_ratio` of Python's transformers; its `round` takes the even one of two as near. */
function openSides(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  { edge, longest }: { readonly edge: number; readonly longest: number },
): { readonly w: number; readonly h: number } {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const bounded = (long / short) * edge > longest;
  const exact = bounded ? (longest * short) / long : edge;
  const whole = bounded ? roundHalfToEven(exact) : edge;
  if (short === whole) return { w: width, h: height };
  const other = Math.trunc((exact * long) / short);
  return width < height ? { w: whole, h: other } : { w: other, h: whole };
}

function wholeMultiples({ w, h }: { readonly w: number; readonly h: number }, multiple: number) {
  const cut = (side: number) => Math.max(multiple, side - (side % multiple));
  return { w: cut(w), h: cut(h) };
}

/** The middle; what an image that is too small does not cover is black: a pixel more of it before than behind, by torch one less. */
function middleOf(image: Pixels, { width, height, pillow }: Omit<PillowInput, 'pad'>): Pixels {
  if (image.width === width && image.height === height) return image;
  const torch = pillow.middle === 'torch';
  const left = startOf(image.width, width, torch);
  const top = startOf(image.height, height, torch);
  return placed(image, { width, height, left: -left, top: -top, pad: [0, 0, 0] });
}

/** Where the part begins in the image; below 0: how much is filled up before it. */
function startOf(size: number, wanted: number, torch: boolean): number {
  if (size < wanted) return torch ? -Math.floor((wanted - size) / 2) : -Math.ceil((wanted - size) / 2);
  return torch ? roundHalfToEven((size - wanted) / 2) : Math.floor((size - wanted) / 2);
}

function onGround(image: Pixels, width: number, height: number, pad: PillowInput['pad']): Pixels {
  if (image.width === width && image.height === height) return image;
  return placed(image, { width, height, left: 0, top: 0, pad });
}

interface Placing extends Pick<PillowInput, 'width' | 'height' | 'pad'> {
  /** Where the image's corner comes to lie. */
  readonly left: number;
  readonly top: number;
}

function placed({ pixels, ...image }: Pixels, { width, height, left, top, pad }: Placing): Pixels {
  const out = new Uint8Array(width * height * 3);
  if (pad.some((value) => value !== 0)) for (let i = 0; i < out.length; i++) out[i] = pad[i % 3];
  const from = Math.max(0, -left);
  const columns = Math.min(image.width - from, width - Math.max(0, left));
  for (let y = Math.max(0, top); y < Math.min(height, top + image.height); y++) {
    const at = ((y - top) * image.width + from) * 3;
    out.set(pixels.subarray(at, at + columns * 3), (y * width + Math.max(0, left)) * 3);
  }
  return { pixels: out, width, height };
}
