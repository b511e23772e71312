/** CenterNet, "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850), section 4: peaks instead of NMS. */
import { boxesFromDistances, findPeaks } from '../../onnx/boxes-graph.ts';
import { CANDIDATE_THRESHOLD, type Candidates, type DecodeContext, type Decoder } from './decoder.ts';

/**
 * An anchor point is an object of a class where the heatmap is the maximum of the 3 × 3 points around it. The heatmap
 * stays logits, which have the same peaks: only the peaks, some hundred of 1.3 million numbers, go through the sigmoid.
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
  const heatmap = outputs[decoder.heatmap];
  const peaks = findPeaks(g, heatmap, { classes: classCount, rows, columns, threshold });
  const place = g.add(g.mul(peaks.y, g.scalar(columns, 'int64')), peaks.x);
  const points = g.mul(
    g.cast(g.concat([g.unsqueeze(peaks.x, [1]), g.unsqueeze(peaks.y, [1])], 1), 'float32'),
    g.scalar(decoder.stride),
  );
  const distances = g.reshape(outputs[decoder.distances], [4, rows * columns]);
  return {
    boxes: boxesFromDistances(g, points, g.transpose(g.gather(distances, place, 1), [1, 0])),
    scores: g.sigmoid(peaks.scores),
    classes: g.cast(peaks.classes, 'int32'),
  };
}
