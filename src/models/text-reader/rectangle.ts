/** Rectangles of any direction. */
import type { Point } from './components.ts';

export interface Rectangle {
  readonly middle: Point;
  /** Unit vector along `width`; `height` is along it turned by a quarter, (−y, x). */
  readonly along: Point;
  readonly width: number;
  readonly height: number;
}

/** Corners from the top left clockwise, as the rectangle's longer way lies: see {@link cornersOf}. */
export type Quadrilateral = readonly [Point, Point, Point, Point];

/**
 * The rectangle of least area that holds the points: one of its sides lies on one of the convex hull's (Freeman and Shapira
 * 1975). O(n log n) for the hull, O(h²) for its h corners. Of one point it has no area, of points in a line no height.
 */
export function minAreaRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  const [first] = hull;
  if (first === undefined) throw new RangeError('a rectangle needs a point at least');
  let best: Rectangle = { middle: first, along: [1, 0], width: 0, height: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (const [i, [x, y]] of hull.entries()) {
    const [nextX, nextY] = hull[(i + 1) % hull.length] ?? first;
    const length = Math.hypot(nextX - x, nextY - y);
    if (length === 0) continue;
    const [ux, uy] = [(nextX - x) / length, (nextY - y) / length];
    let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [px, py] of hull) {
      const u = px * ux + py * uy;
      const v = py * ux - px * uy;
      if (u < minU) minU = u;
      if (u > maxU) maxU = u;
      if (v < minV) minV = v;
      if (v > maxV) maxV = v;
    }
    const [width, height] = [maxU - minU, maxV - minV];
    if (width * height >= least) continue;
    least = width * height;
    const [u, v] = [(minU + maxU) / 2, (minV + maxV) / 2];
    best = { middle: [u * ux - v * uy, u * uy + v * ux], along: [ux, uy], width, height };
  }
  return best;
}

/** Corners of the convex hull, counter-clockwise on paper (Andrew 1979); no three of them in a line. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const point of ordered) {
      for (;;) {
        const [a, b] = chain.slice(-2);
        if (!a || !b || cross(a, b, point) > 0) break;
        chain.pop();
      }
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function cross([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** Each side moved out by `distance`. */
export function grown({ middle, along, width, height }: Rectangle, distance: number): Rectangle {
  return { middle, along, width: width + 2 * distance, height: height + 2 * distance };
}

/**
 * The corners as people order them: of the two on the left the upper one, of the two on the right the upper one and the lower one,
 * and the lower one on the left.
 */
export function cornersOf({ middle: [x, y], along: [ux, uy], width, height }: Rectangle): Quadrilateral {
  const [w, h] = [width / 2, height / 2];
  const corner = (a: number, b: number): Point => [x + a * w * ux - b * h * uy, y + a * w * uy + b * h * ux];
  const byX = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const byY = (a: Point, b: Point) => a[1] - b[1];
  const [topLeft, bottomLeft] = byX.slice(0, 2).sort(byY);
  const [topRight, bottomRight] = byX.slice(2).sort(byY);
  if (!topLeft || !topRight || !bottomRight || !bottomLeft) throw new RangeError('a rectangle has four corners');
  return [topLeft, topRight, bottomRight, bottomLeft];
}

/** Mean of a map over the pixels whose middles are within the rectangle; 0 where there are none. @param map shape [rows, columns] */
export function meanWithin(
  map: Float32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  rectangle: Rectangle,
): number {
  const {
    middle: [mx, my],
    along: [ux, uy],
    width,
    height,
  } = rectangle;
  const corners = cornersOf(rectangle);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  let sum = 0;
  let count = 0;
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.min(rows - 1, Math.ceil(Math.max(...ys))); y++) {
    for (
      let x = Math.max(0, Math.floor(Math.min(...xs)));
      x <= Math.min(columns - 1, Math.ceil(Math.max(...xs)));
      x++
    ) {
      const [dx, dy] = [x - mx, y - my];
      // Half a pixel is for what the middles of pixels round off.
      if (Math.abs(dx * ux + dy * uy) > width / 2 + 0.5 || Math.abs(dy * ux - dx * uy) > height / 2 + 0.5) continue;
      sum += map[y * columns + x];
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}
