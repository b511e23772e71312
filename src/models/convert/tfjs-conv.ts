/** Convolutions and pools: padding made explicit, weights turned to ONNX's layout, bias and activation along. */

import { float32, float32Data, numbersOf, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { type Computed, inOrder, like, NCHW_OF_NHWC, type Operand, permuteTensor, settle } from './operand.ts';
import { type Conversion, computed, constantOf, type Handler, refuse } from './tfjs-conversion.ts';
import { floatAttribute, intsAttribute, type TfNode, textAttribute, textsAttribute } from './tfjs-model.ts';

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
}

interface Placed {
  /** Still to be applied to `x`. */
  readonly factor: number | undefined;
  /** In memory as NCHW. */
  readonly x: Computed;
  /** [top, left, bottom, right] */
  readonly pads: number[];
  /** Height and width of the output. */
  readonly size: readonly [number, number];
}

/**
 * Where the window lies. TensorFlow's SAME gives ⌈size / stride⌉ outputs and puts the odd pixel of padding at the far
 * end, unlike a symmetric padding by half the kernel.
 */
function place(
  c: Conversion,
  node: TfNode,
  operand: Operand,
  window: Window,
  fill: (value: number) => boolean,
): Placed {
  let x = computed(c, operand);
  const mode = textAttribute(node, 'padding');
  const extra = [0, 0, 0, 0];
  if (x.padding) {
    const { before, after, value, of } = x.padding;
    const onlyImage = [0, 3].every((axis) => before[axis] === 0 && after[axis] === 0);
    if (mode === 'VALID' && onlyImage && fill(value)) {
      extra.splice(0, 4, before[1], before[2], after[1], after[2]);
      x = of;
    } else x = settle(c, x);
  }
  const { factor } = x;
  x = { ...x, factor: undefined };
  const pads = [...extra];
  const size = [0, 1].map((i) => {
    const pixels = x.shape[1 + i];
    const stride = window.strides[i];
    const reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    if (mode === 'SAME') {
      const outputs = Math.ceil(pixels / stride);
      const total = Math.max((outputs - 1) * stride + reach - pixels, 0);
      pads[i] = Math.floor(total / 2);
      pads[i + 2] = total - Math.floor(total / 2);
      return outputs;
    }
    if (mode === 'EXPLICIT') {
      const explicit = intsAttribute(node, 'explicit_paddings');
      pads[i] = explicit[2 + 2 * i];
      pads[i + 2] = explicit[3 + 2 * i];
    } else if (mode !== 'VALID') throw refuse(node, `padding ${mode || 'unknown'} is not taken`);
    return Math.floor((pixels + pads[i] + pads[i + 2] - reach) / stride) + 1;
  });
  const moved = like(x, inOrder(c, x, NCHW_OF_NHWC), { order: NCHW_OF_NHWC });
  return { x: moved, pads, size: size as [number, number], factor };
}

function pairOf(node: TfNode, name: string): [number, number] {
  const list = intsAttribute(node, name, [1, 1, 1, 1]);
  return [list[1], list[2]];
}

function refuseChannelsFirst(node: TfNode): void {
  const format = textAttribute(node, 'data_format', 'NHWC');
  if (format !== 'NHWC') throw refuse(node, `data format ${format} is not taken`);
}

/** [kh, kw, in, out] → [out, in, kh, kw]; depthwise [kh, kw, in, m] → [in · m, 1, kh, kw]. */
function kernelTensor(weights: Tensor, depthwise: boolean, factor: number): Tensor {
  const [height, width, inputs, outputs] = weights.dims as [number, number, number, number];
  const turned = permuteTensor(weights, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]);
  const data = factor === 1 ? float32Data(turned, 'turned') : float32Data(turned, 'turned').map((one) => one * factor);
  return float32(data, depthwise ? [inputs * outputs, 1, height, width] : [outputs, inputs, height, width]);
}

export const convHandler: Handler = (c, node, inputs) => {
  refuseChannelsFirst(node);
  const depthwise = node.op.includes('epthwise');
  const weights = constantOf(node, inputs, 1);
  const [height, width, inChannels, lastDim] = weights.dims as [number, number, number, number];
  const outChannels = depthwise ? inChannels * lastDim : lastDim;
  const window: Window = {
    kernel: [height, width],
    strides: pairOf(node, 'strides'),
    dilations: pairOf(node, 'dilations'),
  };
  const { x, pads, size, factor = 1 } = place(c, node, inputs[0], window, (value) => value === 0);
  const fused = textsAttribute(node, 'fused_ops');
  const hasBias = fused[0] === 'BiasAdd';
  const bias = hasBias ? numbersOf(constantOf(node, inputs, 2)) : undefined;
  const activation = hasBias ? fused[1] : fused[0];
  const group = depthwise ? inChannels : x.shape[3] / inChannels;
  const attributes = { pads, strides: window.strides, dilations: window.dilations, group };
  const shape = [x.shape[0], ...size, outChannels];
  const scaled = (by: number, name: string): Computed => {
    const values = [x.value, c.graph.constant(kernelTensor(weights, depthwise, factor * by), `${node.name}/weights`)];
    if (bias) values.push(c.graph.constant(float32(bias.map((one) => one * by)), `${node.name}/bias`));
    return like(x, c.graph.op('Conv', values, attributes, name), { shape });
  };
  const linear = scaled(1, activation ? `${node.name}/linear` : node.name);
  if (!activation && c.readers.get(node.name) === 1) {
    return { ...linear, rescaled: (by) => scaled(by, `${node.name}/scaled`) };
  }
  if (!activation) return linear;
  return like(linear, activate(c, node, activation, linear.value, inputs[hasBias ? 3 : 2]));
};

function activate(c: Conversion, node: TfNode, activation: string, x: Value, slope: Operand | undefined): Value {
  const { graph } = c;
  switch (activation) {
    case 'Relu':
      return graph.op('Relu', [x], {}, node.name);
    case 'Relu6':
      return graph.op('Clip', [x, graph.scalar(0), graph.scalar(6)], {}, node.name);
    case 'LeakyRelu':
      return graph.op('LeakyRelu', [x], { alpha: { float: floatAttribute(node, 'leakyrelu_alpha', 0.2) } }, node.name);
    case 'Elu':
      return graph.op('Elu', [x], {}, node.name);
    case 'Sigmoid':
      return graph.op('Sigmoid', [x], {}, node.name);
    case 'Prelu': {
      if (slope?.kind !== 'constant') throw refuse(node, 'Prelu without constant slopes');
      const { tensor } = slope;
      const dims = tensor.dims.length === 1 ? [1, 1, ...tensor.dims] : tensor.dims;
      return graph.op('PRelu', [x, graph.constant(permuteTensor({ ...tensor, dims }, [2, 0, 1]))], {}, node.name);
    }
    default:
      throw refuse(node, `fused with ${activation}, which is not known here`);
  }
}

export const poolHandler: Handler = (c, node, inputs) => {
  refuseChannelsFirst(node);
  const window: Window = { kernel: pairOf(node, 'ksize'), strides: pairOf(node, 'strides'), dilations: [1, 1] };
  const isMax = node.op === 'MaxPool';
  // ONNX pads a maximum with −∞; exporters write the lowest float instead.
  const given = computed(c, inputs[0]);
  // A positive factor may as well be applied to the pooled values; a negative one turns a maximum into a minimum.
  const pooled = ((given.padding?.of ?? given).factor ?? 1) > 0 ? given : settle(c, given);
  const { x, pads, size, factor } = place(c, node, pooled, window, (value) => isMax && value <= -3e38);
  const attributes = { kernel_shape: window.kernel, strides: window.strides, pads };
  const name = factor === undefined ? node.name : `${node.name}/unscaled`;
  const value = c.graph.op(isMax ? 'MaxPool' : 'AveragePool', [x.value], attributes, name);
  return { ...like(x, value, { shape: [x.shape[0], ...size, x.shape[3]] }), factor };
};
