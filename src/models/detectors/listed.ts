/**
 * Networks that end in a list of boxes with their classes and scores, suppression done: Faster and Mask R-CNN (Ren et al.
 * 2015, arXiv 1506.01497; He et al. 2017, arXiv 1703.06870) and SSD (Liu et al. 2016, arXiv 1512.02325). And YOLOv3 (Redmon,
 * Farhadi 2018, arXiv 1804.02767), which lists every box with a score a class beside what it would keep of them itself.
 */
import { COCO_CLASSES } from '../../core/coco-classes.ts';
import type { Graph } from '../../onnx/ops.ts';
import { float32, int64 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { suppress } from './suppress.ts';

type Listed = Extract<Decoder, { kind: 'listed' }>;

export function decodeListed({ graph: g, decoder, outputs, width, height }: DecodeContext<Listed>): Candidates {
  const { corners, unit, labelling } = decoder;
  const given = g.reshape(outputs[decoder.boxes], [-1, 4]);
  const upright = corners === 'xyxy' ? given : turned(g, given);
  const size = g.constant(float32([width, height, width, height], [1, 4]), 'size');
  const labels = g.cast(g.reshape(outputs[decoder.labels], [-1]), 'int64');
  const classes = g.gather(g.constant(int64(indicesOf(labelling)), 'indices'), labels);
  const known = g.greaterOrEqual(classes, g.scalar(0, 'int64'));
  const scores = g.where(known, g.reshape(outputs[decoder.scores], [-1]), g.scalar(0));
  return { boxes: unit === 'pixels' ? upright : g.mul(upright, size), scores, classes: g.cast(classes, 'int32') };
}

/** From y1, x1, y2, x2 to x1, y1, x2, y2. */
function turned(g: Graph, boxes: Value): Value {
  return g.gather(boxes, g.ints([1, 0, 3, 2]), 1);
}

/** The class of each label; −1 is the background, or a number that COCO does not use. */
function indicesOf(labelling: Listed['labelling']): number[] {
  if (labelling === 'from-1') return [-1, ...COCO_CLASSES.map((_, i) => i)];
  const most = Math.max(...COCO_CLASSES.map(([id]) => id));
  return Array.from({ length: most + 1 }, (_, label) => COCO_CLASSES.findIndex(([id]) => id === label));
}

type Yolov3 = Extract<Decoder, { kind: 'yolov3' }>;

/** Of two boxes of a class that overlap by more, one goes. */
const OVERLAP = 0.45;

/** Its boxes are in pixels of an image of the size that it is told (`imageSize`): the input's own here. */
export function decodeYolov3({ graph: g, decoder, outputs }: DecodeContext<Yolov3>): Candidates {
  const boxes = turned(g, g.reshape(outputs[decoder.boxes], [-1, 4]));
  return suppress(g, g.unsqueeze(boxes, [0]), outputs[decoder.scores], OVERLAP);
}
