/**
 * MobileNetV3-Small with torchvision's tensor names → ONNX, as a feature extractor.
 *
 * "Searching for MobileNetV3" (Howard et al. 2019, arXiv 1905.02244), table 2: a convolution, eleven inverted residual
 * blocks, a convolution. Input `input`, [n, 3, height, width], scaled and normalised; output `features`, [n, 576], the
 * average over all places of the last convolution. The results of the thirteen parts are inner values named `features.0`
 * to `features.12`, [n, channels, h, w]. Batch norms are folded into the convolutions.
 */

import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../../onnx/ops.ts';
import { float32, float32Data, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { type GgufFile, readGguf } from './gguf.ts';

/** Grows whenever the same file would be converted to another network. */
export const MOBILENETV3_CONVERTER_VERSION = 1;

type Activation = 'relu' | 'hardSwish' | 'none';

interface Block {
  readonly kernel: 3 | 5;
  readonly stride: 1 | 2;
  readonly activation: Activation;
  /** Widens before the depthwise convolution; the first block does not. */
  readonly expands: boolean;
  readonly squeezeExcite: boolean;
  /** Whether its input is added to its output. */
  readonly residual: boolean;
}

const block = (
  kernel: 3 | 5,
  stride: 1 | 2,
  activation: Activation,
  squeezeExcite: boolean,
  residual: boolean,
): Block => ({
  kernel,
  stride,
  activation,
  squeezeExcite,
  residual,
  expands: true,
});

/** Parts 1 to 11. */
const BLOCKS: readonly Block[] = [
  { ...block(3, 2, 'relu', true, false), expands: false },
  block(3, 2, 'relu', false, false),
  block(3, 1, 'relu', false, true),
  block(5, 2, 'hardSwish', true, false),
  block(5, 1, 'hardSwish', true, true),
  block(5, 1, 'hardSwish', true, true),
  block(5, 1, 'hardSwish', true, false),
  block(5, 1, 'hardSwish', true, true),
  block(5, 2, 'hardSwish', true, false),
  block(5, 1, 'hardSwish', true, true),
  block(5, 1, 'hardSwish', true, true),
];

export interface MobileNetV3Options {
  /** Parts to hand back besides the features: `features.0` to `features.12` (default none). */
  readonly layers?: readonly string[];
}

export function mobileNetV3ToOnnx(gguf: Uint8Array, { layers = [] }: MobileNetV3Options = {}): Uint8Array {
  const file = readGguf(gguf);
  const graph = new Graph('mobilenetv3-small');
  const net: Net = { graph, file, epsilon: Number(file.metadata.get('mobilenet.bn_eps') ?? 1e-3) };
  let x = graph.input('input', 'float32', ['n', 3, 'height', 'width']);
  x = convolution(net, x, 'features.0', { stride: 2, activation: 'hardSwish', name: 'features.0' });
  BLOCKS.forEach((one, i) => {
    x = invertedResidual(net, x, `features.${i + 1}`, one);
  });
  x = convolution(net, x, 'features.12', { stride: 1, activation: 'hardSwish', name: 'features.12' });
  graph.output(graph.op('Flatten', [graph.globalAveragePool(x)], { axis: 1 }, 'features'));
  for (const layer of layers) {
    if (!/^features\.(\d|1[012])$/.test(layer)) {
      throw new LabelsmithError('USAGE', `no layer ${layer}; there are features.0 to features.12`);
    }
    graph.output(graph.value(layer));
  }
  return graph.toModel({ converter: `mobilenetv3 ${MOBILENETV3_CONVERTER_VERSION}` });
}

interface Net {
  readonly graph: Graph;
  readonly file: GgufFile;
  readonly epsilon: number;
}

interface ConvolutionOptions {
  readonly stride: 1 | 2;
  readonly activation: Activation;
  readonly depthwise?: boolean;
  /** Of the last value made. */
  readonly name?: string;
}

/** Tensors `prefix.0` (weights) and `prefix.1` (batch norm). */
function convolution(net: Net, x: Value, prefix: string, options: ConvolutionOptions): Value {
  const { graph } = net;
  const { weights, bias } = folded(net, prefix);
  const [channels, , kernel] = weights.dims as [number, number, number, number];
  const half = (kernel - 1) / 2;
  const value = graph.conv(x, graph.constant(weights, `${prefix}.weight`), graph.constant(bias, `${prefix}.bias`), {
    pads: [half, half, half, half],
    strides: [options.stride, options.stride],
    group: options.depthwise ? channels : 1,
    name: options.activation === 'none' ? options.name : undefined,
  });
  if (options.activation === 'none') return value;
  return graph.op(options.activation === 'relu' ? 'Relu' : 'HardSwish', [value], {}, options.name);
}

/** y = γ (w·x − μ) / √(σ² + ε) + β as one convolution with a bias. */
function folded({ file, epsilon }: Net, prefix: string): { weights: Tensor; bias: Tensor } {
  const weights = tensorOf(file, `${prefix}.0.weight`);
  const given = float32Data(weights, `${prefix}.0.weight`);
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
    float32Data(tensorOf(file, `${prefix}.1.${name}`), `${prefix}.1.${name}`),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const channels = weights.dims[0];
  const perChannel = weights.data.length / channels;
  const data = new Float32Array(weights.data.length);
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const factor = gamma[c] / Math.sqrt(variance[c] + epsilon);
    bias[c] = beta[c] - mean[c] * factor;
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++) data[i] = given[i] * factor;
  }
  return { weights: float32(data, weights.dims), bias: float32(bias) };
}

function tensorOf(file: GgufFile, name: string): Tensor {
  const found = file.tensors.get(name);
  if (found) return found;
  throw new LabelsmithError(
    'BAD_MODEL',
    `the file has no tensor ${name}: it is not a MobileNetV3-Small of torchvision`,
    {
      details: { tensor: name },
    },
  );
}

function invertedResidual(net: Net, input: Value, prefix: string, of: Block): Value {
  const { graph } = net;
  let part = 0;
  const next = () => `${prefix}.block.${part++}`;
  let x = input;
  if (of.expands) x = convolution(net, x, next(), { stride: 1, activation: of.activation });
  x = convolution(net, x, next(), { stride: of.stride, activation: of.activation, depthwise: true });
  if (of.squeezeExcite) x = squeezeExcite(net, x, next());
  const name = of.residual ? undefined : prefix;
  x = convolution(net, x, next(), { stride: 1, activation: 'none', name });
  return of.residual ? graph.op('Add', [x, input], {}, prefix) : x;
}

/** Scales each channel by a gate in 0 to 1 worked out from all channels' averages. */
function squeezeExcite({ graph, file }: Net, x: Value, prefix: string): Value {
  const dense = (value: Value, name: string): Value =>
    graph.conv(
      value,
      graph.constant(tensorOf(file, `${prefix}.${name}.weight`), `${prefix}.${name}.weight`),
      graph.constant(tensorOf(file, `${prefix}.${name}.bias`), `${prefix}.${name}.bias`),
    );
  const squeezed = graph.relu(dense(graph.globalAveragePool(x), 'fc1'));
  return graph.mul(graph.hardSigmoid(dense(squeezed, 'fc2'), 1 / 6, 0.5), x);
}
