/**
 * Draws points into the pixels of a canvas: 100,000 take some milliseconds without a graphics card. (WebGL libraries that were
 * tried build code from text, which the page's content security policy forbids.)
 */
import type { View } from '../view/view.ts';
import type { Choice, Points } from './points.ts';

export type Rgb = readonly [number, number, number];

/**
 * Hues a golden angle apart: neighbours in the list are told apart best. Names stand in the list beside the map. Each is as light
 * as it has to be to stand out from a white ground and from a dark one: blue needs more for that than yellow.
 */
export function hueOf(place: number): Rgb {
  if (place < 0) return [130, 134, 142];
  const hue = (place * 137.508) % 360;
  const luminance = LUMINANCES[Math.floor(place / 8) % 2] ?? LUMINANCES[0];
  let [low, high] = [0, 1];
  for (let step = 0; step < 10; step++) {
    const light = (low + high) / 2;
    if (luminanceOf(ofHue(hue, light)) < luminance) low = light;
    else high = light;
  }
  return ofHue(hue, high);
}

/** Of .15 to .3 the contrast (WCAG 2.2) is three to white and to the dark ground. */
const LUMINANCES = [0.18, 0.27] as const;

/** @param light of HSL, 0 to 1 */
function ofHue(hue: number, light: number): Rgb {
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - 0.62 * Math.min(light, 1 - light) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Relative luminance, 0 to 1 (WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance). */
export function luminanceOf([red, green, blue]: Rgb): number {
  const linear = (value: number) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

export function fitted({ x, y, count }: Points, width: number, height: number): View {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    left = Math.min(left, x[i] ?? 0);
    right = Math.max(right, x[i] ?? 0);
    top = Math.min(top, y[i] ?? 0);
    bottom = Math.max(bottom, y[i] ?? 0);
  }
  const scale = 0.94 * Math.min(width / Math.max(1e-9, right - left), height / Math.max(1e-9, bottom - top));
  return {
    scale,
    x: width / 2 - (scale * (left + right)) / 2,
    y: height / 2 - (scale * (top + bottom)) / 2,
  };
}

/** More points than this are thinned: that many take a second without a graphics card, and hide each other. */
export const MAX_DRAWN = 200_000;

/** Every so many-th point is drawn. Points are in order of their ids, which are digests, so it is a random sample. */
export function strideOf(count: number): number {
  return Math.max(1, Math.ceil(count / MAX_DRAWN));
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether a point is in sight. */
export function inSight({ x, y }: Pick<Points, 'x' | 'y'>, view: View, { width, height }: Size) {
  return (i: number): boolean => {
    const [px, py] = [(x[i] ?? 0) * view.scale + view.x, (y[i] ?? 0) * view.scale + view.y];
    return px >= 0 && py >= 0 && px <= width && py <= height;
  };
}

/** The points in sight, where they are few; else none. */
export function fewInSight(points: Points, view: View, limits: Size & { readonly most: number }): number[] {
  const found: number[] = [];
  const isSeen = inSight(points, view, limits);
  for (let i = 0; i < points.count; i++) {
    if (!isSeen(i)) continue;
    if (found.length === limits.most) return [];
    found.push(i);
  }
  return found;
}

export interface DrawOptions {
  readonly view: View;
  /** Of each point, as pixels are written: opaque, alpha highest. */
  readonly colours: Uint32Array;
  /** Those that are not chosen are faded. */
  readonly chosen: Choice | null;
}

const FADED = (70 << 24) | 0xffffff;

export function pixelOf([r, g, b]: Rgb): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

export function drawPoints(canvas: HTMLCanvasElement, points: Points, { view, colours, chosen }: DrawOptions): void {
  const context = canvas.getContext('2d');
  if (!context || canvas.width === 0 || canvas.height === 0) return;
  const { width, height } = canvas;
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  // A canvas has as many pixels as the screen has under it.
  const ratio = width / canvas.clientWidth;
  const size = Math.round((points.count > 50_000 ? 2 : points.count > 5_000 ? 3 : 7) * ratio);
  const half = size >> 1;
  const insets = discInsets(size);
  const stride = strideOf(points.count);
  for (let i = 0; i < points.count; i += stride) {
    const colour = (colours[i] ?? 0) & (chosen && !chosen.has[i] ? FADED : -1);
    const cx = Math.round(((points.x[i] ?? 0) * view.scale + view.x) * ratio) - half;
    const cy = Math.round(((points.y[i] ?? 0) * view.scale + view.y) * ratio) - half;
    if (cx < 0 || cy < 0 || cx + size > width || cy + size > height) continue;
    for (let row = 0; row < size; row++) {
      const start = (cy + row) * width + cx;
      const inset = insets[row] ?? 0;
      // Quicker than `fill` for a few pixels.
      for (let at = start + inset; at < start + size - inset; at++) pixels[at] = colour;
    }
  }
  context.putImageData(picture, 0, 0);
}

/** Pixels that each row of a disc leaves free at either side; small ones are squares. */
export function discInsets(size: number): number[] {
  const radius = size / 2;
  return Array.from({ length: size }, (_, row) => {
    const dy = row + 0.5 - radius;
    return size < 5 ? 0 : Math.round(radius - Math.sqrt(Math.max(0, radius * radius - dy * dy)));
  });
}
