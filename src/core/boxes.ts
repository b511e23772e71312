/**
 * Boxes are `[x1, y1, x2, y2]` in pixels of the upright image, x to the right, y down, corners exclusive at the far end
 * (width = x2 − x1). Other conventions exist only at the edge of import and export.
 */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** What a detector found in one image: structure of arrays, n detections, most confident first. */
export interface Detections {
  readonly count: number;
  /** Shape [n, 4], xyxy in pixels of the upright image. */
  readonly boxes: Float32Array;
  /** Shape [n], 0 to 1. */
  readonly scores: Float32Array;
  /** Shape [n], index into the model's class names. */
  readonly classes: Int32Array;
}

export const NO_DETECTIONS: Detections = {
  count: 0,
  boxes: new Float32Array(0),
  scores: new Float32Array(0),
  classes: new Int32Array(0),
};

/** A detector's region over a frozen one or a tombstone of its class at this IoU is the same thing: it is not kept. */
export const FROZEN_IOU = 0.5;

export function boxAt(detections: Detections, i: number): Box {
  const b = detections.boxes;
  return [b[4 * i], b[4 * i + 1], b[4 * i + 2], b[4 * i + 3]];
}

export function boxArea(box: Box): number {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

/** Intersection over union of two boxes, 0 to 1; 0 when both are empty. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (boxArea(a) + boxArea(b) - intersection);
}

/** An order of boxes that leaves nothing open: by the first corner that differs. */
export function compareBoxes(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < 4; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

/** The box cut to an image of `width` × `height` pixels. */
export function clipBox(box: Box, width: number, height: number): Box {
  const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return [clip(box[0], width), clip(box[1], height), clip(box[2], width), clip(box[3], height)];
}
