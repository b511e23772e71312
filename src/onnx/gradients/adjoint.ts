/**
 * What the adjoints of operators share. An adjoint is a function from the gradients of a node's outputs to those of its
 * inputs, which it adds to the graph as nodes; it computes only what somebody wants. Sizes are numbers here: a graph that
 * is differentiated is built for one batch size.
 */
import { LabelsmithError } from '../../errors.ts';
import type { TypedNode } from '../graph.ts';
import type { Graph } from '../ops.ts';
import { float32, type NumericDType, sizeOf, tensor } from '../tensor.ts';
import type { Value } from '../value.ts';

export interface AdjointContext extends TypedNode {
  readonly graph: Graph;
  /** Of the outputs, in their order; undefined where the loss does not depend on one. */
  readonly gradients: readonly (Value | undefined)[];
  /** Whether anybody asks for the gradient of that input. */
  wants(input: number): boolean;
}

/** Gradients of the inputs, in their order; undefined for those that nobody wants. */
export type Adjoint = (c: AdjointContext) => readonly (Value | undefined)[];

/** Why a node has no gradient although its operator has an adjoint: the node counts as one without. */
export class NoAdjoint extends Error {}

/** An input that the operator cannot do without. */
export function given(c: AdjointContext, input: number): Value {
  const value = c.inputs[input];
  if (!value) throw new NoAdjoint(`input ${input} is not given`);
  return value;
}

export function result(c: AdjointContext, output = 0): Value {
  const value = c.outputs[output];
  if (!value) throw new NoAdjoint(`output ${output} is not there`);
  return value;
}

/** The gradient of the only output that matters. */
export function incoming(c: AdjointContext, output = 0): Value {
  const value = c.gradients[output];
  if (!value) throw new NoAdjoint(`output ${output} has no gradient`);
  return value;
}

/** The sizes of a value, all of them known. */
export function sizesOf({ name, shape }: Value): readonly number[] {
  if (!shape?.every((size): size is number => typeof size === 'number')) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `the shape of ${name} is not known before the graph runs: [${shape ?? '?'}]`,
      {
        hint: 'Only graphs with fixed sizes are differentiated.',
      },
    );
  }
  return shape;
}

/** Elements of a short list or a scalar that is known before the graph runs. */
export function knownNumbers(c: AdjointContext, input: number): readonly number[] {
  const value = given(c, input);
  const numbers = value.elements ?? c.graph.constantOf(value)?.data;
  if (!numbers) throw new NoAdjoint(`what input ${input} holds is not known before the graph runs`);
  return Array.from(numbers, Number);
}

/** A scalar in the element type of another value. */
export function scalarLike(graph: Graph, { dtype }: Value, number: number): Value {
  if (dtype === 'float32' || dtype === 'float64') return graph.scalar(number, dtype);
  throw new NoAdjoint(`numbers of ${dtype} have no gradient`);
}

/** A constant in the element type of another value. */
export function constantLike(
  graph: Graph,
  { dtype }: Value,
  numbers: ArrayLike<number>,
  dims: readonly number[],
): Value {
  const data = dtype === 'float64' ? Float64Array.from(numbers) : undefined;
  return graph.constant(data ? tensor('float64', data, dims) : float32(numbers, dims), 'adjoint');
}

/** Zeros in the type and shape of a value. */
export function zerosLike(graph: Graph, value: Value): Value {
  const dims = sizesOf(value);
  const shape = graph.ints(dims);
  const data = value.dtype === 'float64' ? new Float64Array(1) : new Float32Array(1);
  return graph.op('ConstantOfShape', [shape], { value: { tensor: tensor(value.dtype as NumericDType, data, [1]) } });
}

/** The transpose of stretching: sums over what was stretched to the gradient's shape from `shape`. */
export function sumTo(graph: Graph, gradient: Value, shape: readonly number[]): Value {
  const from = sizesOf(gradient);
  const lead = from.length - shape.length;
  const axes = from.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []));
  if (axes.length === 0) return gradient;
  return reshaped(graph, graph.reduceSum(gradient, axes), shape);
}

/** A reshape that is left out where it changes nothing. */
export function reshaped(graph: Graph, value: Value, shape: readonly number[]): Value {
  const from = value.shape;
  if (from?.length === shape.length && shape.every((size, axis) => size === from[axis])) return value;
  return graph.reshape(value, shape);
}

/** The axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function number(c: AdjointContext, name: string, otherwise: number): number {
  const value = c.attributes[name];
  return typeof value === 'number' ? value : otherwise;
}

export function text(c: AdjointContext, name: string, otherwise: string): string {
  const value = c.attributes[name];
  return typeof value === 'string' ? value : otherwise;
}

export function numbers(c: AdjointContext, name: string): readonly number[] | undefined {
  const value = c.attributes[name];
  return Array.isArray(value) && value.every((one): one is number => typeof one === 'number') ? value : undefined;
}

/** Numbers from an attribute or, as newer opsets have it, from an input; undefined where neither is given. */
export function listed(c: AdjointContext, name: string, input: number): readonly number[] | undefined {
  return numbers(c, name) ?? (c.inputs[input] ? knownNumbers(c, input) : undefined);
}

export function elementCount(value: Value): number {
  return sizeOf(sizesOf(value));
}
