/**
 * COCO's detection metrics for boxes, following `COCOeval` of pycocotools 2.0 (iouType `bbox`) step by step: 10 IoU
 * thresholds, 101 recall points, at most 1, 10 and 100 detections an image and class, four area ranges, crowds.
 *
 * Images are added one at a time and matched at once; what stays in memory is 33 bytes a detection that counts (the 100
 * best of an image and class) and one number a truth box and area range, never the boxes.
 *
 * Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the evaluation server's rules. Cost: an image
 * and class takes O(thresholds · areas · detections · truths), the end O(n log n) in the detections kept.
 */

import { pushTo } from '../../core/lists.ts';

/** Detections of one image, in any order. `Detections` of core fits. */
export interface ScoredBoxes {
  readonly count: number;
  /** Shape [n, 4], xyxy in pixels. */
  readonly boxes: ArrayLike<number>;
  /** Shape [n]. */
  readonly scores: ArrayLike<number>;
  /** Shape [n], class index; a negative one is left out. */
  readonly classes: ArrayLike<number>;
}

/** The truth of one image. An annotation's own `ignore` field plays no part, as in pycocotools: only crowds do. */
export interface TruthBoxes {
  readonly count: number;
  /** Shape [n, 4], xyxy in pixels. */
  readonly boxes: ArrayLike<number>;
  /** Shape [n], class index, 0 or more. */
  readonly classes: ArrayLike<number>;
  /** Shape [n], square pixels: the object's (its mask's) where known, else its box's. Decides small, medium, large. */
  readonly areas: ArrayLike<number>;
  /** Shape [n], 1 for a crowd: any number of detections may match it, and none of them counts. */
  readonly crowds: ArrayLike<number>;
}

/** Fractions 0 to 1; null where no truth box is in question (pycocotools prints −1). */
export interface DetectionMetrics {
  readonly mAP: number | null;
  readonly AP50: number | null;
  readonly AP75: number | null;
  /** Areas below 32², between, and above 96² square pixels. */
  readonly APsmall: number | null;
  readonly APmedium: number | null;
  readonly APlarge: number | null;
  /** Mean recall over thresholds and classes with at most 1, 10, 100 detections an image and class. */
  readonly AR1: number | null;
  readonly AR10: number | null;
  readonly AR100: number | null;
  readonly ARsmall: number | null;
  readonly ARmedium: number | null;
  readonly ARlarge: number | null;
  /** Classes with at least one truth box that is no crowd, in order of class index. */
  readonly perClass: readonly ClassAP[];
}

export interface ClassAP {
  readonly classIndex: number;
  /** Truth boxes that are no crowd. */
  readonly groundTruth: number;
  /** Detections that were looked at (the 100 best an image). */
  readonly detections: number;
  readonly AP: number;
  readonly AP50: number;
  readonly AR100: number;
}

/** Equal to numpy's `linspace(.5, .95, 10)` and `linspace(0, 1, 101)` to the last bit, which decides IoUs on the edge. */
const IOU_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5,
);
const RECALL_POINTS: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));
const MAX_DETECTIONS = 100;
/** Both ends belong to a range, so an area of exactly 32² is small and medium. */
const AREA_RANGES: readonly (readonly [least: number, most: number])[] = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
];
/** numpy's `spacing(1)`: keeps 0 / 0 from being NaN where nothing counts yet. */
const EPSILON = 2 ** -52;

const THRESHOLDS = IOU_THRESHOLDS.length;
const AREAS = AREA_RANGES.length;

export class DetectionEvaluation {
  /** Columns of the kept detections; `flags` is [n, AREAS]: bit t matched at threshold t, bit t + 10 ignored. */
  #classes = new Int32Array(1024);
  #orders = new Int32Array(1024);
  #ranks = new Uint8Array(1024);
  #scores = new Float64Array(1024);
  #flags = new Uint32Array(1024 * AREAS);
  #count = 0;
  /** Truth boxes that count, by class: one number an area range. */
  readonly #groundTruth = new Map<number, Int32Array>();

  /**
   * Matches one image.
   *
   * @param order the image's place among all (pycocotools: by image id), unique; it decides between equal scores, so the
   *   images may be added in any order.
   */
  add(order: number, truth: TruthBoxes, detections: ScoredBoxes): void {
    const groundTruthByClass = indicesByClass(truth.classes, truth.count);
    const detectionsByClass = indicesByClass(detections.classes, detections.count);
    for (const classIndex of new Set([...groundTruthByClass.keys(), ...detectionsByClass.keys()])) {
      const groundTruth = groundTruthByClass.get(classIndex) ?? [];
      const found = detectionsByClass.get(classIndex) ?? [];
      const ranked = found
        .sort((a, b) => detections.scores[b] - detections.scores[a] || a - b)
        .slice(0, MAX_DETECTIONS);
      this.#addClass(order, classIndex, truth, groundTruth, detections, ranked);
    }
  }

  #addClass(
    order: number,
    classIndex: number,
    truth: TruthBoxes,
    groundTruth: readonly number[],
    detections: ScoredBoxes,
    ranked: readonly number[],
  ): void {
    const overlaps = overlapMatrix(truth, groundTruth, detections, ranked);
    const first = this.#reserve(ranked.length);
    for (const [rank, d] of ranked.entries()) {
      this.#classes[first + rank] = classIndex;
      this.#orders[first + rank] = order;
      this.#ranks[first + rank] = rank;
      this.#scores[first + rank] = detections.scores[d];
    }
    let counted = this.#groundTruth.get(classIndex);
    if (!counted) {
      counted = new Int32Array(AREAS);
      this.#groundTruth.set(classIndex, counted);
    }
    for (const [area, range] of AREA_RANGES.entries()) {
      const ignored = groundTruth.map(
        (g) => truth.crowds[g] !== 0 || truth.areas[g] < range[0] || truth.areas[g] > range[1],
      );
      counted[area] += ignored.filter((is) => !is).length;
      const flags = matchDetections({ truth, groundTruth, ignored, overlaps, detections, ranked, range });
      for (let rank = 0; rank < ranked.length; rank++) this.#flags[(first + rank) * AREAS + area] = flags[rank];
    }
  }

  result(): DetectionMetrics {
    const rows = this.#rowsByClass();
    const classIndices = [...this.#groundTruth.keys()].sort((a, b) => a - b);
    /** One curve a class that has truth in the area range. */
    const curves = (area: number, maxDetections: number): Curve[] =>
      classIndices.flatMap((classIndex) => {
        const groundTruth = this.#groundTruth.get(classIndex)![area];
        if (groundTruth === 0) return [];
        const kept = (rows.get(classIndex) ?? []).filter((row) => this.#ranks[row] < maxDetections);
        return [this.#curve(classIndex, kept, groundTruth, area)];
      });
    const all = curves(0, MAX_DETECTIONS);
    const [small, medium, large] = [1, 2, 3].map((area) => curves(area, MAX_DETECTIONS));
    const AP = (of: readonly Curve[]) => meanOrNull(of.map((curve) => meanOf(curve.precision)));
    const APat = (t: number) => meanOrNull(all.map((curve) => curve.precision[t]));
    const AR = (of: readonly Curve[]) => meanOrNull(of.map((curve) => meanOf(curve.recall)));
    return {
      mAP: AP(all),
      AP50: APat(0),
      AP75: APat(5),
      APsmall: AP(small),
      APmedium: AP(medium),
      APlarge: AP(large),
      AR1: AR(curves(0, 1)),
      AR10: AR(curves(0, 10)),
      AR100: AR(all),
      ARsmall: AR(small),
      ARmedium: AR(medium),
      ARlarge: AR(large),
      perClass: all.map((curve) => ({
        classIndex: curve.classIndex,
        groundTruth: curve.groundTruth,
        detections: curve.detections,
        AP: meanOf(curve.precision),
        AP50: curve.precision[0],
        AR100: meanOf(curve.recall),
      })),
    };
  }

  /** Precision (mean over the recall points) and last recall at every threshold, of rows in order of confidence. */
  #curve(classIndex: number, rows: readonly number[], groundTruth: number, area: number): Curve {
    const precision: number[] = [];
    const recall: number[] = [];
    const precisions = new Float64Array(rows.length);
    const recalls = new Float64Array(rows.length);
    for (let t = 0; t < THRESHOLDS; t++) {
      let right = 0;
      let wrong = 0;
      for (let i = 0; i < rows.length; i++) {
        const flags = this.#flags[rows[i] * AREAS + area];
        if (!((flags >> (t + THRESHOLDS)) & 1)) {
          if ((flags >> t) & 1) right++;
          else wrong++;
        }
        recalls[i] = right / groundTruth;
        precisions[i] = right / (wrong + right + EPSILON);
      }
      for (let i = rows.length - 1; i > 0; i--) {
        if (precisions[i] > precisions[i - 1]) precisions[i - 1] = precisions[i];
      }
      let sum = 0;
      let i = 0;
      for (const point of RECALL_POINTS) {
        while (i < rows.length && recalls[i] < point) i++;
        if (i === rows.length) break;
        sum += precisions[i];
      }
      precision.push(sum / RECALL_POINTS.length);
      recall.push(rows.length > 0 ? recalls[rows.length - 1] : 0);
    }
    return { classIndex, groundTruth, detections: rows.length, precision, recall };
  }

  /** Rows of each class, most confident first; equal scores in order of image, then of rank within the image. */
  #rowsByClass(): Map<number, number[]> {
    const rows = indicesByClass(this.#classes, this.#count);
    for (const list of rows.values()) {
      list.sort(
        (a, b) =>
          this.#scores[b] - this.#scores[a] || this.#orders[a] - this.#orders[b] || this.#ranks[a] - this.#ranks[b],
      );
    }
    return rows;
  }

  /** Makes room for `more` rows and gives the first one's index. */
  #reserve(more: number): number {
    const first = this.#count;
    this.#count += more;
    if (this.#count > this.#scores.length) {
      const capacity = Math.max(this.#count, this.#scores.length * 2);
      this.#classes = grown(this.#classes, new Int32Array(capacity));
      this.#orders = grown(this.#orders, new Int32Array(capacity));
      this.#ranks = grown(this.#ranks, new Uint8Array(capacity));
      this.#scores = grown(this.#scores, new Float64Array(capacity));
      this.#flags = grown(this.#flags, new Uint32Array(capacity * AREAS));
    }
    return first;
  }
}

interface Curve {
  readonly classIndex: number;
  readonly groundTruth: number;
  readonly detections: number;
  /** Shape [THRESHOLDS]. */
  readonly precision: readonly number[];
  /** Shape [THRESHOLDS]. */
  readonly recall: readonly number[];
}

interface MatchInput {
  readonly truth: TruthBoxes;
  readonly groundTruth: readonly number[];
  readonly ignored: readonly boolean[];
  readonly overlaps: Float64Array;
  readonly detections: ScoredBoxes;
  readonly ranked: readonly number[];
  readonly range: readonly [least: number, most: number];
}

/**
 * Greedy matching at every threshold, best detection first: a detection takes the free truth box of highest IoU, and an
 * ignored one only where no other reaches the threshold. Of equal IoUs the later truth box wins. A detection is ignored
 * if what it matched is, or if it matched nothing and its own area is outside the range.
 */
function matchDetections(input: MatchInput): Uint32Array {
  const { truth, groundTruth, ignored, overlaps, detections, ranked, range } = input;
  const flags = new Uint32Array(ranked.length);
  const columns = groundTruth.map((_, g) => g).sort((a, b) => Number(ignored[a]) - Number(ignored[b]) || a - b);
  const taken = new Uint8Array(groundTruth.length);
  for (let t = 0; t < THRESHOLDS; t++) {
    taken.fill(0);
    for (let d = 0; d < ranked.length; d++) {
      let best = Math.min(IOU_THRESHOLDS[t], 1 - 1e-10);
      let match = -1;
      for (const g of columns) {
        if (taken[g] && truth.crowds[groundTruth[g]] === 0) continue;
        if (match >= 0 && !ignored[match] && ignored[g]) break;
        const overlap = overlaps[d * groundTruth.length + g];
        if (overlap < best) continue;
        best = overlap;
        match = g;
      }
      if (match >= 0) {
        taken[match] = 1;
        flags[d] |= (1 << t) | (ignored[match] ? 1 << (t + THRESHOLDS) : 0);
      } else {
        const area = boxArea(detections.boxes, ranked[d]);
        if (area < range[0] || area > range[1]) flags[d] |= 1 << (t + THRESHOLDS);
      }
    }
  }
  return flags;
}

/** Shape [ranked, truths]: IoU, or over a crowd the share of the detection that lies in it. */
function overlapMatrix(
  truth: TruthBoxes,
  groundTruth: readonly number[],
  detections: ScoredBoxes,
  ranked: readonly number[],
): Float64Array {
  const result = new Float64Array(ranked.length * groundTruth.length);
  for (const [row, d] of ranked.entries()) {
    const a = detections.boxes;
    const area = boxArea(a, d);
    for (const [column, g] of groundTruth.entries()) {
      const b = truth.boxes;
      const width = Math.min(a[4 * d + 2], b[4 * g + 2]) - Math.max(a[4 * d], b[4 * g]);
      const height = Math.min(a[4 * d + 3], b[4 * g + 3]) - Math.max(a[4 * d + 1], b[4 * g + 1]);
      if (width <= 0 || height <= 0) continue;
      const shared = width * height;
      const whole = truth.crowds[g] !== 0 ? area : area + boxArea(b, g) - shared;
      result[row * groundTruth.length + column] = shared / whole;
    }
  }
  return result;
}

function boxArea(boxes: ArrayLike<number>, i: number): number {
  return (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1]);
}

function indicesByClass(classes: ArrayLike<number>, count: number): Map<number, number[]> {
  const result = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    if (classes[i] >= 0) pushTo(result, classes[i], i);
  }
  return result;
}

function grown<T extends Int32Array | Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length > 0 ? meanOf(values) : null;
}
