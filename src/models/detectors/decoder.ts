/**
 * What a detector's decoder is: from a network's raw outputs to boxes, scores and classes, as nodes of the same graph.
 *
 * Every decoder hands back candidates of one image: boxes [k, 4] (xyxy, pixels of the network's input, not clipped),
 * scores [k] (0 to 1) and classes [k] (int32). Candidates may be below the candidate threshold and are in no order;
 * `detector.ts` drops, scales, clips and sorts.
 */

import type { Graph } from '../../onnx/ops.ts';
import type { Value } from '../../onnx/value.ts';
import type { Decoder } from '../decoder-spec.ts';

export type { Decoder } from '../decoder-spec.ts';

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
