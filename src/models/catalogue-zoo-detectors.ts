/**
 * The ONNX model zoo's detectors: what each takes and gives, as its publisher's document states it. `zoo-files.ts` has the
 * files, `detectors/` reads what they give.
 *
 * All of them see the whole image at the top left, whatever its shape; their publishers stretch it (SSD) or put it into the
 * middle (YOLO). It is made smaller by the kind of filter that their documents name: OpenCV's own (YOLOv4), bicubic (YOLOv3) or
 * bilinear (the rest). Faster and Mask R-CNN take any size: a photograph of 4 : 3 in a square of 1088 has the 800 lines of their
 * document. The masks of Mask R-CNN are not read.
 */
import { COCO_NAMES } from '../core/coco-classes.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './backbones.ts';
import type { DetectorEntry, InputSpec } from './bundle.ts';
import type { Decoder } from './decoder-spec.ts';
import { ZOO_DETECTORS, type ZooFile, zooSource } from './zoo-files.ts';

type FileId = keyof typeof ZOO_DETECTORS;

interface Family {
  readonly name: string;
  readonly licence: string;
  readonly files: readonly FileId[];
  /** Its kernel is `linear` if nothing else is said. */
  readonly input: Omit<InputSpec, 'fit' | 'kernel'> & Partial<Pick<InputSpec, 'kernel'>>;
  readonly decoder: Decoder;
}

/** The colour that is nothing once ImageNet's mean is taken off. */
const MEAN_COLOUR = [124, 116, 104] as const;
const GREY = [128, 128, 128] as const;
const TORCH = { layout: 'NCHW', scale: 1 / 255, mean: IMAGENET_MEAN, std: IMAGENET_STD, pad: MEAN_COLOUR } as const;

/** Of maskrcnn-benchmark: BGR from 0 to 255 less a mean, one image with no axis for their number. */
const R_CNN_INPUT: Family['input'] = {
  name: 'image',
  width: 1088,
  height: 1088,
  pad: [123, 116, 103],
  layout: 'CHW',
  colours: 'BGR',
  mean: [102.9801, 115.9465, 122.7717],
};
const listOf = (boxes: string, labels: string, scores: string): Decoder => ({
  kind: 'listed',
  boxes,
  labels,
  scores,
  corners: 'xyxy',
  unit: 'pixels',
  labelling: 'from-1',
});

const RETINANET_STRIDES = [8, 16, 32, 64, 128];

const FAMILIES: readonly Family[] = [
  {
    name: 'SSD on MobileNetV1',
    licence: 'MIT',
    files: ['ssd-mobilenet-v1-12-int8', 'ssd-mobilenet-v1-12'],
    input: { name: 'inputs', width: 300, height: 300, pad: GREY, layout: 'NHWC', dtype: 'uint8' },
    decoder: {
      kind: 'listed',
      boxes: 'detection_boxes',
      labels: 'detection_classes',
      scores: 'detection_scores',
      corners: 'yxyx',
      unit: 'fractions',
      labelling: 'coco-ids',
    },
  },
  {
    name: 'SSD on ResNet-34',
    licence: 'Apache-2.0',
    files: ['ssd-12-qdq'],
    input: { name: 'image', width: 1200, height: 1200, ...TORCH },
    decoder: {
      kind: 'listed',
      boxes: 'bboxes',
      labels: 'labels',
      scores: 'scores',
      corners: 'xyxy',
      unit: 'fractions',
      labelling: 'from-1',
    },
  },
  {
    name: 'Faster R-CNN on ResNet-50 with a feature pyramid',
    licence: 'MIT',
    files: ['fasterrcnn-12-int8'],
    input: R_CNN_INPUT,
    decoder: listOf('6379', '6381', '6383'),
  },
  {
    name: 'Mask R-CNN on ResNet-50 with a feature pyramid',
    licence: 'MIT',
    files: ['maskrcnn-12-int8', 'maskrcnn-12'],
    input: R_CNN_INPUT,
    decoder: listOf('6568', '6570', '6572'),
  },
  {
    name: 'RetinaNet on ResNet-101',
    licence: 'BSD-3-Clause',
    files: ['retinanet-9'],
    input: { name: 'input', width: 640, height: 480, ...TORCH },
    decoder: {
      kind: 'retinanet',
      scales: [4, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3)],
      ratios: [1, 2, 0.5],
      levels: RETINANET_STRIDES.map((stride, i) => ({
        stride,
        scores: `output${i + 1}`,
        deltas: `output${RETINANET_STRIDES.length + i + 1}`,
      })),
    },
  },
  {
    name: 'YOLOv3',
    licence: 'MIT',
    files: ['yolov3-12-int8'],
    input: { name: 'input_1', width: 416, height: 416, pad: GREY, layout: 'NCHW', scale: 1 / 255, kernel: 'cubic' },
    decoder: {
      kind: 'yolov3',
      boxes: 'yolonms_layer_1/ExpandDims_1:0',
      scores: 'yolonms_layer_1/ExpandDims_3:0',
      imageSize: 'image_shape',
    },
  },
  {
    name: 'YOLOv4',
    licence: 'MIT',
    files: ['yolov4'],
    input: {
      name: 'input_1:0',
      width: 416,
      height: 416,
      pad: GREY,
      layout: 'NHWC',
      scale: 1 / 255,
      pillow: { resample: 'bilinear', size: { kind: 'opencv-letterbox' } },
    },
    decoder: {
      kind: 'yolov4',
      levels: [
        {
          output: 'Identity:0',
          stride: 8,
          reach: 1.2,
          anchors: [
            [12, 16],
            [19, 36],
            [40, 28],
          ],
        },
        {
          output: 'Identity_1:0',
          stride: 16,
          reach: 1.1,
          anchors: [
            [36, 75],
            [76, 55],
            [72, 146],
          ],
        },
        {
          output: 'Identity_2:0',
          stride: 32,
          reach: 1.05,
          anchors: [
            [142, 110],
            [192, 243],
            [459, 401],
          ],
        },
      ],
    },
  },
];

export const ZOO_DETECTOR_ENTRIES: readonly DetectorEntry[] = FAMILIES.flatMap(
  ({ name, licence, files, input, decoder }) =>
    files.map((id): DetectorEntry => {
      const file: ZooFile = ZOO_DETECTORS[id];
      const form = /int8|qdq/.test(id) ? ' in int8' : '';
      const size = `${Math.max(input.width, input.height)} px, COCO 80 classes, ${Math.round(file.bytes / 1e6)} MB`;
      return {
        id,
        role: 'detector',
        licence,
        description: `${name}${form}, ${size}`,
        stated: file.stated,
        source: { files: [zooSource(file)], converter: 'onnx' },
        input: { kernel: 'linear', ...input, fit: 'letterbox' },
        decoder,
        classNames: COCO_NAMES,
      };
    }),
);
