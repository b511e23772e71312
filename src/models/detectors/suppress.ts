/** Non-maximum suppression within each class, for detectors whose cells compete for one object. */
import { suppressed } from '../../onnx/boxes-graph.ts';
import type { Graph } from '../../onnx/ops.ts';
import type { Value } from '../../onnx/value.ts';
import { CANDIDATE_THRESHOLD, type Candidates, MAX_DETECTIONS } from './decoder.ts';

/**
 * Of boxes [1, n, 4] (xyxy) with scores [1, classes, n], what no better box of the same class overlaps by more than
 * `iou`. A box may stay under several classes. Cost: classes · n compares, and n² overlaps a class among those over the
 * candidate threshold.
 */
export function suppress(g: Graph, boxes: Value, scores: Value, iou: number): Candidates {
  // ONNX keeps scores greater than its threshold; the candidate threshold itself is still a candidate.
  const threshold = CANDIDATE_THRESHOLD * (1 - 1e-6);
  const kept = suppressed(g, boxes, scores, { iou, threshold, most: MAX_DETECTIONS });
  const [, classIndex, boxIndex] = g.split(kept, [1, 1, 1], 1);
  return {
    boxes: g.gather(g.squeeze(boxes, [0]), g.squeeze(boxIndex, [1])),
    scores: g.gatherND(g.squeeze(scores, [0]), g.concat([classIndex, boxIndex], 1)),
    classes: g.cast(g.squeeze(classIndex, [1]), 'int32'),
  };
}
