/**
 * What a detector's decoder is: from a network's raw outputs to boxes, scores and classes, as nodes of the same graph.
 *
 * Every decoder hands back candidates of one image: boxes [k, 4] (xyxy, pixels of the network's input, not clipped),
 * scores [k] (0 to 1) and classes [k] (int32). Candidates may be below the candidate threshold and are in no order;
 * `detector.ts` drops, scales, clips and sorts.
 */

import type { Graph } from '../../onnx/ops.ts';
import type { Value } from '../../onnx/value.ts';

/** A decoder with what it has to know of the network; names are of the network's values. */
export type Decoder =
  | {
      readonly kind: 'centernet';
      /** Shape [1, classes, rows, columns], logits. */
      readonly heat: string;
      /** Shape [1, 4, rows, columns]: left, top, right, bottom from the cell's corner, in input pixels. */
      readonly sides: string;
      /** Input pixels a cell. */
      readonly stride: number;
    }
  | {
      readonly kind: 'nanodet';
      /** Points of the distribution of each side. */
      readonly bins: number;
      readonly levels: readonly {
        /** Input pixels a cell. */
        readonly stride: number;
        /** Shape [1, cells, classes], 0 to 1. */
        readonly scores: string;
        /** Shape [1, cells, 4 · bins]: left, top, right, bottom, as logits over 0, 1, … strides. */
        readonly sides: string;
      }[];
    }
  | {
      readonly kind: 'yolox';
      /** Shape [1, cells of all levels, 5 + classes]: x, y, w, h, objectness, class scores (both 0 to 1). */
      readonly output: string;
      /** Input pixels a cell, a level each, in the order of the output. */
      readonly strides: readonly number[];
      /** Whether x, y, w, h are in input pixels already, or offsets in cells and logarithms of sizes in cells. */
      readonly boxes: 'pixels' | 'cells';
    };

export interface Candidates {
  readonly boxes: Value;
  readonly scores: Value;
  readonly classes: Value;
}

export interface DecodeContext<D extends Decoder> {
  readonly graph: Graph;
  readonly decoder: D;
  /** The network's outputs by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** The network's input in pixels. */
  readonly width: number;
  readonly height: number;
  readonly classCount: number;
}

/** Detections kept of an image, best first: COCO's own limit. */
export const MAX_DETECTIONS = 100;
/** Candidates below are not kept. */
export const CANDIDATE_THRESHOLD = 0.05;
