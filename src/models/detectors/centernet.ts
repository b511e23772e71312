/** CenterNet, "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850), section 4: peaks instead of NMS. */
import { CANDIDATE_THRESHOLD, type Candidates, type DecodeContext, type Decoder } from './decoder.ts';

/**
 * A cell is an object of a class where its heat is the maximum of the 3 × 3 cells around it. Peaks are looked for among
 * the cells over the candidate threshold only: a few hundred of rows · columns · classes, so that the cost is one
 * pooling, one comparison and one pass to find them.
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
  const cells = columns * (height / decoder.stride);
  const heat = outputs[decoder.heat] as string;
  const around = g.maxPool(heat, { kernel: [3, 3], pads: [1, 1, 1, 1] });
  const flat = (x: string) => g.reshape(x, [classCount * cells]);
  const warm = g.squeeze(g.op('NonZero', [g.greaterOrEqual(flat(heat), g.scalar(CANDIDATE_THRESHOLD))]), [0]);
  const warmth = g.gather(flat(heat), warm);
  const isPeak = g.equal(warmth, g.gather(flat(around), warm));
  const index = g.op('Compress', [warm, isPeak], { axis: 0 });

  const cell = g.mod(index, g.scalar(cells, 'int64'));
  const x = g.mod(cell, g.scalar(columns, 'int64'));
  const y = g.div(cell, g.scalar(columns, 'int64'));
  const corner = g.mul(
    g.cast(g.concat([g.unsqueeze(x, [1]), g.unsqueeze(y, [1])], 1), 'float32'),
    g.scalar(decoder.stride),
  );
  const sides = g.transpose(g.gather(g.reshape(outputs[decoder.sides] as string, [4, cells]), cell, 1), [1, 0]);
  const [leftTop, rightBottom] = g.split(sides, [2, 2], 1) as [string, string];
  return {
    boxes: g.concat([g.sub(corner, leftTop), g.add(corner, rightBottom)], 1),
    scores: g.op('Compress', [warmth, isPeak], { axis: 0 }),
    classes: g.cast(g.div(index, g.scalar(cells, 'int64')), 'int32'),
  };
}
