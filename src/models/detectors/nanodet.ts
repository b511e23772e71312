/**
 * NanoDet (RangiLyu 2020): an anchor-free head in which each side of a box is a distribution over distances, as in
 * "Generalized Focal Loss" (Li et al. 2020, arXiv 2006.04388), section 3.2: distance = Σ i · softmax(logits)_i strides.
 */
import { float32 } from '../../math/tensor.ts';
import { cellCentres } from './cells.ts';
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
  const cells = cellCentres(width, height, strides);
  const scores = g.concat(
    levels.map((level) => outputs[level.scores] as string),
    1,
  );
  const logits = g.concat(
    levels.map((level) => outputs[level.sides] as string),
    1,
  );
  const share = g.softmax(g.reshape(logits, [cells.count, 4, bins]));
  const points = g.constant(
    float32(
      Array.from({ length: bins }, (_, i) => i),
      [bins, 1],
    ),
    'points',
  );
  const distance = g.mul(
    g.reshape(g.matmul(share, points), [cells.count, 4]),
    g.constant(float32(cells.stride, [cells.count, 1]), 'stride'),
  );
  const centre = g.constant(float32(cells.centre, [cells.count, 2]), 'centre');
  const [leftTop, rightBottom] = g.split(distance, [2, 2], 1) as [string, string];
  const boxes = g.concat([g.sub(centre, leftTop), g.add(centre, rightBottom)], 1);
  return suppress(g, g.unsqueeze(boxes, [0]), g.transpose(scores, [0, 2, 1]), 0.6);
}
