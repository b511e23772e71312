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

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

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
    id(place) {
      let text = '';
      for (let at = 32 * place; at < 32 * place + 32; at++) text += HEX[ids[at] ?? 0];
      return text;
    },
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

/** Places in ascending order, and which they are: 1 for each of the points that is one. */
export interface Choice {
  readonly places: Int32Array;
  readonly has: Uint8Array;
}

/** Bands that the height of a lasso is cut into. */
const BANDS = 512;

/**
 * Even-odd rule: a ray to the right crosses the outline an odd number of times. Only edges that reach into a point's band can
 * be crossed. Cost: points × edges in a band, which are a few.
 */
export function insideOf({ x, y, count }: Pick<Points, 'x' | 'y' | 'count'>, outline: readonly Place[]): Choice {
  const [xs, ys] = [Float64Array.from(outline, (one) => one.x), Float64Array.from(outline, (one) => one.y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = BANDS / (bottom - top || 1);
  const bandOf = (py: number) => Math.min(BANDS - 1, Math.floor((py - top) * scale));
  const edges = edgesOfBands(ys, bandOf);
  return choiceOf(count, (i) => {
    const [px, py] = [x[i] ?? 0, y[i] ?? 0];
    if (px < left || px > right || py < top || py > bottom) return false;
    let inside = false;
    for (const b of edges[bandOf(py)] ?? []) {
      const a = b + 1 === outline.length ? 0 : b + 1;
      const [ax = 0, ay = 0, bx = 0, by = 0] = [xs[a], ys[a], xs[b], ys[b]];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  });
}

/** The edges that reach into each band, by the corner where they begin. */
function edgesOfBands(ys: Float64Array, bandOf: (y: number) => number): number[][] {
  const edges = Array.from({ length: BANDS }, (): number[] => []);
  for (const [b, from] of ys.entries()) {
    const [one, other] = [bandOf(from), bandOf(ys[b + 1 === ys.length ? 0 : b + 1] ?? 0)];
    for (let band = Math.min(one, other); band <= Math.max(one, other); band++) edges[band]?.push(b);
  }
  return edges;
}

export function choiceOf(count: number, isIn: (place: number) => boolean): Choice {
  const has = new Uint8Array(count);
  const places = new Int32Array(count);
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (!isIn(i)) continue;
    has[i] = 1;
    places[found++] = i;
  }
  return { has, places: places.slice(0, found) };
}
