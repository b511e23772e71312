/** Masks and keypoints of the regions that are shown, small enough for a page. */

import { chunks } from '../core/chunks.ts';
import type { ImageId, RegionId } from '../core/ids.ts';
import { outlinesOf } from '../formats/contours.ts';
import type { Store, StoredRegion } from '../store/store.ts';
import type { ReportPicture, ReportShape } from './picture-data.ts';
import type { ReportClass } from './report-data.ts';

/** Longest side of a picture in the page, in pixels: an outline need not be finer. */
const SHOWN_SIDE = 320;
const MAX_POINTS = 400;

/** Regions of one image that are drawn with their masks and keypoints. */
const MAX_SHAPES = 12;
/** Images that are looked up at once. */
const PAGE = 256;

/** Of the regions that are drawn, those that are more than a box. */
export async function readShapes(
  store: Pick<Store, 'regionsOf'>,
  classes: readonly ReportClass[],
  pictures: ReadonlyMap<ImageId, ReportPicture>,
): Promise<Map<RegionId, ReportShape>> {
  const wanted = new Set<RegionId>();
  const imageIds = new Set<ImageId>();
  for (const { imageId, regions } of classes.flatMap(({ typical, doubtful }) => [...typical, ...doubtful])) {
    if (!pictures.has(imageId) || regions.length === 0) continue;
    imageIds.add(imageId);
    for (const { id } of regions.slice(0, MAX_SHAPES)) wanted.add(id);
  }
  const shapes = new Map<RegionId, ReportShape>();
  const ids = [...imageIds];
  for (const page of chunks(ids, PAGE)) {
    for (const [imageId, regions] of await store.regionsOf(page)) {
      for (const region of regions) {
        const shape = wanted.has(region.id) ? shapeOf(region, pictures.get(imageId) as ReportPicture) : null;
        if (shape) shapes.set(region.id, shape);
      }
    }
  }
  return shapes;
}

/** Null for a region that is a box only. */
export function shapeOf(
  { mask, polygons, keypoints }: Pick<StoredRegion, 'mask' | 'polygons' | 'keypoints'>,
  image: { readonly width: number; readonly height: number },
): ReportShape | null {
  const tolerance = Math.max(0.5, (0.75 * Math.max(image.width, image.height)) / SHOWN_SIDE);
  const whole = polygons ?? (mask ? Object.values(outlinesOf(mask)).flat() : []);
  const contours: number[][] = [];
  let points = 0;
  for (const polygon of whole) {
    const simple = simplified(thinned(polygon, tolerance), tolerance);
    points += simple.length / 2;
    if (simple.length >= 6 && points <= MAX_POINTS) contours.push(simple);
  }
  return contours.length === 0 && !keypoints ? null : { contours, keypoints };
}

/** More corners than any outline of the shown size needs; the time of {@link simplified} grows with their square at worst. */
const MAX_CORNERS = 4000;

/** A polygon of very many corners without those nearer than half of `tolerance` to the last kept, then evenly fewer. */
function thinned(polygon: readonly number[], tolerance: number): readonly number[] {
  if (polygon.length <= 2 * MAX_CORNERS) return polygon;
  const apart: number[] = [];
  for (let i = 0; i + 1 < polygon.length; i += 2) {
    const [x, y] = [polygon[i], polygon[i + 1]];
    const isFar = Math.hypot(x - (apart.at(-2) ?? Infinity), y - (apart.at(-1) ?? Infinity)) >= tolerance / 2;
    if (apart.length === 0 || isFar) apart.push(x, y);
  }
  const step = Math.ceil(apart.length / 2 / MAX_CORNERS);
  return apart.filter((_, i) => Math.floor(i / 2) % step === 0);
}

/**
 * The corners that matter: none left out is farther than `tolerance` from the line that replaces it (D. Douglas, T. Peucker,
 * Cartographica 10, 1973). The closed polygon is cut at its first corner and the one farthest from it.
 */
function simplified(polygon: readonly number[], tolerance: number): number[] {
  const n = polygon.length / 2;
  const x = (i: number) => polygon[2 * (i % n)];
  const y = (i: number) => polygon[2 * (i % n) + 1];
  let far = 0;
  for (let i = 1; i < n; i++) {
    if (Math.hypot(x(i) - x(0), y(i) - y(0)) > Math.hypot(x(far) - x(0), y(far) - y(0))) far = i;
  }
  const kept = new Set([0, far]);
  const parts: [number, number][] = [
    [0, far],
    [far, n],
  ];
  while (parts.length > 0) {
    const [from, to] = parts.pop() as [number, number];
    const [dx, dy] = [x(to) - x(from), y(to) - y(from)];
    const length = Math.hypot(dx, dy);
    let [worst, most] = [-1, tolerance];
    for (let i = from + 1; i < to; i++) {
      const [px, py] = [x(i) - x(from), y(i) - y(from)];
      const away = length > 0 ? Math.abs(px * dy - py * dx) / length : Math.hypot(px, py);
      if (away > most) [worst, most] = [i, away];
    }
    if (worst < 0) continue;
    kept.add(worst);
    parts.push([from, worst], [worst, to]);
  }
  return [...kept].sort((a, b) => a - b).flatMap((i) => [x(i), y(i)]);
}
