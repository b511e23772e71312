/**
 * How far the outputs of one machine are from the golden ones. Numbers are compared place by place; what a detector found is
 * compared object by object, since how many there are and in which order may hang on the last bits of their scores.
 */
import { CANDIDATE_THRESHOLD } from '../../../models/detectors/decoder.ts';

export type Outputs = Readonly<Record<string, Float32Array>>;

/** Outputs of another machine are those of this one when they differ by no more. */
export const TOLERANCE = 1e-4;
/** The same of half precision. */
export const HALF_TOLERANCE = 2e-2;

/** Boxes differ as a share of so many pixels: half precision may move a corner by two. */
const BOX_PIXELS = 100;

/**
 * By output, the largest difference: of plain numbers as a share of the largest golden one or of 1, whichever is more.
 * Infinite where something is missing, is no number, or there are more or fewer of them.
 */
export function differencesOf(found: Outputs, golden: Outputs): Map<string, number> {
  const [here, there] = [objectsIn(found), objectsIn(golden)];
  if (here !== undefined && there !== undefined) return objectDifferences(here, there);
  return new Map(
    Object.entries(golden).map(([name, values]) => [name, plainDifference(found[name] ?? new Float32Array(), values)]),
  );
}

export function largestDifference(found: Outputs, golden: Outputs): number {
  return Math.max(0, ...differencesOf(found, golden).values());
}

function plainDifference(found: Float32Array, golden: Float32Array): number {
  if (found.length !== golden.length) return Number.POSITIVE_INFINITY;
  let scale = 1;
  for (const value of golden) scale = Math.max(scale, Math.abs(value));
  let largest = 0;
  for (const [i, value] of golden.entries()) {
    const difference = Math.abs((found[i] ?? Number.NaN) - value);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference / scale);
  }
  return largest;
}

interface FoundObject {
  /** xyxy, in pixels of the model's input. */
  readonly box: readonly number[];
  readonly score: number;
  readonly class: number;
}

/** Those that are candidates; undefined where these are no outputs of a detector, or not whole ones. */
function objectsIn({ boxes, scores, classes }: Outputs): FoundObject[] | undefined {
  if (boxes === undefined || scores === undefined || classes === undefined) return undefined;
  if (boxes.length !== 4 * scores.length || classes.length !== scores.length) return undefined;
  return [...scores].flatMap((score, i) =>
    score >= CANDIDATE_THRESHOLD
      ? [{ box: [...boxes.subarray(4 * i, 4 * i + 4)], score, class: classes[i] ?? Number.NaN }]
      : [],
  );
}

/**
 * Each golden object goes with the one of its class that is most like it. What stays alone differs by what its score is above
 * the candidates' threshold.
 */
function objectDifferences(found: readonly FoundObject[], golden: readonly FoundObject[]): Map<string, number> {
  const left = new Set(found);
  let [boxes, scores] = [0, 0];
  for (const one of golden) {
    let best: { readonly object: FoundObject; readonly box: number; readonly score: number } | undefined;
    for (const object of left) {
      if (object.class !== one.class) continue;
      const box =
        Math.max(...object.box.map((corner, i) => Math.abs(corner - (one.box[i] ?? Number.NaN)))) / BOX_PIXELS;
      const score = Math.abs(object.score - one.score);
      if (best === undefined || Math.max(box, score) < Math.max(best.box, best.score)) best = { object, box, score };
    }
    const alone = overLeast(one);
    if (best !== undefined && !(Math.max(best.box, best.score) > alone + overLeast(best.object))) {
      left.delete(best.object);
      [boxes, scores] = [larger(boxes, best.box), larger(scores, best.score)];
    } else scores = larger(scores, alone);
  }
  for (const object of left) scores = larger(scores, overLeast(object));
  return new Map([
    ['boxes', boxes],
    ['scores', scores],
    ['classes', 0],
  ]);
}

function overLeast({ score }: FoundObject): number {
  return score - CANDIDATE_THRESHOLD;
}

function larger(a: number, b: number): number {
  return Number.isNaN(b) ? Number.POSITIVE_INFINITY : Math.max(a, b);
}
