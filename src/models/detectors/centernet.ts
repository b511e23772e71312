/** CenterNet, "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850), section 4: peaks instead of NMS. */
import { type Candidates, type DecodeContext, type Decoder, MAX_DETECTIONS } from './decoder.ts';

/**
 * A cell is an object of a class where its heat is the maximum of the 3 × 3 cells around it; the best
 * `MAX_DETECTIONS` of all classes are kept. Cost: one pooling and one pass over rows · columns · classes numbers.
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
  const heat = outputs[decoder.heat] as string;
  const around = g.maxPool(heat, { kernel: [3, 3], pads: [1, 1, 1, 1] });
  const peaks = g.where(g.equal(heat, around), heat, g.scalar(0));
  const [scores, index] = g.topK(g.reshape(peaks, [classCount * rows * columns]), MAX_DETECTIONS);
  const classes = g.cast(g.div(index, g.scalar(rows * columns, 'int64')), 'int32');
  const cell = g.mod(index, g.scalar(rows * columns, 'int64'));
  const x = g.mod(cell, g.scalar(columns, 'int64'));
  const y = g.div(cell, g.scalar(columns, 'int64'));
  const corner = g.mul(
    g.cast(g.concat([g.unsqueeze(x, [1]), g.unsqueeze(y, [1])], 1), 'float32'),
    g.scalar(decoder.stride),
  );
  const all = g.reshape(outputs[decoder.sides] as string, [4, rows * columns]);
  const [leftTop, rightBottom] = g.split(g.transpose(g.gather(all, cell, 1), [1, 0]), [2, 2], 1) as [string, string];
  return { boxes: g.concat([g.sub(corner, leftTop), g.add(corner, rightBottom)], 1), scores, classes };
}
