/**
 * Values during a conversion, with their layout as a note instead of as data movement.
 *
 * A converted graph computes in NCHW while the model it came from speaks NHWC. An operand knows its shape as the model
 * sees it and the order in which its axes lie in memory. A transposition changes the note alone; axes are really moved
 * only where an operator cannot be told another order.
 */

import type { Graph } from '../../onnx/ops.ts';
import { type NumericDType, newArray, sizeOf, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';

export interface Computed {
  readonly kind: 'computed';
  readonly value: Value;
  readonly dtype: NumericDType;
  /** As the model sees it. */
  readonly shape: readonly number[];
  /** Axis i in memory is axis `order[i]` of `shape`. */
  readonly order: readonly number[];
  /** Padding that is not applied yet, so that the next convolution or pool can take it over. */
  readonly padding?: Padding;
  /** A factor that is not applied yet (default 1), so that the next convolution's weights can take it over. */
  readonly factor?: number;
  /** The same value times a factor at no cost: what a convolution that is read once offers, by its weights. */
  readonly rescaled?: (factor: number) => Computed;
}

export interface Padding {
  /** Elements before and after each axis of the padded shape, as the model sees it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
  /** The operand without it. */
  readonly of: Computed;
}

export interface Constant {
  readonly kind: 'constant';
  /** In the model's own layout. */
  readonly tensor: Tensor;
}

export type Operand = Computed | Constant;

export const NCHW_OF_NHWC: readonly number[] = [0, 3, 1, 2];

export function shapeOf(operand: Operand): readonly number[] {
  return operand.kind === 'constant' ? operand.tensor.dims : operand.shape;
}

export function dtypeOfOperand(operand: Operand): NumericDType {
  return operand.kind === 'constant' ? operand.tensor.dtype : operand.dtype;
}

export function identity(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

export function sameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** The result of an operator that keeps its input's layout. What the input had yet to be applied is not handed on. */
export function like(
  x: Computed,
  value: Value,
  change: Partial<Pick<Computed, 'dtype' | 'shape' | 'order'>> = {},
): Computed {
  return { kind: 'computed', value, dtype: x.dtype, shape: x.shape, order: x.order, ...change };
}

/** Where the model's axis lies in memory. */
export function axisInMemory(x: Computed, axis: number): number {
  return x.order.indexOf(axis < 0 ? axis + x.shape.length : axis);
}

/** What the model calls a transposition: only the note changes. New axis j is the old axis `perm[j]`. */
export function transposed(x: Computed, perm: readonly number[]): Computed {
  const pick = (list: readonly number[]) => perm.map((axis) => list[axis]);
  const order = x.order.map((axis) => perm.indexOf(axis));
  const turned: Computed = { ...x, shape: pick(x.shape), order, padding: undefined };
  if (!x.padding) return turned;
  const { before, after, value, of } = x.padding;
  return { ...turned, padding: { before: pick(before), after: pick(after), value, of: transposed(of, perm) } };
}

export interface Layouts {
  readonly graph: Graph;
  /** Applied padding and factors and moved axes, once a value however often they are asked for. */
  readonly settled: Map<string, Value>;
}

/** The operand with its padding and its factor applied. */
export function settle({ graph, settled }: Layouts, x: Computed): Computed {
  if (x.padding) {
    const { before, after, value } = x.padding;
    const of = settle({ graph, settled }, x.padding.of);
    const pads = [...of.order.map((axis) => before[axis]), ...of.order.map((axis) => after[axis])];
    const padded = once(settled, `pad ${of.value.name} ${pads} ${value}`, () => graph.pad(of.value, pads, value));
    return like(of, padded, { shape: x.shape });
  }
  if (x.factor === undefined) return x;
  const factor = graph.scalar(x.factor);
  return like(
    x,
    once(settled, `scale ${x.value.name} ${x.factor}`, () => graph.mul(x.value, factor)),
  );
}

function once(settled: Map<string, Value>, key: string, make: () => Value): Value {
  const value = settled.get(key) ?? make();
  settled.set(key, value);
  return value;
}

/** The value in memory in `order` (of the model's axes): moved if it lies otherwise. */
export function inOrder(layouts: Layouts, operand: Operand, order: readonly number[]): Value {
  const { graph, settled } = layouts;
  if (operand.kind === 'constant') return graph.constant(permuteTensor(operand.tensor, order));
  const x = settle(layouts, operand);
  if (sameOrder(x.order, order)) return x.value;
  const perm = order.map((axis) => x.order.indexOf(axis));
  return once(settled, `move ${x.value.name} ${perm}`, () => graph.transpose(x.value, perm));
}

/** The value laid out as the model sees it. */
export function asSeen(layouts: Layouts, operand: Operand): Value {
  return inOrder(layouts, operand, identity(shapeOf(operand).length));
}

/** The tensor with axis i of the result being axis `order[i]` of the given one. */
export function permuteTensor(x: Tensor, order: readonly number[]): Tensor {
  if (order.every((axis, i) => axis === i)) return x;
  const dims = order.map((axis) => x.dims[axis]);
  const strides = new Array<number>(x.dims.length).fill(1);
  for (let i = x.dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * x.dims[i + 1];
  const steps = order.map((axis) => strides[axis]);
  const data = newArray(x.dtype, sizeOf(dims));
  const index = dims.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = x.data[from];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis] + 1;
      from += steps[axis];
      if (index[axis] < dims[axis]) break;
      from -= steps[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return { dtype: x.dtype, dims, data };
}

/** NumPy's rule: shapes aligned at the end, sizes of 1 stretched. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], i: number) => shape[i - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
}
