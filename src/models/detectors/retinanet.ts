/**
 * RetinaNet, "Focal Loss for Dense Object Detection" (Lin et al. 2017, arXiv 1708.02002), section 4, with the anchors and
 * the box coding of NVIDIA's implementation: at each place of each level nine boxes, of three sizes and three shapes, which
 * the network moves and stretches. Scores are 0 to 1 already.
 */
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { suppress } from './suppress.ts';

type RetinaNet = Extract<Decoder, { kind: 'retinanet' }>;

/** Of two boxes of a class that overlap by more, one goes. */
const OVERLAP = 0.5;

export function decodeRetinaNet({
  graph: g,
  decoder,
  outputs,
  width,
  height,
  classCount,
}: DecodeContext<RetinaNet>): Candidates {
  const scores: Value[] = [];
  const deltas: Value[] = [];
  const anchors: number[] = [];
  for (const level of decoder.levels) {
    const own = anchorsOf(decoder, level.stride, Math.ceil(width / level.stride), Math.ceil(height / level.stride));
    const shapes = decoder.scales.length * decoder.ratios.length;
    const places = own.length / 4 / shapes;
    // Heads are [1, shapes · (classes or 4), rows, columns].
    const perShape = (value: Value, numbers: number) =>
      g.reshape(g.transpose(g.reshape(value, [shapes, numbers, places]), [0, 2, 1]), [-1, numbers]);
    scores.push(perShape(outputs[level.scores], classCount));
    deltas.push(perShape(outputs[level.deltas], 4));
    anchors.push(...own);
  }
  const count = anchors.length / 4;
  const [anchorCentre, anchorSize] = g.split(g.constant(float32(anchors, [count, 4]), 'anchors'), [2, 2], 1);
  const [move, stretch] = g.split(g.concat(deltas, 0), [2, 2], 1);
  const centre = g.add(g.mul(move, anchorSize), anchorCentre);
  const half = g.mul(g.mul(g.exp(stretch), anchorSize), g.scalar(0.5));
  const boxes = g.concat([g.sub(centre, half), g.add(centre, half)], 1);
  return suppress(g, g.unsqueeze(boxes, [0]), g.unsqueeze(g.transpose(g.concat(scores, 0), [1, 0]), [0]), OVERLAP);
}

/**
 * Middles and sizes [shapes · rows · columns, 4] (x, y, width, height), a size after the other and in each a shape after the
 * other. Corners are pixels there, the last one included: so a box is one pixel wider than its corners are apart, and its
 * middle half a pixel further.
 */
function anchorsOf({ scales, ratios }: RetinaNet, stride: number, columns: number, rows: number): number[] {
  const anchors: number[] = [];
  for (const scale of scales) {
    for (const ratio of ratios) {
      const width = scale * Math.sqrt((stride * stride) / ratio);
      const [w, h] = [width + 1, width * ratio + 1];
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const [x, y] = [column, row].map((at) => at * stride + stride / 2 + 0.5) as [number, number];
          anchors.push(x, y, w, h);
        }
      }
    }
  }
  return anchors;
}
