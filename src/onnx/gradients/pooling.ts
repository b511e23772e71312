/** Adjoints of pools and of resizing. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  constantLike,
  elementCount,
  given,
  incoming,
  NoAdjoint,
  number,
  numbers,
  scalarLike,
  sizesOf,
  text,
  zerosLike,
} from './adjoint.ts';
import { transposedConvolution, windowsOf } from './convolution.ts';
import { resizeMatrix } from './resize-matrix.ts';

const globalAveragePool: Adjoint = (c) => {
  const sizes = sizesOf(given(c, 0));
  const places = sizes.slice(2).reduce((a, b) => a * b, 1);
  const share = c.graph.mul(incoming(c), scalarLike(c.graph, incoming(c), 1 / places));
  return [c.graph.expand(share, sizes)];
};

/** Each output is shared among the places of its window that count. */
const averagePool: Adjoint = (c) => {
  const { graph } = c;
  const [n = 1, channels = 1, ...image] = sizesOf(given(c, 0));
  const windows = windowsOf(c, numbers(c, 'kernel_shape'));
  const { kernel } = windows;
  const out = sizesOf(incoming(c)).slice(2);
  const ones = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const counted = number(c, 'count_include_pad', 0) === 1;
  const share = countOfWindows(image, out, windows, counted).map((count) => 1 / count);
  const dy = graph.mul(incoming(c), constantLike(graph, incoming(c), share, [1, 1, ...out]));
  // One plane a channel: the transposed convolution need not know of channels.
  const planes = graph.reshape(dy, [n * channels, 1, ...out]);
  const weights = constantLike(graph, dy, new Float32Array(ones(kernel)).fill(1), [1, 1, ...kernel]);
  return [
    graph.reshape(transposedConvolution(graph, { dy: planes, weights, image, windows }), [n, channels, ...image]),
  ];
};

/** How many places each window counts: rows × columns. */
function countOfWindows(
  image: readonly number[],
  out: readonly number[],
  { kernel, pads, strides, dilations }: ReturnType<typeof windowsOf>,
  padsCount: boolean,
): number[] {
  const along = (axis: number) =>
    Array.from({ length: out[axis] ?? 1 }, (_, place) => {
      const first = place * (strides[axis] ?? 1) - (pads[axis] ?? 0);
      const [least, most] = padsCount
        ? [-(pads[axis] ?? 0), (image[axis] ?? 1) + (pads[axis + 2] ?? 0)]
        : [0, image[axis] ?? 1];
      let count = 0;
      for (let i = 0; i < (kernel[axis] ?? 1); i++) {
        const at = first + i * (dilations[axis] ?? 1);
        if (at >= least && at < most) count++;
      }
      return count;
    });
  const [rows, columns] = [along(0), along(1)];
  return rows.flatMap((row) => columns.map((column) => row * column));
}

/** To the place that was the largest, which the pool tells when it is asked once more. */
const maxPool: Adjoint = (c) => {
  const { graph } = c;
  const x = given(c, 0);
  const attributes = {
    kernel_shape: numbers(c, 'kernel_shape'),
    pads: numbers(c, 'pads'),
    strides: numbers(c, 'strides'),
    dilations: numbers(c, 'dilations'),
    ceil_mode: number(c, 'ceil_mode', 0),
    auto_pad: text(c, 'auto_pad', 'NOTSET'),
  };
  const [, indices] = graph.node('MaxPool', [x], attributes, { outputs: 2 });
  if (!indices) throw new NoAdjoint('its indices are not there');
  return [scattered(graph, x, incoming(c), indices)];
};

/** Zeros of the shape of `x` with `values` added at flat `indices`. */
function scattered(graph: Graph, x: Value, values: Value, indices: Value): Value {
  const flat = graph.reshape(zerosLike(graph, x), [elementCount(x)]);
  const [at, what] = [graph.reshape(indices, [-1]), graph.reshape(values, [-1])];
  const sum = graph.op('ScatterElements', [flat, at, what], { axis: 0, reduction: 'add' });
  return graph.reshape(sum, sizesOf(x));
}

/** Resizing is a product with a matrix along each axis of the image, and its adjoint that with the matrix turned. */
const resize: Adjoint = (c) => {
  const { graph } = c;
  const from = sizesOf(given(c, 0));
  const to = sizesOf(incoming(c));
  if (from.length !== 4 || from[0] !== to[0] || from[1] !== to[1])
    throw new NoAdjoint('it resizes other axes than an image');
  const matrix = (axis: number) =>
    resizeMatrix(from[axis] ?? 1, to[axis] ?? 1, {
      mode: text(c, 'mode', 'nearest'),
      coordinates: text(c, 'coordinate_transformation_mode', 'half_pixel'),
      nearest: text(c, 'nearest_mode', 'round_prefer_floor'),
      cubic: number(c, 'cubic_coeff_a', -0.75),
      excludeOutside: number(c, 'exclude_outside', 0) === 1,
      antialias: number(c, 'antialias', 0) === 1,
      scale: scaleOf(c, axis),
    });
  let gradient = incoming(c);
  if (from[3] !== to[3]) {
    const columns = constantLike(graph, gradient, matrix(3), [to[3] ?? 1, from[3] ?? 1]);
    gradient = graph.matmul(gradient, columns);
  }
  if (from[2] !== to[2]) {
    const rows = constantLike(graph, gradient, matrix(2), [to[2] ?? 1, from[2] ?? 1]);
    gradient = graph.matmul(graph.transpose(rows, [1, 0]), gradient);
  }
  return [gradient];
};

/** The scale that is asked for, which need not be the ratio of the sizes; undefined where sizes are. */
function scaleOf({ inputs }: AdjointContext, axis: number): number | undefined {
  const scale = inputs[2]?.elements?.[axis];
  return inputs[3] === undefined && typeof scale === 'number' ? scale : undefined;
}

export const POOLING: Readonly<Record<string, Adjoint>> = {
  GlobalAveragePool: globalAveragePool,
  AveragePool: averagePool,
  MaxPool: maxPool,
  Resize: resize,
};
