/**
 * `detect --segment`: mean IoU of masks with COCO's polygons, over the found boxes that match a true one with an outline at
 * IoU .5, against the box filled; and the time of a box. About half a minute.
 */
import { join } from 'node:path';
import type { Box } from '../src/core/boxes.ts';
import type { MaskRle } from '../src/core/dataset.ts';
import { type CocoImage, matchBoxes, readCoco } from './coco-boxes.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

export function run(): Promise<unknown> {
  return measureMasks([]);
}

/** @param options of `detect --segment`: which model of masks, say */
export function measureMasks(options: readonly string[]) {
  const set = dataSet('coco-train128');
  return inScratch(async (dir) => {
    const truth = readCoco(join(set, 'instances.json'));
    await labelsmith(['add', join(set, 'images')], dir);
    const { stdout: plain } = await labelsmith(['detect'], dir);
    const { stdout, seconds } = await labelsmith(['detect', '--segment', ...options], dir);
    const { segment } = JSON.parse(stdout) as { segment: { regions: number } };
    await labelsmith(['export', 'coco', 'out', '--images', 'none'], dir);
    const found = readCoco(join(dir, 'out/annotations.json'));
    let [matched, boxes, filled, masks] = [0, 0, 0, 0];
    for (const [file, { image, boxes: real }] of truth) {
      for (const pair of matchBoxes(real, found.get(file)?.boxes ?? []).pairs) {
        const polygons = pair.truth.segmentation as number[][] | undefined;
        matched++;
        // A box whose outline nobody drew says nothing of masks.
        if (!polygons?.length) continue;
        const want = rasterized(polygons, image);
        filled += overlap(want, boxPixels(pair.found.box, image));
        masks += overlap(want, maskPixels(pair.found.segmentation as MaskRle));
        boxes++;
      }
    }
    return {
      regions: segment.regions,
      detected: (JSON.parse(plain) as { regions: number }).regions,
      matchedBoxes: matched,
      withPolygons: boxes,
      meanIouFilledBox: rounded(filled / boxes, 4),
      meanIouMask: rounded(masks / boxes, 4),
      pointsAbove: rounded((100 * (masks - filled)) / boxes, 1),
      msPerBoxEndToEnd: rounded((1000 * seconds) / segment.regions, 1),
    };
  });
}

/** Even-odd at the middles of pixels, and any of several polygons. Shape [height, width]. */
function rasterized(polygons: readonly (readonly number[])[], { width, height }: CocoImage): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (let y = 0; y < height; y++) {
      const crossings: number[] = [];
      for (let i = 0; i < polygon.length; i += 2) {
        const j = (i + 2) % polygon.length;
        const [x1, y1] = [polygon[i], polygon[i + 1]];
        const [x2, y2] = [polygon[j], polygon[j + 1]];
        if (y1 <= y + 0.5 !== y2 <= y + 0.5) crossings.push(x1 + ((y + 0.5 - y1) / (y2 - y1)) * (x2 - x1));
      }
      crossings.sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const from = Math.max(0, Math.ceil(crossings[k] - 0.5));
        const to = Math.min(width, Math.ceil(crossings[k + 1] - 0.5));
        if (to > from) pixels.fill(1, y * width + from, y * width + to);
      }
    }
  }
  return pixels;
}

function boxPixels([x1, y1, x2, y2]: Box, { width, height }: CocoImage): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let y = Math.max(0, Math.ceil(y1 - 0.5)); y < Math.min(height, Math.ceil(y2 - 0.5)); y++) {
    const [from, to] = [Math.max(0, Math.ceil(x1 - 0.5)), Math.min(width, Math.ceil(x2 - 0.5))];
    if (to > from) pixels.fill(1, y * width + from, y * width + to);
  }
  return pixels;
}

/** COCO's counts go down the columns. */
function maskPixels({ size: [height, width], counts }: MaskRle): Uint8Array {
  const pixels = new Uint8Array(width * height);
  let at = 0;
  for (const [i, count] of counts.entries()) {
    if (i % 2 === 1) for (let k = at; k < at + count; k++) pixels[(k % height) * width + Math.floor(k / height)] = 1;
    at += count;
  }
  return pixels;
}

function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] & b[i];
    either += a[i] | b[i];
  }
  return either === 0 ? 0 : both / either;
}
