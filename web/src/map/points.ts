/** The map's items as arrays, and which of them a lasso holds. */
import type { Origin } from '../../../src/core/labels.ts';
import { failureOf } from '../api/client.ts';
import type { Place } from '../view/view.ts';

export interface Points {
  readonly count: number;
  readonly classes: readonly string[];
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly confidence: Float32Array;
  /** Place in `classes`, −1 for none. */
  readonly classOf: Int32Array;
  readonly origins: readonly Origin[];
  /** Who says it: a place in `origins`, 255 where nothing holds. */
  readonly originOf: Uint8Array;
  id(place: number): string;
}

export async function fetchPoints(task: string, signal: AbortSignal): Promise<Points> {
  const { buffer, header, from } = await fetchColumns('/api/map', task, signal);
  const { count, classes, origins = [] } = header;
  const at = (n: number) => from + 4 * count * n;
  const ids = new Uint8Array(buffer, at(4), 32 * count);
  return {
    count,
    classes,
    origins,
    originOf: new Uint8Array(buffer, at(4) + 32 * count, count),
    x: new Float32Array(buffer, at(0), count),
    y: new Float32Array(buffer, at(1), count),
    confidence: new Float32Array(buffer, at(2), count),
    classOf: new Int32Array(buffer, at(3), count),
    id: (place) =>
      Array.from(ids.subarray(32 * place, 32 * place + 32), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}

/** Which cluster each point is of, in the order of the map. */
export async function fetchClusters(task: string, signal: AbortSignal): Promise<Pick<Points, 'classes' | 'classOf'>> {
  const { buffer, header, from } = await fetchColumns('/api/map/clusters', task, signal);
  return { classes: header.classes, classOf: new Int32Array(buffer, from, header.count) };
}

interface Header {
  readonly count: number;
  readonly classes: readonly string[];
  readonly origins?: readonly Origin[];
}

/** @returns where the columns begin in the buffer, in bytes */
async function fetchColumns(path: string, task: string, signal: AbortSignal) {
  const response = await fetch(`${path}?task=${encodeURIComponent(task)}`, { signal });
  if (!response.ok) throw await failureOf(response);
  const buffer = await response.arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header: Header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { buffer, header, from: 4 + length };
}

/** Even-odd rule: a ray to the right crosses the outline an odd number of times. Cost: points × corners. */
export function insideOf({ x, y, count }: Pick<Points, 'x' | 'y' | 'count'>, outline: readonly Place[]): number[] {
  const found: number[] = [];
  const [xs, ys] = [outline.map((one) => one.x), outline.map((one) => one.y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < count; i++) {
    const [px, py] = [x[i] ?? 0, y[i] ?? 0];
    if (px < left || px > right || py < top || py > bottom) continue;
    let inside = false;
    for (let a = 0, b = outline.length - 1; a < outline.length; b = a++) {
      const [ax = 0, ay = 0, bx = 0, by = 0] = [xs[a], ys[a], xs[b], ys[b]];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) inside = !inside;
    }
    if (inside) found.push(i);
  }
  return found;
}
