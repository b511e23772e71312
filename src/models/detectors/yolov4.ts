/**
 * YOLOv4, "YOLOv4: Optimal Speed and Accuracy of Object Detection" (Bochkovskiy, Wang, Liao 2020, arXiv 2004.10934): at each
 * place of each level three boxes. The middle may leave its square a little (`reach`), which the paper calls grid
 * sensitivity. Objectness and class scores are 0 to 1 already, places and sizes are not worked out yet.
 */
import { boxesFromCentres } from '../../onnx/boxes-graph.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { suppress } from './suppress.ts';

/** Of two boxes of a class that overlap by more, one goes. */
const OVERLAP = 0.45;

export function decodeYolov4({
  graph: g,
  decoder,
  outputs,
  width,
  height,
  classCount,
}: DecodeContext<Extract<Decoder, { kind: 'yolov4' }>>): Candidates {
  const boxes: Value[] = [];
  const scores: Value[] = [];
  for (const { output, stride, reach, anchors } of decoder.levels) {
    const [rows, columns] = [height / stride, width / stride];
    const values = g.reshape(outputs[output], [rows * columns, anchors.length, 5 + classCount]);
    const [place, size, objectness, classScores] = g.split(values, [2, 2, 1, classCount], 2);
    const corners = Array.from({ length: rows * columns }, (_, i) => [i % columns, Math.floor(i / columns)]).flat();
    const corner = g.constant(float32(corners, [rows * columns, 1, 2]), 'corner');
    const within = g.sub(g.mul(g.sigmoid(place), g.scalar(reach)), g.scalar((reach - 1) / 2));
    const centre = g.mul(g.add(within, corner), g.scalar(stride));
    const extent = g.mul(g.exp(size), g.constant(float32(anchors.flat(), [1, anchors.length, 2]), 'anchor'));
    boxes.push(g.reshape(g.concat([centre, extent], 2), [-1, 4]));
    scores.push(g.reshape(g.mul(classScores, objectness), [-1, classCount]));
  }
  const corners = boxesFromCentres(g, g.concat(boxes, 0));
  return suppress(g, g.unsqueeze(corners, [0]), g.unsqueeze(g.transpose(g.concat(scores, 0), [1, 0]), [0]), OVERLAP);
}
