/** CenterNet, "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850), section 4: peaks instead of NMS. */
import { boxesFromSides, findPeaks } from '../../onnx/boxes-graph.ts';
import { CANDIDATE_THRESHOLD, type Candidates, type DecodeContext, type Decoder } from './decoder.ts';

/**
 * A cell is an object of a class where its heat is the maximum of the 3 × 3 cells around it. The heat map stays logits,
 * which have the same peaks: only the peaks' own heat, some hundred of 1.3 million numbers, goes through the sigmoid.
 */
export function decodeCenterNet({
  graph: g,
  decoder,
  outputs,
  width,
  height,
  classCount,
}: DecodeContext<Extract<Decoder, { kind: 'centernet' }>>): Candidates {
  const columns = width / decoder.stride;
  const rows = height / decoder.stride;
  const threshold = Math.log(CANDIDATE_THRESHOLD / (1 - CANDIDATE_THRESHOLD));
  const heat = outputs[decoder.heat];
  const peaks = findPeaks(g, heat, { classes: classCount, rows, columns, threshold });
  const cell = g.add(g.mul(peaks.y, g.scalar(columns, 'int64')), peaks.x);
  const points = g.mul(
    g.cast(g.concat([g.unsqueeze(peaks.x, [1]), g.unsqueeze(peaks.y, [1])], 1), 'float32'),
    g.scalar(decoder.stride),
  );
  const sides = g.reshape(outputs[decoder.sides], [4, rows * columns]);
  return {
    boxes: boxesFromSides(g, points, g.transpose(g.gather(sides, cell, 1), [1, 0])),
    scores: g.sigmoid(peaks.heat),
    classes: g.cast(peaks.classes, 'int32'),
  };
}
