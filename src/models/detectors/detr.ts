/**
 * Detectors that answer with a set of queries, a box and logits each, and need no suppression: DETR (Carion et al. 2020, arXiv
 * 2005.12872), YOLOS (Fang et al. 2021, arXiv 2106.00666), whose logits have one class more for nothing; RT-DETR (Zhao et al.
 * 2023, arXiv 2304.08069) and D-FINE (Peng et al. 2024, arXiv 2410.13842), whose classes are chances of their own: the best
 * pairs of query and class count, so one box may stand for two classes. OWLv2 (Minderer et al. 2023, arXiv 2306.09683) compares
 * each of its boxes with words, and takes the word that fits best.
 */
import { boxesFromCentres } from '../../onnx/boxes-graph.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { type Candidates, type DecodeContext, type Decoder, MAX_DETECTIONS } from './decoder.ts';

type Detr = Extract<Decoder, { kind: 'detr' }>;

export function decodeDetr({ graph: g, decoder, outputs, width, height, classCount }: DecodeContext<Detr>): Candidates {
  const centred = g.reshape(outputs[decoder.boxes], [-1, 4]);
  const size = g.constant(float32([width, height, width, height], [1, 4]), 'size');
  const boxes = g.mul(boxesFromCentres(g, centred), size);
  const { columns } = decoder;
  const picked = (value: Value) => (columns ? g.gather(value, g.ints(columns), 2) : value);
  if (decoder.activation === 'softmax') {
    const all = g.softmax(outputs[decoder.logits]);
    const [chances] = columns
      ? [g.squeeze(picked(all), [0])]
      : g.split(g.reshape(all, [-1, classCount + 1]), [classCount, 1], 1);
    const [scores, classes] = g.topK(chances, 1, 1);
    return { boxes, scores: g.reshape(scores, [-1]), classes: g.cast(g.reshape(classes, [-1]), 'int32') };
  }
  const logits = picked(outputs[decoder.logits]);
  if (decoder.activation === 'sigmoid-best') {
    const [best, classes] = g.topK(g.squeeze(logits, [0]), 1, 1);
    return {
      boxes,
      scores: g.sigmoid(g.reshape(best, [-1])),
      classes: g.cast(g.reshape(classes, [-1]), 'int32'),
    };
  }
  // No more pairs than there are: a network of few queries has fewer than are kept.
  const pairs = g.reshape(g.sigmoid(logits), [-1]);
  const count = outputs[decoder.logits].shape?.[1];
  const most = typeof count === 'number' ? Math.min(MAX_DETECTIONS, count * classCount) : MAX_DETECTIONS;
  const [scores, places] = g.topK(pairs, most, 0);
  const classes = g.cast(g.mod(places, g.scalar(classCount, 'int64')), 'int32');
  const queries = g.div(places, g.scalar(classCount, 'int64'));
  return { boxes: g.gather(boxes, queries), scores, classes };
}
