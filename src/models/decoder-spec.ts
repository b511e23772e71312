/** What turns a detector's raw outputs into boxes, as data: a kind, and what that kind has to know of the network. */
import { z } from 'zod';

/** The name of a graph's value. */
export const valueName = z.string().min(1);

/** A decoder with what it has to know of the network; names are of the network's values. */
export const DECODER = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('centernet'),
    /** Shape [1, classes, rows, columns], logits. */
    heatmap: valueName,
    /** Shape [1, 4, rows, columns]: left, top, right, bottom from the anchor point, in input pixels. */
    distances: valueName,
    /** Input pixels from one anchor point to the next. */
    stride: z.int().min(1),
  }),
  z.object({
    kind: z.literal('nanodet'),
    /** Points of the distribution of each distance. */
    bins: z.int().min(2),
    levels: z
      .array(
        z.object({
          /** Input pixels from one anchor point to the next. */
          stride: z.int().min(1),
          /** Shape [1, anchor points, classes], 0 to 1. */
          scores: valueName,
          /** Shape [1, anchor points, 4 · bins]: left, top, right, bottom, as logits over 0, 1, … strides. */
          distances: valueName,
        }),
      )
      .min(1)
      .readonly(),
  }),
  z.object({
    kind: z.literal('yolox'),
    /** Shape [1, anchor points of all levels, 5 + classes]: x, y, w, h, objectness, class scores (both 0 to 1). */
    output: valueName,
    /** Input pixels from one anchor point to the next, a level each, in the order of the output. */
    strides: z.array(z.int().min(1)).min(1).readonly(),
    /** Whether x, y, w, h are in input pixels already, or offsets in strides and logarithms of sizes in strides (`cells`). */
    boxes: z.enum(['pixels', 'cells']),
  }),
  z.object({
    kind: z.literal('retinanet'),
    /** Sizes of the boxes at each place, in strides, and their shapes, height over width. */
    scales: z.array(z.number().positive()).min(1).readonly(),
    ratios: z.array(z.number().positive()).min(1).readonly(),
    levels: z
      .array(
        z.object({
          stride: z.int().min(1),
          /** Shape [1, boxes a place · classes, rows, columns], 0 to 1. */
          scores: valueName,
          /** Shape [1, boxes a place · 4, rows, columns]: moves in sizes of the box, stretches as logarithms. */
          deltas: valueName,
        }),
      )
      .min(1)
      .readonly(),
  }),
  z.object({
    kind: z.literal('yolov4'),
    levels: z
      .array(
        z.object({
          stride: z.int().min(1),
          /** Shape [1, rows, columns, boxes a place, 5 + classes]: x, y, w, h as logits and logarithms, objectness, classes. */
          output: valueName,
          /** How far a middle may be from its square: 1 is not at all, 1.2 a tenth of the square at each side. */
          reach: z.number().min(1),
          /** Width and height of each box at a place, in input pixels. */
          anchors: z
            .array(z.tuple([z.number(), z.number()]).readonly())
            .min(1)
            .readonly(),
        }),
      )
      .min(1)
      .readonly(),
  }),
  z.object({
    kind: z.literal('yolov3'),
    /** Shape [1, boxes, 4]: y1, x1, y2, x2 in pixels of an image of that size. */
    boxes: valueName,
    /** Shape [1, classes, boxes], 0 to 1. */
    scores: valueName,
    /** An input of the network, [1, 2]: height and width of the image. */
    imageSize: valueName,
  }),
  z.object({
    kind: z.literal('listed'),
    /** Shape [n, 4], with or without a one before. */
    boxes: valueName,
    /** Shape [n], with or without a one before; so are the scores. */
    labels: valueName,
    scores: valueName,
    corners: z.enum(['xyxy', 'yxyx']),
    /** Of the boxes: pixels of the input, or shares of its sides. */
    unit: z.enum(['pixels', 'fractions']),
    /** What a label means: `from-1` COCO's 80 classes in order, 0 is background; `coco-ids` COCO's own numbers up to 90. */
    labelling: z.enum(['from-1', 'coco-ids']),
  }),
  z.object({
    kind: z.literal('detr'),
    /** Shape [1, queries, classes], one more class with `softmax`: none of them, the last. */
    logits: valueName,
    /** Shape [1, queries, 4]: middle x, middle y, width, height, in shares of the input's sides. */
    boxes: valueName,
    /** Which of its numbers are the classes, in their order (default: all but the last of `softmax`, which is none of them). */
    columns: z.array(z.int().min(0)).min(1).readonly().optional(),
    /** `sigmoid`: a query may be several classes; `sigmoid-best` and `softmax`: its best one. */
    activation: z.enum(['sigmoid', 'sigmoid-best', 'softmax']),
  }),
  z.object({
    kind: z.literal('phrases'),
    /** Shape [1, queries, tokens of the sentence and more]: how well each word of it says what is in the box. */
    logits: valueName,
    /** As of `detr`. */
    boxes: valueName,
  }),
]);
export type Decoder = Readonly<z.infer<typeof DECODER>>;
