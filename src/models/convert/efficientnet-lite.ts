/**
 * EfficientNet-Lite with the tensor names of `efficientnet-lite-pytorch` → ONNX.
 *
 * "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (Tan, Le 2019, arXiv 1905.11946), table 1,
 * without squeeze-and-excitation and with ReLU6, as Google published it for mobile devices (2020). A convolution, the
 * inverted residual blocks of seven stages, a convolution, a linear layer. Widths are read off the tensors; how many blocks
 * a stage has follows from the depth.
 *
 * Input `input`, [n, 3, height, width] of any size; values `stem`, `blocks.0` and on, `map` [n, 1280, h, w], `features`
 * [n, 1280], its average over places, and `logits` [n, classes]. Batch norms are folded into the convolutions. Borders are
 * filled as TensorFlow does it (SAME), which depends on the size.
 */
import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../../onnx/ops.ts';
import { float32, float32Data, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { filtersIn8Bits, type Ranges, roundTo8Bits } from './eight-bits.ts';
import { readStateDict, type StateDict } from './torch/state-dict.ts';

/** Grows whenever the same file would be converted to another network. */
export const EFFICIENTNET_LITE_CONVERTER_VERSION = 1;

interface Stage {
  /** Before scaling; those of the first and the last stage are never scaled. */
  readonly repeats: number;
  /** Of its first block. */
  readonly stride: 1 | 2;
}

const STAGES: readonly Stage[] = [
  { repeats: 1, stride: 1 },
  { repeats: 2, stride: 2 },
  { repeats: 2, stride: 2 },
  { repeats: 3, stride: 2 },
  { repeats: 3, stride: 1 },
  { repeats: 4, stride: 2 },
  { repeats: 1, stride: 1 },
];

/** How often the blocks of Lite0 to Lite4 are repeated, by what they count together. */
const DEPTHS: readonly number[] = [1, 1.1, 1.2, 1.4, 1.8];
const EPSILON = 1e-3;

export interface EfficientNetLiteOptions {
  /** In 8-bit integers, with the range of every value that is between two layers (default: in 32-bit floats). */
  readonly ranges?: Ranges;
  /** Hands back every value that is between two layers, under the names of the ranges, to find them (default false). */
  readonly observed?: boolean;
}

export function efficientNetLiteToOnnx(file: Uint8Array, options: EfficientNetLiteOptions = {}): Uint8Array {
  const graph = new Graph('efficientnet-lite');
  const net: Net = { graph, weights: readStateDict(file), ...options };
  let x = between(net, graph.input('input', 'float32', ['n', 3, 'height', 'width']), 'image', undefined);
  x = convolution(net, x, { weights: '_conv_stem', norm: '_bn0', from: 'image', stride: 2, clips: true, name: 'stem' });
  let from = '_conv_stem';
  for (const [i, stride] of stridesOf(net.weights).entries()) {
    [x, from] = block(net, x, from, { i, stride });
  }
  x = convolution(net, x, { weights: '_conv_head', norm: '_bn1', from, stride: 1, clips: true, name: 'map' });
  const features = graph.op('Flatten', [graph.globalAveragePool(x)], { axis: 1 }, 'features');
  graph.output(features);
  const weights = graph.constant(tensorOf(net.weights, '_fc.weight'), 'classifier.weight');
  const bias = graph.constant(tensorOf(net.weights, '_fc.bias'), 'classifier.bias');
  graph.output(graph.op('Gemm', [features, weights, bias], { transB: 1 }, 'logits'));
  return graph.toModel({ converter: `efficientnet-lite ${EFFICIENTNET_LITE_CONVERTER_VERSION}` });
}

interface Net extends EfficientNetLiteOptions {
  readonly graph: Graph;
  readonly weights: StateDict;
}

/** A value between two layers: rounded to 8 bits where the network is made of them. */
function between(net: Net, value: Value, range: string, name: string | undefined): Value {
  if (net.observed) net.graph.output(value, `range/${range}`);
  if (!net.ranges) return value;
  const found = net.ranges[range];
  if (!found) throw new LabelsmithError('BAD_MODEL', `the range of ${range} is not known`);
  return roundTo8Bits(net.graph, value, found, name);
}

/** Of each block, in their order: the depth is the one that gives as many blocks as the file has. */
function stridesOf(weights: StateDict): readonly (1 | 2)[] {
  const count = new Set(weights.names.map((name) => /^_blocks\.(\d+)\./.exec(name)?.[1]).filter(Boolean)).size;
  for (const depth of DEPTHS) {
    const strides = STAGES.flatMap(({ repeats, stride }, i): (1 | 2)[] => {
      const scaled = i === 0 || i === STAGES.length - 1 ? repeats : Math.ceil(repeats * depth);
      return [stride, ...new Array<1>(scaled - 1).fill(1)];
    });
    if (strides.length === count) return strides;
  }
  throw new LabelsmithError('BAD_MODEL', `the file has ${count} blocks, and no EfficientNet-Lite has as many`);
}

/**
 * Widens, looks at places, narrows; its input is added where nothing changed its size.
 * @param before the range of its input; with the result comes the range of that
 */
function block(net: Net, input: Value, before: string, { i, stride }: { i: number; stride: 1 | 2 }): [Value, string] {
  const at = `_blocks.${i}`;
  const name = `blocks.${i}`;
  let x = input;
  let from = before;
  const next = (part: string, options: Omit<ConvolutionOptions, 'weights' | 'from'>) => {
    x = convolution(net, x, { ...options, weights: `${at}.${part}`, from });
    from = `${at}.${part}`;
  };
  if (net.weights.names.includes(`${at}._expand_conv.weight`)) {
    next('_expand_conv', { norm: `${at}._bn0`, stride: 1, clips: true });
  }
  next('_depthwise_conv', { norm: `${at}._bn1`, stride, clips: true, depthwise: true });
  const adds = stride === 1 && input.shape?.[1] === tensorOf(net.weights, `${at}._project_conv.weight`).dims[0];
  next('_project_conv', { norm: `${at}._bn2`, stride: 1, clips: false, name: adds ? undefined : name });
  if (!adds) return [x, from];
  const sum = net.graph.op('Add', [x, input], {}, net.ranges ? undefined : name);
  return [between(net, sum, name, name), name];
}

interface ConvolutionOptions {
  /** Names without `.weight` and so on. */
  readonly weights: string;
  readonly norm: string;
  readonly stride: 1 | 2;
  /** The range of what it takes. */
  readonly from: string;
  /** Whether ReLU6 follows. */
  readonly clips: boolean;
  readonly depthwise?: boolean;
  /** Of the last value made. */
  readonly name?: string;
}

function convolution(net: Net, x: Value, options: ConvolutionOptions): Value {
  const { graph, ranges } = net;
  const { weights, bias } = folded(net, options);
  const attributes = {
    strides: [options.stride, options.stride],
    group: options.depthwise ? (weights.dims[0] ?? 1) : 1,
    auto_pad: 'SAME_UPPER',
  };
  const { weights: at, clips } = options;
  if (ranges) {
    const filters = filtersIn8Bits(graph, { weights, bias, name: at, input: ranges[options.from] });
    // What is rounded to 8 bits from 0 to at most 6 is clipped by that.
    return between(net, graph.op('Conv', [x, ...filters], attributes), at, options.name);
  }
  const inputs = [x, graph.constant(weights, `${at}.weight`), graph.constant(bias, `${at}.bias`)];
  const name = clips ? undefined : options.name;
  const convolved = graph.op('Conv', inputs, attributes, name);
  const result = clips ? graph.op('Clip', [convolved, graph.scalar(0), graph.scalar(6)], {}, options.name) : convolved;
  return between(net, result, at, options.name);
}

/** y = γ (w·x − μ) / √(σ² + ε) + β as one convolution with a bias. */
function folded(
  { weights: file }: Net,
  { weights: name, norm }: ConvolutionOptions,
): { weights: Tensor; bias: Tensor } {
  const { dims, data: given } = tensorOf(file, `${name}.weight`);
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    float32Data(tensorOf(file, `${norm}.${part}`), `${norm}.${part}`),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const [channels = 0] = dims;
  if (dims.length !== 4 || [gamma, beta, mean, variance].some(({ length }) => length !== channels)) {
    throw new LabelsmithError('BAD_MODEL', `${name} and ${norm} of the file do not fit each other`);
  }
  const perChannel = given.length / channels;
  const data = new Float32Array(given.length);
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const factor = gamma[c] / Math.sqrt(variance[c] + EPSILON);
    bias[c] = beta[c] - mean[c] * factor;
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++) data[i] = Number(given[i]) * factor;
  }
  return { weights: float32(data, dims), bias: float32(bias) };
}

function tensorOf(file: StateDict, name: string): Tensor {
  const found = file.tensor(name);
  if (found) return found;
  throw new LabelsmithError('BAD_MODEL', `the file has no tensor ${name}: it is no EfficientNet-Lite`, {
    details: { tensor: name },
  });
}
