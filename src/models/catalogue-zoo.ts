/**
 * The ONNX model zoo's classifiers of ImageNet as embedders that classify too: what each family takes and gives, as its
 * documents state it. `zoo-files.ts` has the files; those with layers and weights chosen by measurement are in `backbones.ts`.
 *
 * Images are taken as everywhere here, their middle scaled to the input; the publishers cut an eighth off each side first.
 */
import { IMAGENET_NAMES } from '../core/imagenet-classes.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './backbones.ts';
import type { InputSpec, ModelEntry, VotesSpec } from './bundle.ts';
import { ZOO_CLASSIFIERS, type ZooFile, zooSource } from './zoo-files.ts';

type FileId = keyof typeof ZOO_CLASSIFIERS;

interface Family {
  /** What people call it. */
  readonly name: string;
  readonly licence: string;
  readonly files: readonly FileId[];
  readonly input: Pick<InputSpec, 'name' | 'layout' | 'colours' | 'scale' | 'mean' | 'std'>;
  readonly output: string;
  readonly outputKind: VotesSpec['outputKind'];
  /** What its last layer takes; undefined where the publisher does not say it. */
  readonly dimensions?: number;
}

const TORCH = { layout: 'NCHW', scale: 1 / 255, mean: IMAGENET_MEAN, std: IMAGENET_STD } as const;
/** Networks that were trained in Caffe: BGR less the mean of ImageNet, not scaled. */
const CAFFE = { layout: 'NCHW', colours: 'BGR', mean: [103.939, 116.779, 123.68] } as const;
/** From −1 to 1. */
const EFFICIENT_NET_LITE = { layout: 'NHWC', mean: [127, 127, 127], std: [128, 128, 128] } as const;

const CAFFE2 = { input: { name: 'data_0', ...CAFFE }, output: 'prob_1', outputKind: 'probabilities' } as const;
const GPU_CAFFE2 = { output: 'gpu_0/softmax_1', outputKind: 'probabilities' } as const;

function resNet(depth: string, output: string, dimensions: number, files: readonly FileId[]): Family {
  const input = { name: 'data', ...TORCH };
  return { name: `ResNet-${depth}`, licence: 'Apache-2.0', files, input, output, outputKind: 'logits', dimensions };
}

function vgg(depth: string, files: readonly FileId[]): Family {
  const plain = { input: { name: 'data', ...TORCH }, output: 'vgg0_dense2_fwd', outputKind: 'logits' } as const;
  return { name: `VGG-${depth}`, licence: 'Apache-2.0', files, ...plain, dimensions: 4096 };
}

const FAMILIES: readonly Family[] = [
  {
    name: 'MobileNetV2',
    licence: 'Apache-2.0',
    files: ['mobilenetv2-12-int8', 'mobilenetv2-12'],
    input: { name: 'input', ...TORCH },
    output: 'output',
    outputKind: 'logits',
    dimensions: 1280,
  },
  {
    name: 'EfficientNet-Lite4',
    licence: 'MIT',
    files: ['efficientnet-lite4-11-qdq', 'efficientnet-lite4-11-int8', 'efficientnet-lite4-11'],
    input: { name: 'images:0', ...EFFICIENT_NET_LITE },
    output: 'Softmax:0',
    outputKind: 'probabilities',
    dimensions: 1280,
  },
  resNet('18 v1', 'resnetv15_dense0_fwd', 512, ['resnet18-v1-7']),
  resNet('18 v2', 'resnetv22_dense0_fwd', 512, ['resnet18-v2-7']),
  resNet('34 v1', 'resnetv16_dense0_fwd', 512, ['resnet34-v1-7']),
  resNet('34 v2', 'resnetv23_dense0_fwd', 512, ['resnet34-v2-7']),
  resNet('50 v1', 'resnetv17_dense0_fwd', 2048, ['resnet50-v1-12-qdq', 'resnet50-v1-12-int8', 'resnet50-v1-12']),
  resNet('50 v2', 'resnetv24_dense0_fwd', 2048, ['resnet50-v2-7']),
  resNet('101 v1', 'resnetv18_dense0_fwd', 2048, ['resnet101-v1-7']),
  resNet('101 v2', 'resnetv25_dense0_fwd', 2048, ['resnet101-v2-7']),
  resNet('152 v1', 'resnetv19_dense0_fwd', 2048, ['resnet152-v1-7']),
  resNet('152 v2', 'resnetv27_dense0_fwd', 2048, ['resnet152-v2-7']),
  vgg('16', ['vgg16-12-qdq', 'vgg16-12-int8', 'vgg16-12']),
  vgg('16 with batch norm', ['vgg16-bn-7']),
  vgg('19', ['vgg19-7']),
  vgg('19 with batch norm', ['vgg19-bn-7']),
  {
    name: 'DenseNet-121',
    licence: 'MIT',
    files: ['densenet-12-int8', 'densenet-12'],
    input: { name: 'data_0', ...TORCH },
    output: 'fc6_1',
    outputKind: 'logits',
    dimensions: 1024,
  },
  {
    name: 'AlexNet',
    licence: 'BSD-3-Clause',
    files: ['bvlcalexnet-12-int8', 'bvlcalexnet-12'],
    ...CAFFE2,
    dimensions: 4096,
  },
  { name: 'CaffeNet', licence: 'BSD-3-Clause', files: ['caffenet-12-int8'], ...CAFFE2, dimensions: 4096 },
  {
    name: 'GoogLeNet',
    licence: 'BSD-3-Clause',
    files: ['googlenet-12-qdq', 'googlenet-12'],
    ...CAFFE2,
    dimensions: 1024,
  },
  {
    name: 'Inception V1',
    licence: 'MIT',
    files: ['inception-v1-12-qdq', 'inception-v1-12'],
    ...CAFFE2,
    dimensions: 1024,
  },
  { name: 'Inception V2', licence: 'MIT', files: ['inception-v2-9'], ...CAFFE2, dimensions: 1024 },
  {
    name: 'ZFNet-512',
    licence: 'MIT',
    files: ['zfnet512-12-qdq'],
    input: { name: 'gpu_0/data_0', ...CAFFE },
    ...GPU_CAFFE2,
    dimensions: 4096,
  },
  {
    name: 'ShuffleNet v1',
    licence: 'BSD-3-Clause',
    files: ['shufflenet-9'],
    input: { name: 'gpu_0/data_0', ...TORCH },
    ...GPU_CAFFE2,
  },
  {
    name: 'ShuffleNet v2',
    licence: 'BSD-3-Clause',
    files: ['shufflenet-v2-12-qdq', 'shufflenet-v2-12'],
    input: { name: 'input', ...TORCH },
    output: 'output',
    outputKind: 'logits',
    dimensions: 1024,
  },
  {
    name: 'SqueezeNet 1.0',
    licence: 'Apache-2.0',
    files: ['squeezenet1-0-13-qdq', 'squeezenet1-0-12-int8'],
    input: { name: 'data_0', ...TORCH },
    output: 'softmaxout_1',
    outputKind: 'probabilities',
    dimensions: 512,
  },
  {
    name: 'SqueezeNet 1.1',
    licence: 'Apache-2.0',
    files: ['squeezenet1-1-7'],
    input: { name: 'data', ...TORCH },
    output: 'squeezenet0_flatten0_reshape0',
    outputKind: 'logits',
    dimensions: 512,
  },
];

export const ZOO_CLASSIFIER_ENTRIES: readonly ModelEntry[] = FAMILIES.flatMap((family) =>
  family.files.map((id) => entryOf(id, family)),
);

function entryOf(id: FileId, { name, licence, input, output, outputKind, dimensions }: Family): ModelEntry {
  const file: ZooFile = ZOO_CLASSIFIERS[id];
  const form = /int8|qdq/.test(id) ? ' in int8' : '';
  const base = {
    id,
    licence,
    stated: file.stated,
    source: { files: [zooSource(file)], converter: 'onnx-backbone' },
    input: { width: 224, height: 224, fit: 'cover', pad: [0, 0, 0], kernel: 'linear', ...input },
  } as const;
  const what = `${name}${form} trained on ImageNet, 1,000 classes, 224 px`;
  const size = `${Math.round(file.bytes / 1e6)} MB`;
  if (dimensions === undefined) {
    const description = `${what}, ${size}`;
    return { ...base, role: 'classifier', description, output, outputKind, classNames: IMAGENET_NAMES };
  }
  const description = `${what}, ${dimensions.toLocaleString('en')} numbers an image, ${size}`;
  const votes = { output, outputKind, classes: 'imagenet-1000' } as const;
  return { ...base, role: 'embedder', description, output: 'features', dimensions, votes };
}
