/**
 * The points of an image's map that a head is taught on: those around the objects, those that look most like an object of
 * any class that is known, and some of the rest, which stand for all of it. Some 400 of 16,000, and what is left out would
 * hardly count: far from all objects the focal loss is next to nothing.
 */
import { type Random, shuffled } from '../../../core/random.ts';
import { type HeatmapShape, heatmapTargets, type TaughtBox } from './heatmap.ts';

/** Points of some images, n. */
export interface TaughtPoints {
  /** Shape [n, channels]. */
  readonly features: Float32Array;
  /** Shape [n, classes]; see `HeatmapTargets`. */
  readonly objects: Float32Array;
  readonly background: Float32Array;
}

/** Points to each side of an object's middle. */
const AROUND = 2;
/** Of the points beside these, those that look like objects; the others are drawn from the rest. */
const LIKE_OBJECTS = 2 / 3;

export interface ImageMap {
  /** Shape [channels, rows, columns]. */
  readonly map: Float32Array;
  /** Shape [rows, columns]: the largest logit of the classes that are known. */
  readonly best: Float32Array;
}

export function taughtPoints(
  { map, best }: ImageMap,
  boxes: readonly TaughtBox[],
  shape: HeatmapShape,
  { points, random }: { readonly points: number; readonly random: Random },
): TaughtPoints {
  const { classes, rows, columns } = shape;
  const places = rows * columns;
  const channels = map.length / places;
  const targets = heatmapTargets(boxes, shape);
  const chosen = new Set<number>();
  for (let at = 0; at < classes * places; at++) {
    if (targets.objects[at] === 1) for (const one of around(at % places, rows, columns)) chosen.add(one);
  }
  const likeObjects = Math.round(LIKE_OBJECTS * points);
  const byLogit = Array.from({ length: places }, (_, i) => i).sort((a, b) => best[b] - best[a] || a - b);
  for (const place of byLogit.slice(0, likeObjects)) chosen.add(place);
  const rest = byLogit.filter((place) => !chosen.has(place));
  const drawn = shuffled(rest, random).slice(0, points - likeObjects);
  const standsFor = rest.length / Math.max(1, drawn.length);
  const all = [...chosen, ...drawn];
  const features = new Float32Array(all.length * channels);
  const [objects, background] = [new Float32Array(all.length * classes), new Float32Array(all.length * classes)];
  for (const [i, place] of all.entries()) {
    const weight = i < chosen.size ? 1 : standsFor;
    for (let c = 0; c < channels; c++) features[i * channels + c] = map[c * places + place];
    for (let c = 0; c < classes; c++) {
      objects[i * classes + c] = targets.objects[c * places + place];
      background[i * classes + c] = weight * targets.background[c * places + place];
    }
  }
  return { features, objects, background };
}

function around(place: number, rows: number, columns: number): number[] {
  const [y, x] = [Math.floor(place / columns), place % columns];
  const found: number[] = [];
  for (let dy = -AROUND; dy <= AROUND; dy++) {
    for (let dx = -AROUND; dx <= AROUND; dx++) {
      const [row, column] = [y + dy, x + dx];
      if (row >= 0 && column >= 0 && row < rows && column < columns) found.push(row * columns + column);
    }
  }
  return found;
}

export function joinedPoints(parts: readonly TaughtPoints[]): TaughtPoints {
  const joined = (field: keyof TaughtPoints) => {
    const all = new Float32Array(parts.reduce((sum, part) => sum + part[field].length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part[field], at);
      at += part[field].length;
    }
    return all;
  };
  return { features: joined('features'), objects: joined('objects'), background: joined('background') };
}
