/**
 * NanoDet (RangiLyu 2020): an anchor-free head in which each side of a box is a distribution over distances, as in
 * "Generalized Focal Loss" (Li et al. 2020, arXiv 2006.04388).
 */
import { boxesFromDistances, expectedDistances } from '../../onnx/boxes-graph.ts';
import { float32 } from '../../onnx/tensor.ts';
import { anchorPoints } from './anchor-points.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { suppress } from './suppress.ts';

export function decodeNanoDet({
  graph: g,
  decoder,
  outputs,
  width,
  height,
}: DecodeContext<Extract<Decoder, { kind: 'nanodet' }>>): Candidates {
  const { levels, bins } = decoder;
  const strides = levels.map(({ stride }) => stride);
  const points = anchorPoints(width, height, strides);
  const scores = g.concat(
    levels.map((level) => outputs[level.scores]),
    1,
  );
  const logits = g.concat(
    levels.map((level) => outputs[level.distances]),
    1,
  );
  const distance = g.mul(
    expectedDistances(g, g.reshape(logits, [points.count, 4 * bins]), bins),
    g.constant(float32(points.stride, [points.count, 1]), 'stride'),
  );
  const centre = g.constant(float32(points.centre, [points.count, 2]), 'centre');
  const boxes = boxesFromDistances(g, centre, distance);
  return suppress(g, g.unsqueeze(boxes, [0]), g.transpose(scores, [0, 2, 1]), 0.6);
}
