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
  // Pooling is defined on channels first; flattened as [row, column, class], so equal heats rank as in the network's own order.
  const heat = g.transpose(outputs[decoder.heat] as string, [0, 3, 1, 2]);
  const around = g.maxPool(heat, { kernel: [3, 3], pads: [1, 1, 1, 1] });
  const peaks = g.where(g.equal(heat, around), heat, g.scalar(0));
  const flat = g.reshape(g.transpose(peaks, [0, 2, 3, 1]), [rows * columns * classCount]);
  const [scores, index] = g.topK(flat, MAX_DETECTIONS);
  const cell = g.div(index, g.scalar(classCount, 'int64'));
  const classes = g.cast(g.mod(index, g.scalar(classCount, 'int64')), 'int32');
  const x = g.mod(cell, g.scalar(columns, 'int64'));
  const y = g.div(cell, g.scalar(columns, 'int64'));
  const corner = g.mul(
    g.cast(g.concat([g.unsqueeze(x, [1]), g.unsqueeze(y, [1])], 1), 'float32'),
    g.scalar(decoder.stride),
  );
  const sides = g.gather(g.reshape(outputs[decoder.sides] as string, [rows * columns, 4]), cell);
  const [leftTop, rightBottom] = g.split(sides, [2, 2], 1) as [string, string];
  return { boxes: g.concat([g.sub(corner, leftTop), g.add(corner, rightBottom)], 1), scores, classes };
}
