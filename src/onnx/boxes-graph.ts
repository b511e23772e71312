/** Boxes as parts of graphs: peaks of heatmaps, boxes from distances, overlaps, suppression. */
import type { Graph } from './ops.ts';
import { float32, int64 } from './tensor.ts';
import type { Value } from './value.ts';

export interface PeakOptions {
  /** Of the heatmap. */
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
  /** Points below are not looked at. In the heatmap's own unit: a logit where it is logits. */
  readonly threshold: number;
}

/** m peaks, in the order of the heatmap's memory; m is known when the graph runs. */
export interface Peaks {
  /** Shape [m]. */
  readonly scores: Value;
  /** Shape [m], int64. */
  readonly classes: Value;
  /** Shape [m], int64. */
  readonly x: Value;
  /** Shape [m], int64. */
  readonly y: Value;
}

/**
 * Points of a heatmap [1, classes, rows, columns] that are at least the threshold and no less than any of the 3 × 3
 * points around them in their class: "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850), section 4.
 *
 * The paper pools the whole map; here only points over the threshold look at their neighbours. Cost: one comparison and
 * one search over classes · rows · columns numbers, and 9 reads for each of the few that are left.
 */
export function findPeaks(g: Graph, heatmap: Value, { classes, rows, columns, threshold }: PeakOptions): Peaks {
  const flat = g.reshape(heatmap, [classes * rows * columns]);
  const warm = g.squeeze(g.op('NonZero', [g.greaterOrEqual(flat, g.scalar(threshold))]), [0]);
  const peak = g.gather(flat, warm);
  const whole = (value: number) => g.scalar(value, 'int64');
  const column = g.mod(warm, whole(columns));
  const row = g.mod(g.div(warm, whole(columns)), whole(rows));

  // Neighbours beyond an edge are the edge's own points, which are among the neighbours anyway.
  const around = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx] as const));
  const shifted = (at: Value, by: readonly number[], size: number) => {
    const moved = g.add(g.unsqueeze(at, [1]), g.constant(int64(by, [1, 9]), 'shift'));
    return g.op('Clip', [moved, whole(0), whole(size - 1)]);
  };
  const rowsAround = shifted(
    row,
    around.map(([dy]) => dy),
    rows,
  );
  const columnsAround = shifted(
    column,
    around.map(([, dx]) => dx),
    columns,
  );
  const start = g.sub(warm, g.add(g.mul(row, whole(columns)), column));
  const neighbours = g.add(g.unsqueeze(start, [1]), g.add(g.mul(rowsAround, whole(columns)), columnsAround));
  const hottest = g.reduceMax(g.gather(flat, neighbours), [1], { keepDims: false });

  const isPeak = g.equal(peak, hottest);
  const kept = (value: Value) => g.op('Compress', [value, isPeak], { axis: 0 });
  return {
    scores: kept(peak),
    classes: g.div(kept(warm), whole(rows * columns)),
    x: kept(column),
    y: kept(row),
  };
}

/** Boxes [m, 4] (xyxy) from points [m, 2] (x, y) and distances [m, 4] to the left, top, right and bottom sides. */
export function boxesFromDistances(g: Graph, points: Value, distances: Value): Value {
  const [leftTop, rightBottom] = g.split(distances, [2, 2], 1);
  return g.concat([g.sub(points, leftTop), g.add(points, rightBottom)], 1);
}

/** Boxes [m, 4] (xyxy) from middles and sizes [m, 4] (x, y, width, height). */
export function boxesFromCentres(g: Graph, centred: Value): Value {
  const [centre, size] = g.split(centred, [2, 2], 1);
  const half = g.mul(size, g.scalar(0.5));
  return g.concat([g.sub(centre, half), g.add(centre, half)], 1);
}

/**
 * Expected distance of each side where a head gives a distribution over 0, 1, … bins − 1: Σ i · softmax(logits)_i,
 * "Generalized Focal Loss" (Li et al. 2020, arXiv 2006.04388), section 3.2. Logits [m, 4 · bins] → [m, 4].
 */
export function expectedDistances(g: Graph, logits: Value, bins: number): Value {
  const share = g.softmax(g.reshape(logits, [-1, 4, bins]));
  const places = g.constant(
    float32(
      Array.from({ length: bins }, (_, i) => i),
      [bins, 1],
    ),
    'places',
  );
  return g.reshape(g.matmul(share, places), [-1, 4]);
}

/** Overlaps [n, m] of boxes [n, 4] with boxes [m, 4] (xyxy), 0 to 1; empty boxes overlap nothing. Cost: n · m. */
export function iouMatrix(g: Graph, a: Value, b: Value): Value {
  const columns = (boxes: Value, axis: number) => {
    const [x1, y1, x2, y2] = g
      .split(boxes, [1, 1, 1, 1], 1)
      .map((one) => (axis === 0 ? g.transpose(one, [1, 0]) : one));
    return { x1, y1, x2, y2 } as Record<'x1' | 'y1' | 'x2' | 'y2', Value>;
  };
  const [left, right] = [columns(a, 1), columns(b, 0)];
  const positive = (x: Value) => g.relu(x);
  const area = (box: Record<'x1' | 'y1' | 'x2' | 'y2', Value>) =>
    g.mul(positive(g.sub(box.x2, box.x1)), positive(g.sub(box.y2, box.y1)));
  const width = positive(g.sub(g.min(left.x2, right.x2), g.max(left.x1, right.x1)));
  const height = positive(g.sub(g.min(left.y2, right.y2), g.max(left.y1, right.y1)));
  const intersection = g.mul(width, height);
  const union = g.sub(g.add(area(left), area(right)), intersection);
  // Two empty boxes have no union either: 0 over the least positive number is 0.
  return g.div(intersection, g.max(union, g.scalar(1e-12)));
}

export interface SuppressionOptions {
  /** Of two boxes of a class that overlap by more, the one with the lower score goes; 0 to 1. */
  readonly iou: number;
  /** Boxes below are not looked at. */
  readonly threshold: number;
  /** Boxes kept of a class. */
  readonly most: number;
}

/**
 * Greedy non-maximum suppression within each class. Boxes [1, n, 4] (xyxy), scores [1, classes, n] → [m, 3] int64:
 * 0, class, box; classes in order, best first in each. Cost: n log n a class, and an overlap a pair kept.
 */
export function suppressed(g: Graph, boxes: Value, scores: Value, { iou, threshold, most }: SuppressionOptions): Value {
  return g.nonMaxSuppression(
    boxes,
    scores,
    g.ints([most]),
    g.constant(float32([iou])),
    g.constant(float32([threshold])),
  );
}
