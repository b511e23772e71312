/**
 * What a CenterNet's heatmap is taught: weights of its points by where objects are, and the loss that takes them.
 *
 * Zhou, Wang, Krähenbühl, "Objects as Points", 2019 (arXiv 1904.07850), equation 1: focal loss on Gaussians around the
 * middles of objects. The spread of a Gaussian follows the sides of its box ("Training-Time-Friendly Network", Liu et al.,
 * AAAI 2020), which is how the built-in detector was trained.
 */
import type { Box } from '../../../core/boxes.ts';
import type { Graph } from '../../../onnx/ops.ts';
import type { Value } from '../../../onnx/value.ts';

export interface HeatmapShape {
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
  /** Input pixels from one point to the next. */
  readonly stride: number;
}

/** A box in pixels of the network's input. */
export interface TaughtBox {
  readonly box: Box;
  /** Index of the class. */
  readonly class: number;
  /** A group that is not told apart: neither an object nor background. */
  readonly crowd: boolean;
}

/** Each of shape [classes, rows, columns]. */
export interface HeatmapTargets {
  /** 1 at the middle of an object, else 0. */
  readonly objects: Float32Array;
  /** How much a point counts as background: 1 far from all objects, 0 at their middles. */
  readonly background: Float32Array;
  /** Objects. */
  readonly count: number;
}

/** Share of a box's side that three standard deviations of its Gaussian are. */
const REACH = 0.54;
/** Equation 1: (1 − Y)^β. */
const BETA = 4;

export function heatmapTargets(boxes: readonly TaughtBox[], shape: HeatmapShape): HeatmapTargets {
  const { classes, rows, columns, stride } = shape;
  const objects = new Float32Array(classes * rows * columns);
  const background = new Float32Array(classes * rows * columns).fill(1);
  let count = 0;
  const within = (value: number, most: number) => Math.max(0, Math.min(most - 1, Math.floor(value)));
  for (const { box, class: index, crowd } of boxes) {
    const [x1, y1, x2, y2] = box.map((side) => side / stride) as [number, number, number, number];
    const first = index * rows * columns;
    if (crowd) {
      for (let y = within(y1, rows); y <= within(y2, rows); y++) {
        background.fill(0, first + y * columns + within(x1, columns), first + y * columns + within(x2, columns) + 1);
      }
      continue;
    }
    const [middleX, middleY] = [within((x1 + x2) / 2, columns), within((y1 + y2) / 2, rows)];
    const [reachX, reachY] = [reachOf(x2 - x1), reachOf(y2 - y1)];
    for (let dy = -reachY; dy <= reachY; dy++) {
      for (let dx = -reachX; dx <= reachX; dx++) {
        const [x, y] = [middleX + dx, middleY + dy];
        if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
        const at = first + y * columns + x;
        const height = Math.exp(-0.5 * (squared(dx, reachX) + squared(dy, reachY)));
        background[at] = Math.min(background[at], (1 - height) ** BETA);
      }
    }
    const middle = first + middleY * columns + middleX;
    if (objects[middle] === 0) count++;
    objects[middle] = 1;
  }
  return { objects, background, count };
}

/** Points from the middle to where the Gaussian ends, on each side. */
function reachOf(side: number): number {
  return Math.max(0, Math.floor((REACH * side) / 2));
}

/** The distance in standard deviations, squared. */
function squared(distance: number, reach: number): number {
  return (distance / ((2 * reach + 1) / 6)) ** 2;
}

/**
 * Σ objects · (1 − p)² · −log p + background · p² · −log(1 − p), with p the sigmoid of the logits: equation 1, a sum.
 *
 * @param logits and the others: of one shape
 */
export function heatmapLoss(graph: Graph, logits: Value, objects: Value, background: Value): Value {
  const p = graph.sigmoid(logits);
  const rest = graph.sub(graph.scalar(1), p);
  const softplus = (value: Value) => graph.op('Softplus', [value]);
  const missed = graph.mul(graph.mul(objects, graph.mul(rest, rest)), softplus(graph.neg(logits)));
  const invented = graph.mul(graph.mul(background, graph.mul(p, p)), softplus(logits));
  const axes = (logits.shape ?? []).map((_, axis) => axis);
  return graph.reduceSum(graph.add(missed, invented), axes, { keepDims: false });
}
