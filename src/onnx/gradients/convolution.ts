/**
 * The adjoint of a convolution in two dimensions, in the forms that ONNX Runtime runs fast on processors (measured at 16
 * images, one thread):
 * - input: a transposed convolution (75 to 175 GFLOP/s); for depthwise ones of stride 1 a convolution with the kernel
 *   turned round, which takes two thirds of the time
 * - weights: the windows side by side as the columns of a matrix, times the outputs (85 to 200 GFLOP/s, three times the
 *   convolution with the axes exchanged); for depthwise ones and for images of a few channels a convolution in which
 *   images and channels, strides and dilations have changed places
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
  if (single && depthwise && sizesOf(x)[1] === sizesOf(dy)[1]) {
    const around = pads.map((pad, i) => at(reach, i % 2) - pad);
    if (around.every((pad) => pad >= 0)) {
      return graph.conv(dy, turnedRound(graph, weights), undefined, { pads: around, dilations, group });
    }
  }
  return transposedConvolution(graph, { dy, weights, image: sizesOf(x).slice(2), windows });
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
  return byWindowsMatrix(sides, windows);
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

/** [outputs, n · places] times [n · places, kernel · channels], once a group. */
function byWindowsMatrix({ graph, x, weights, dy }: Sides, windows: Windows): Value {
  const { kernel, group } = windows;
  const [outputs = 1, channels = 1, kh = 1, kw = 1] = sizesOf(weights);
  const [n = 1, , rows = 1, columns = 1] = sizesOf(dy);
  const places = n * rows * columns;
  const shifts = shiftedImages(graph, x, windows, [rows, columns]);
  const perGroup = outputs / group;
  const left = graph.reshape(graph.transpose(dy, [1, 0, 2, 3]), [group, perGroup, places]);
  const cells = kernel.reduce((a, b) => a * b, 1);
  // [n, kernel, group, channels, rows, columns] → [group, kernel · channels, places].
  const stacked = graph.reshape(shifts.length === 1 ? (shifts[0] ?? x) : graph.concat(shifts, 1), [
    ...[n, cells, group, channels],
    ...[rows, columns],
  ]);
  const right = graph.reshape(graph.transpose(stacked, [2, 1, 3, 0, 4, 5]), [group, cells * channels, places]);
  const product =
    group === 1
      ? graph.gemm(
          graph.reshape(left, [perGroup, places]),
          graph.reshape(right, [cells * channels, places]),
          undefined,
          { transB: 1 },
        )
      : graph.matmul(left, graph.transpose(right, [0, 2, 1]));
  const split = graph.reshape(product, [outputs, kh, kw, channels]);
  return cells === 1 ? graph.reshape(split, [outputs, channels, kh, kw]) : graph.transpose(split, [0, 3, 1, 2]);
}

/** The image as each cell of the kernel sees it: [n, channels, rows, columns] each. */
function shiftedImages(graph: Graph, x: Value, windows: Windows, out: readonly number[]): Value[] {
  const { kernel, pads, strides, dilations } = windows;
  const padded = pads.some((pad) => pad > 0)
    ? graph.pad(x, [0, 0, at(pads, 0), at(pads, 1), 0, 0, at(pads, 2), at(pads, 3)])
    : x;
  const shifts: Value[] = [];
  for (let i = 0; i < at(kernel, 0); i++) {
    for (let j = 0; j < at(kernel, 1); j++) {
      const starts = [i * at(dilations, 0), j * at(dilations, 1)];
      const ends = starts.map((start, axis) => start + (at(out, axis) - 1) * at(strides, axis) + 1);
      const whole = sizesOf(padded)
        .slice(2)
        .every((size, axis) => starts[axis] === 0 && ends[axis] === size && strides[axis] === 1);
      shifts.push(whole ? padded : graph.slice(padded, starts, ends, [2, 3], [...strides]));
    }
  }
  return shifts;
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
