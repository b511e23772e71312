/** YOLOX (Ge et al. 2021, arXiv 2107.08430), section 2.2: one box a cell, score = objectness × class score. */
import type { PillowProcessing } from '../../core/pillow.ts';
import { boxesFromCentres } from '../../onnx/boxes-graph.ts';
import { float32 } from '../../onnx/tensor.ts';
import { anchorPoints } from './anchor-points.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { suppress } from './suppress.ts';

/** Its `preproc` makes images smaller by OpenCV's `resize`. */
export const YOLOX_PIXELS: PillowProcessing = { resample: 'bilinear', size: { kind: 'opencv-letterbox' } };

export function decodeYolox({
  graph: g,
  decoder,
  outputs,
  width,
  height,
  classCount,
}: DecodeContext<Extract<Decoder, { kind: 'yolox' }>>): Candidates {
  const output = outputs[decoder.output];
  const [place, size, objectness, classScores] = g.split(output, [2, 2, 1, classCount], 2);
  let centre = place;
  let extent = size;
  if (decoder.boxes === 'cells') {
    const points = anchorPoints(width, height, decoder.strides);
    const stride = g.constant(float32(points.stride, [1, points.count, 1]), 'stride');
    const corner = g.constant(float32(points.corner, [1, points.count, 2]), 'corner');
    centre = g.add(g.mul(place, stride), corner);
    extent = g.mul(g.exp(size), stride);
  }
  const centred = g.reshape(g.concat([centre, extent], 2), [-1, 4]);
  const boxes = g.unsqueeze(boxesFromCentres(g, centred), [0]);
  const scores = g.mul(classScores, objectness);
  return suppress(g, boxes, g.transpose(scores, [0, 2, 1]), 0.65);
}
