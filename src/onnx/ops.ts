/**
 * ONNX operators as methods, in the form of the builder's opset: one name an operator, axes and sizes as plain numbers.
 *
 * Anything not here is one call of `node` or `op` away.
 */

import type { Attributes } from './attributes.ts';
import { type DType, ELEMENT_TYPES } from './element-types.ts';
import { GraphBuilder } from './graph.ts';
import type { Value } from './value.ts';

export interface ConvOptions {
  /** [top, left, bottom, right] in pixels (default none). */
  readonly pads?: readonly number[];
  /** Default [1, 1]. */
  readonly strides?: readonly number[];
  /** Default [1, 1]. */
  readonly dilations?: readonly number[];
  /** Default 1; the number of channels makes a depthwise convolution. */
  readonly group?: number;
  readonly name?: string;
}

export interface PoolOptions {
  /** [height, width] in pixels. */
  readonly kernel: readonly number[];
  /** [top, left, bottom, right] in pixels (default none). */
  readonly pads?: readonly number[];
  /** Default [1, 1]. */
  readonly strides?: readonly number[];
}

export interface ResizeOptions {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  /** How an output pixel's place is found in the input; `asymmetric` is TensorFlow's legacy way. */
  readonly coordinates?: 'half_pixel' | 'pytorch_half_pixel' | 'align_corners' | 'asymmetric';
  /** Used by `nearest` only. */
  readonly nearest?: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';
}

export interface ReduceOptions {
  /** Whether the reduced axes stay with size 1 (default true, as in ONNX). */
  readonly keepDims?: boolean;
}

/** As many values as there are sizes. */
type Parts<Sizes extends readonly number[]> = { -readonly [I in keyof Sizes]: Value };

export class Graph extends GraphBuilder {
  matmul = (a: Value, b: Value): Value => this.op('MatMul', [a, b]);

  /** alpha · a · b + beta · c, with `transA` and `transB`; `c` may be left out. */
  gemm(a: Value, b: Value, c?: Value, attributes: Attributes = {}): Value {
    return this.op('Gemm', c ? [a, b, c] : [a, b], attributes);
  }

  add = (a: Value, b: Value): Value => this.op('Add', [a, b]);
  sub = (a: Value, b: Value): Value => this.op('Sub', [a, b]);
  mul = (a: Value, b: Value): Value => this.op('Mul', [a, b]);
  div = (a: Value, b: Value): Value => this.op('Div', [a, b]);
  mod = (a: Value, b: Value): Value => this.op('Mod', [a, b]);
  pow = (a: Value, b: Value): Value => this.op('Pow', [a, b]);
  min = (...values: Value[]): Value => this.op('Min', values);
  max = (...values: Value[]): Value => this.op('Max', values);
  sum = (...values: Value[]): Value => this.op('Sum', values);
  sqrt = (x: Value): Value => this.op('Sqrt', [x]);
  exp = (x: Value): Value => this.op('Exp', [x]);
  log = (x: Value): Value => this.op('Log', [x]);
  abs = (x: Value): Value => this.op('Abs', [x]);
  neg = (x: Value): Value => this.op('Neg', [x]);
  floor = (x: Value): Value => this.op('Floor', [x]);
  round = (x: Value): Value => this.op('Round', [x]);
  sign = (x: Value): Value => this.op('Sign', [x]);
  reciprocal = (x: Value): Value => this.op('Reciprocal', [x]);
  sigmoid = (x: Value): Value => this.op('Sigmoid', [x]);
  relu = (x: Value): Value => this.op('Relu', [x]);
  tanh = (x: Value): Value => this.op('Tanh', [x]);
  hardSwish = (x: Value): Value => this.op('HardSwish', [x]);
  leakyRelu = (x: Value, slope: number): Value => this.op('LeakyRelu', [x], { alpha: { float: slope } });
  hardSigmoid = (x: Value, alpha: number, beta: number): Value =>
    this.op('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: beta } });
  softmax = (x: Value, axis = -1): Value => this.op('Softmax', [x], { axis });
  logSoftmax = (x: Value, axis = -1): Value => this.op('LogSoftmax', [x], { axis });

  clip(x: Value, least: number | undefined, most: number | undefined): Value {
    const low = least === undefined ? undefined : this.scalar(least);
    return this.op('Clip', most === undefined ? [x, low] : [x, low, this.scalar(most)]);
  }

  equal = (a: Value, b: Value): Value => this.op('Equal', [a, b]);
  less = (a: Value, b: Value): Value => this.op('Less', [a, b]);
  greater = (a: Value, b: Value): Value => this.op('Greater', [a, b]);
  greaterOrEqual = (a: Value, b: Value): Value => this.op('GreaterOrEqual', [a, b]);
  not = (x: Value): Value => this.op('Not', [x]);
  and = (a: Value, b: Value): Value => this.op('And', [a, b]);
  or = (a: Value, b: Value): Value => this.op('Or', [a, b]);
  where = (condition: Value, yes: Value, no: Value): Value => this.op('Where', [condition, yes, no]);

  cast = (x: Value, to: DType): Value => this.op('Cast', [x], { to: ELEMENT_TYPES[to] });
  identity = (x: Value): Value => this.op('Identity', [x]);
  shape = (x: Value): Value => this.op('Shape', [x]);
  transpose = (x: Value, perm: readonly number[]): Value => this.op('Transpose', [x], { perm });

  /** Numbers as the shape (0 keeps a size, one −1 is worked out), or a value that holds it. */
  reshape(x: Value, shape: readonly number[] | Value): Value {
    return this.op('Reshape', [x, isList(shape) ? this.ints(shape) : shape]);
  }

  flatten = (x: Value, axis = 1): Value => this.op('Flatten', [x], { axis });
  expand = (x: Value, shape: readonly number[] | Value): Value =>
    this.op('Expand', [x, isList(shape) ? this.ints(shape) : shape]);
  tile = (x: Value, repeats: readonly number[]): Value => this.op('Tile', [x, this.ints(repeats)]);
  squeeze = (x: Value, axes: readonly number[]): Value => this.op('Squeeze', [x, this.ints(axes)]);
  unsqueeze = (x: Value, axes: readonly number[]): Value => this.op('Unsqueeze', [x, this.ints(axes)]);
  concat = (values: readonly Value[], axis: number): Value => this.op('Concat', values, { axis });

  /** Elements `start` up to but not including `end` (negative counts from the end) of the axes given. */
  slice(
    x: Value,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: number[],
  ): Value {
    const inputs = [x, this.ints(starts), this.ints(ends), this.ints(axes)];
    return this.op('Slice', steps ? [...inputs, this.ints(steps)] : inputs);
  }

  /** One part a size. */
  split<const Sizes extends readonly number[]>(x: Value, sizes: Sizes, axis: number): Parts<Sizes> {
    return this.node('Split', [x, this.ints(sizes)], { axis }, { outputs: sizes.length }) as Parts<Sizes>;
  }

  gather = (x: Value, indices: Value, axis = 0): Value => this.op('Gather', [x, indices], { axis });
  gatherElements = (x: Value, indices: Value, axis = 0): Value => this.op('GatherElements', [x, indices], { axis });
  gatherND = (x: Value, indices: Value, batchDims = 0): Value =>
    this.op('GatherND', [x, indices], { batch_dims: batchDims });

  oneHot(indices: Value, depth: Value, axis = -1): Value {
    const values = this.concat([this.unsqueeze(this.scalar(0), [0]), this.unsqueeze(this.scalar(1), [0])], 0);
    return this.op('OneHot', [indices, depth, values], { axis });
  }

  argMax = (x: Value, axis: number, keepDims = false): Value =>
    this.op('ArgMax', [x], { axis, keepdims: keepDims, select_last_index: 0 });
  argMin = (x: Value, axis: number, keepDims = false): Value =>
    this.op('ArgMin', [x], { axis, keepdims: keepDims, select_last_index: 0 });

  /** The k largest along an axis, largest first (equal ones in order of index), and their int64 indices. */
  topK(x: Value, k: number | Value, axis = -1, largest = true): [values: Value, indices: Value] {
    const count = typeof k === 'number' ? this.ints([k]) : k;
    return this.node('TopK', [x, count], { axis, largest, sorted: 1 }, { outputs: 2 }) as [Value, Value];
  }

  reduceSum = (x: Value, axes: readonly number[], o?: ReduceOptions): Value => this.#reduce('ReduceSum', x, axes, o);
  reduceMean = (x: Value, axes: readonly number[], o?: ReduceOptions): Value => this.#reduce('ReduceMean', x, axes, o);
  reduceMax = (x: Value, axes: readonly number[], o?: ReduceOptions): Value => this.#reduce('ReduceMax', x, axes, o);
  reduceMin = (x: Value, axes: readonly number[], o?: ReduceOptions): Value => this.#reduce('ReduceMin', x, axes, o);
  reduceL2 = (x: Value, axes: readonly number[], o?: ReduceOptions): Value => this.#reduce('ReduceL2', x, axes, o);
  reduceSumSquare = (x: Value, axes: readonly number[], o?: ReduceOptions): Value =>
    this.#reduce('ReduceSumSquare', x, axes, o);

  #reduce(op: string, x: Value, axes: readonly number[], options: ReduceOptions = {}): Value {
    return this.op(op, [x, this.ints(axes)], { keepdims: options.keepDims ?? true });
  }

  /** `x` [n, c, h, w], `weights` [m, c / group, kh, kw], `bias` [m] or none. */
  conv(x: Value, weights: Value, bias?: Value, options: ConvOptions = {}): Value {
    const { pads, strides, dilations, group, name } = options;
    return this.op('Conv', bias ? [x, weights, bias] : [x, weights], { pads, strides, dilations, group }, name);
  }

  maxPool(x: Value, { kernel, pads, strides }: PoolOptions): Value {
    return this.op('MaxPool', [x], { kernel_shape: kernel, pads, strides });
  }

  averagePool(x: Value, { kernel, pads, strides }: PoolOptions): Value {
    return this.op('AveragePool', [x], { kernel_shape: kernel, pads, strides, count_include_pad: 0 });
  }

  globalAveragePool = (x: Value): Value => this.op('GlobalAveragePool', [x]);

  /** Zeros (or `value`) before and after each axis: [before…, after…]. */
  pad(x: Value, pads: readonly number[], value?: number): Value {
    const inputs = [x, this.ints(pads)];
    return this.op('Pad', value === undefined ? inputs : [...inputs, this.scalar(value)]);
  }

  /** To `sizes`, one number an axis. */
  resize(x: Value, sizes: readonly number[], { mode, coordinates, nearest }: ResizeOptions): Value {
    return this.op('Resize', [x, undefined, undefined, this.ints(sizes)], {
      mode,
      coordinate_transformation_mode: coordinates,
      nearest_mode: nearest,
    });
  }

  /** Indices [n, 3] (batch, class, box) of what is left of boxes [b, n, 4] (xyxy) with scores [b, c, n]. */
  nonMaxSuppression(boxes: Value, scores: Value, most: Value, iou: Value, least: Value): Value {
    return this.op('NonMaxSuppression', [boxes, scores, most, iou, least], { center_point_box: 0 });
  }
}

/** `Array.isArray` that also narrows read-only arrays. */
function isList(value: readonly number[] | Value): value is readonly number[] {
  return Array.isArray(value);
}
