/** What a pointer makes of boxes and points, in pixels of the image. Pure. */
import type { Region } from '../api/client.ts';

export type Box = Region['box'];
export type Keypoints = NonNullable<Region['keypoints']>;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A corner by the places of its numbers in a box. */
export type Corner = readonly [0 | 2, 1 | 3];

export type Drag =
  | { readonly kind: 'pan' }
  | { readonly kind: 'draw'; readonly from: Point }
  | { readonly kind: 'move'; readonly from: Point; readonly box: Box }
  | { readonly kind: 'resize'; readonly corner: Corner; readonly box: Box }
  | { readonly kind: 'keypoint'; readonly place: number; readonly keypoints: Keypoints };

export interface Draft {
  readonly box?: Box;
  readonly keypoints?: Keypoints;
}

/** Smaller boxes are clicks. */
const MIN_PX = 3;

export function isBox([x1, y1, x2, y2]: Box): boolean {
  return x2 - x1 >= MIN_PX && y2 - y1 >= MIN_PX;
}

/** What stands while the pointer is at `to`. */
export function draftOf(drag: Drag, to: Point, image: { readonly width: number; readonly height: number }): Draft {
  switch (drag.kind) {
    case 'pan':
      return {};
    case 'draw':
      return { box: between(drag.from, to) };
    case 'move':
      return { box: moved(drag.box, to.x - drag.from.x, to.y - drag.from.y, image) };
    case 'resize': {
      const [i, j] = drag.corner;
      return { box: between({ x: drag.box[2 - i] ?? 0, y: drag.box[4 - j] ?? 0 }, to) };
    }
    case 'keypoint':
      // A person who puts it somewhere sees it.
      return { keypoints: drag.keypoints.map((one, place) => (place === drag.place ? [to.x, to.y, 2] : one)) };
    default:
      throw new Error(`unknown drag ${JSON.stringify(drag satisfies never)}`);
  }
}

/** The box that all of them touch. */
export function around(points: readonly Point[]): Box {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export function between(a: Point, b: Point): Box {
  return around([a, b]);
}

export function inside([x1, y1, x2, y2]: Box, { x, y }: Point): boolean {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2;
}

type Size = Readonly<Record<'width' | 'height', number>>;

/** Its right and lower side put elsewhere. */
export function resized([x1, y1, x2, y2]: Box, dx: number, dy: number, { width, height }: Size): Box {
  return [x1, y1, Math.min(x2 + dx, width), Math.min(y2 + dy, height)];
}

/** As far as the image goes. */
export function moved([x1, y1, x2, y2]: Box, dx: number, dy: number, image: Size): Box {
  const right = Math.min(Math.max(dx, -x1), image.width - x2);
  const down = Math.min(Math.max(dy, -y1), image.height - y2);
  return [x1 + right, y1 + down, x2 + right, y2 + down];
}
