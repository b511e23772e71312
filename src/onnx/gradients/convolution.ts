/**
 * The adjoint of a convolution in two dimensions, in the forms that ONNX Runtime runs fast on processors (measured at 16
 * images, one thread):
 * - input: for strides of 1 a convolution with the kernel turned round, in .7 to .9 of the time of a transposed convolution,
 *   which is what other strides get
 * - weights: a cell of the kernel after the other, the image as that cell sees it times the outputs, in .6 to .9 of the time
 *   of one product with all cells side by side, and without a matrix of the size of the kernel times the image; for depthwise
 *   ones and for images of a few channels a convolution in which images and channels, strides and dilations have changed places
 * - bias: a sum.
 */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  given,
  incoming,
  NoAdjoint,
  number,
  numbers,
  reshaped,
  sizesOf,
  text,
} from './adjoint.ts';

/** With fewer input channels than this the windows' matrix costs more memory traffic than its product saves. */
const FEW_CHANNELS = 8;

interface Windows {
  readonly kernel: readonly number[];
  /** [top, left, bottom, right]. */
  readonly pads: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly group: number;
}

interface Sides {
  readonly graph: Graph;
  /** [n, channels, height, width]. */
  readonly x: Value;
  /** [outputs, channels / group, kernel height, kernel width]. */
  readonly weights: Value;
  /** [n, outputs, rows, columns]. */
  readonly dy: Value;
}

const conv: Adjoint = (c) => {
  const sides = { graph: c.graph, x: given(c, 0), weights: given(c, 1), dy: incoming(c) };
  if (sizesOf(sides.x).length !== 4) throw new NoAdjoint('only convolutions of images are differentiated');
  const windows = windowsOf(c);
  const depthwise = windows.group > 1 && sizesOf(sides.weights)[1] === 1;
  return [
    c.wants(0) ? inputGradient(sides, windows, depthwise) : undefined,
    c.wants(1) ? weightGradient(sides, windows, depthwise) : undefined,
    c.inputs[2] && c.wants(2) ? c.graph.reduceSum(sides.dy, [0, 2, 3], { keepDims: false }) : undefined,
  ];
};

/** How the windows of a convolution or a pool lie, automatic padding worked out. */
export function windowsOf(c: AdjointContext, kernelShape?: readonly number[]): Windows {
  const kernel = kernelShape ?? sizesOf(given(c, 1)).slice(2);
  const strides = numbers(c, 'strides') ?? kernel.map(() => 1);
  const dilations = numbers(c, 'dilations') ?? kernel.map(() => 1);
  const image = sizesOf(given(c, 0)).slice(2);
  const out = sizesOf(incoming(c)).slice(2);
  const automatic = text(c, 'auto_pad', 'NOTSET');
  let pads = numbers(c, 'pads') ?? [...kernel, ...kernel].map(() => 0);
  if (automatic.startsWith('SAME')) {
    const whole = kernel.map((size, i) =>
      Math.max(0, (at(out, i) - 1) * at(strides, i) + (size - 1) * at(dilations, i) + 1 - at(image, i)),
    );
    const less = whole.map((size) => Math.floor(size / 2));
    const more = whole.map((size, i) => size - at(less, i));
    pads = automatic === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
  } else if (automatic === 'VALID') pads = pads.map(() => 0);
  return { kernel, pads, strides, dilations, group: number(c, 'group', 1) };
}

function inputGradient({ graph, x, weights, dy }: Sides, windows: Windows, depthwise: boolean): Value {
  const { kernel, pads, strides, dilations, group } = windows;
  const single = strides.every((stride) => stride === 1);
  const reach = kernel.map((size, i) => (size - 1) * at(dilations, i));
  const around = pads.map((pad, i) => at(reach, i % 2) - pad);
  const isPoint = kernel.every((size) => size === 1);
  const asConvolution = single && !isPoint && around.every((pad) => pad >= 0);
  if (asConvolution && (!depthwise || sizesOf(x)[1] === sizesOf(dy)[1])) {
    const turned = turnedRound(graph, weights);
    const exchanged = depthwise ? turned : exchangedChannels(graph, turned, group);
    return graph.conv(dy, exchanged, undefined, { pads: around, dilations, group });
  }
  return transposedConvolution(graph, { dy, weights, image: sizesOf(x).slice(2), windows });
}

/** [group · outputs, channels, …kernel] → [group · channels, outputs, …kernel]. */
function exchangedChannels(graph: Graph, weights: Value, group: number): Value {
  const [outputs = 1, channels = 1, ...kernel] = sizesOf(weights);
  if (group === 1) return graph.transpose(weights, [1, 0, 2, 3]);
  const groups = graph.reshape(weights, [group, outputs / group, channels, ...kernel]);
  return graph.reshape(graph.transpose(groups, [0, 2, 1, 3, 4]), [group * channels, outputs / group, ...kernel]);
}

/** @param image height and width of what comes out */
export function transposedConvolution(
  graph: Graph,
  { dy, weights, image, windows }: { dy: Value; weights: Value; image: readonly number[]; windows: Windows },
): Value {
  const { kernel, pads, strides, dilations, group } = windows;
  const out = sizesOf(dy).slice(2);
  // What the last window did not reach.
  const rest = kernel.map(
    (size, i) =>
      at(image, i) -
      ((at(out, i) - 1) * at(strides, i) + (size - 1) * at(dilations, i) + 1 - at(pads, i) - at(pads, i + 2)),
  );
  const fits = rest.every((size, i) => size >= 0 && size < Math.max(at(strides, i), at(dilations, i)));
  const attributes = { pads, strides, dilations, group, kernel_shape: kernel };
  if (fits) return graph.op('ConvTranspose', [dy, weights], { ...attributes, output_padding: rest });
  const part = graph.op('ConvTranspose', [dy, weights], attributes);
  return graph.pad(part, [0, 0, 0, 0, 0, 0, at(rest, 0), at(rest, 1)]);
}

function turnedRound(graph: Graph, weights: Value): Value {
  const end = Number.MIN_SAFE_INTEGER;
  return graph.slice(weights, [-1, -1], [end, end], [2, 3], [-1, -1]);
}

function weightGradient(sides: Sides, windows: Windows, depthwise: boolean): Value {
  if (depthwise) return byImagesAsGroups(sides, windows);
  const channels = sizesOf(sides.weights)[1] ?? 1;
  if (windows.group === 1 && channels < FEW_CHANNELS) return byExchange(sides, windows);
  return byCells(sides, windows);
}

/** Every channel of every image is a group of its own, and its outputs are the kernel. */
function byImagesAsGroups({ graph, x, weights, dy }: Sides, windows: Windows): Value {
  const { pads, strides, dilations, kernel } = windows;
  const [n = 1, channels = 1, ...image] = sizesOf(x);
  const [, outputs = 1, ...out] = sizesOf(dy);
  const times = outputs / channels;
  const one = graph.conv(
    graph.reshape(x, [1, n * channels, ...image]),
    graph.reshape(dy, [n * outputs, 1, ...out]),
    undefined,
    { pads, strides: dilations, dilations: strides, group: n * channels },
  );
  const cut = cutTo(graph, one, kernel);
  const each = graph.reshape(cut, [n, channels * times, ...kernel]);
  return graph.reshape(graph.reduceSum(each, [0]), sizesOf(weights));
}

function byExchange({ graph, x, dy }: Sides, { pads, strides, dilations, kernel }: Windows): Value {
  const exchange = (value: Value) => graph.transpose(value, [1, 0, 2, 3]);
  const all = graph.conv(exchange(x), exchange(dy), undefined, { pads, strides: dilations, dilations: strides });
  return exchange(cutTo(graph, all, kernel));
}

/** Of each cell of the kernel, [outputs, n · places] times [n · places, channels], once a group. */
function byCells({ graph, x, weights, dy }: Sides, windows: Windows): Value {
  const { group } = windows;
  const dims = sizesOf(weights);
  const [outputs = 1, channels = 1] = dims;
  const [n = 1, , rows = 1, columns = 1] = sizesOf(dy);
  const places = n * rows * columns;
  const left = graph.reshape(graph.transpose(dy, [1, 0, 2, 3]), [group, outputs / group, places]);
  const products = seenByCells(graph, x, windows, [rows, columns]).map((seen) => {
    const right = graph.reshape(seen, [group, channels, places]);
    const product =
      group === 1
        ? graph.gemm(reshaped(graph, left, [outputs, places]), reshaped(graph, right, [channels, places]), undefined, {
            transB: 1,
          })
        : graph.matmul(left, graph.transpose(right, [0, 2, 1]));
    return graph.reshape(product, [outputs, channels, 1]);
  });
  const [only] = products;
  return graph.reshape(products.length === 1 && only ? only : graph.concat(products, 2), dims);
}

/** The image as each cell of the kernel sees it: [channels, n, rows, columns] each. */
function seenByCells(graph: Graph, x: Value, windows: Windows, out: readonly number[]): Value[] {
  const { kernel, pads, strides, dilations } = windows;
  const padded = pads.some((pad) => pad > 0)
    ? graph.pad(x, [0, 0, at(pads, 0), at(pads, 1), 0, 0, at(pads, 2), at(pads, 3)])
    : x;
  const planes = graph.transpose(padded, [1, 0, 2, 3]);
  const seen: Value[] = [];
  for (let i = 0; i < at(kernel, 0); i++) {
    for (let j = 0; j < at(kernel, 1); j++) {
      const starts = [i * at(dilations, 0), j * at(dilations, 1)];
      const ends = starts.map((start, axis) => start + (at(out, axis) - 1) * at(strides, axis) + 1);
      const isWhole = sizesOf(planes)
        .slice(2)
        .every((size, axis) => starts[axis] === 0 && ends[axis] === size && strides[axis] === 1);
      seen.push(isWhole ? planes : graph.slice(planes, starts, ends, [2, 3], [...strides]));
    }
  }
  return seen;
}

/** What of a longer correlation belongs to the kernel. */
function cutTo(graph: Graph, value: Value, kernel: readonly number[]): Value {
  const [rows, columns] = sizesOf(value).slice(2);
  if (rows === kernel[0] && columns === kernel[1]) return value;
  return graph.slice(value, [0, 0], [...kernel], [2, 3]);
}

function at(list: readonly number[], i: number): number {
  return list[i] ?? 0;
}

export const CONVOLUTION: Readonly<Record<string, Adjoint>> = { Conv: conv };
