/** Element by element, along axes, and products: TensorFlow's arithmetic in ONNX. */

import type { Attributes } from '../../onnx/attributes.ts';
import { type NumericDType, numbersOf, sizeOf, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import {
  asSeen,
  axisInMemory,
  broadcastShape,
  type Computed,
  type Constant,
  dtypeOfOperand,
  identity,
  inOrder,
  like,
  type Operand,
  permuteTensor,
  settle,
  shapeOf,
} from './operand.ts';
import {
  type Conversion,
  computed,
  constantOf,
  firstOf,
  type Handler,
  onlyOne,
  refuse,
  squeezed,
} from './tfjs-conversion.ts';
import { boolAttribute, floatAttribute, type TfNode, typeAttribute } from './tfjs-model.ts';

/** One value in, one of the same shape out. */
export const unary =
  (op: string, attributes: (node: TfNode) => Attributes = () => ({})): Handler =>
  (c, node, inputs) => {
    const x = firstOf(c, inputs);
    return like(x, c.graph.op(op, [x.value], attributes(node), node.name));
  };

/** Constant operands of a small calculation, done at once. */
const FOLDED: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

function fold(op: string, a: Tensor, b: Tensor): Constant | undefined {
  const apply = FOLDED[op];
  const [x, y] = [numbersOf(a), numbersOf(b)];
  if (!apply || (x.length !== y.length && x.length !== 1 && y.length !== 1)) return undefined;
  const dims = x.length >= y.length ? a.dims : b.dims;
  const numbers = Array.from({ length: sizeOf(dims) }, (_, i) =>
    apply(x[x.length === 1 ? 0 : i], y[y.length === 1 ? 0 : i]),
  );
  const whole = a.dtype === 'int32';
  const data = whole ? Int32Array.from(numbers, Math.trunc) : Float32Array.from(numbers);
  return { kind: 'constant', tensor: { dtype: whole ? 'int32' : 'float32', dims, data } };
}

/** Both operands in one layout: constants are moved now, the second of two computed ones while the graph runs. */
function aligned(c: Conversion, a: Operand, b: Operand): { like: Computed; values: [Value, Value]; shape: number[] } {
  const shape = broadcastShape(shapeOf(a), shapeOf(b));
  const rank = shape.length;
  const lead = [a, b].find((one) => one.kind === 'computed' && one.shape.length === rank) as Computed | undefined;
  const base = lead ? settle(c, lead) : settle(c, computed(c, a));
  const order = lead ? base.order : identity(rank);
  const bring = (operand: Operand): Value => {
    const missing = rank - shapeOf(operand).length;
    if (operand.kind === 'constant') {
      const { tensor } = operand;
      if (sizeOf(tensor.dims) === 1) return c.graph.constant({ ...tensor, dims: [] });
      return c.graph.constant(
        permuteTensor({ ...tensor, dims: [...new Array(missing).fill(1), ...tensor.dims] }, order),
      );
    }
    if (missing === 0) return inOrder(c, operand, order);
    const seen = asSeen(c, operand);
    if (order.every((axis, i) => axis === i)) return seen;
    return c.graph.transpose(c.graph.reshape(seen, [...new Array(missing).fill(1), ...operand.shape]), order);
  };
  return { like: { ...base, order, shape }, values: [bring(a), bring(b)], shape };
}

/** Two values in, broadcast to one. */
export const binary =
  (op: string, dtype?: NumericDType): Handler =>
  (c, node, [a, b]) => {
    if (a?.kind === 'constant' && b?.kind === 'constant') {
      const folded = fold(op, a.tensor, b.tensor);
      if (folded) return folded;
    }
    const { like: x, values, shape } = aligned(c, a, b);
    return like(x, c.graph.op(op, values, {}, node.name), { shape, dtype: dtype ?? dtypeOfOperand(a) });
  };

export const squaredDifference: Handler = (c, node, [a, b]) => {
  const { like: x, values, shape } = aligned(c, a, b);
  const difference = c.graph.sub(...values);
  return like(x, c.graph.op('Mul', [difference, difference], {}, node.name), { shape });
};

/** Rounds towards minus infinity, for whole numbers too: a − (a mod b) divides evenly. */
export const floorDiv: Handler = (c, node, [a, b]) => {
  const { like: x, values, shape } = aligned(c, a, b);
  if (x.dtype === 'float32') return like(x, c.graph.op('Floor', [c.graph.div(...values)], {}, node.name), { shape });
  const even = c.graph.sub(values[0], c.graph.mod(...values));
  return like(x, c.graph.op('Div', [even, values[1]], {}, node.name), { shape });
};

export const floorMod: Handler = (c, node, inputs) => {
  if (dtypeOfOperand(inputs[0]) === 'float32') throw refuse(node, 'remainders of fractions are not taken');
  return binary('Mod')(c, node, inputs);
};

export const clip6: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  return like(x, c.graph.op('Clip', [x.value, c.graph.scalar(0), c.graph.scalar(6)], {}, node.name));
};

/** factor · x · clip(x / 6 + 1/2, 0, 1); made by the fusions. */
export const hardSwish: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const factor = floatAttribute(node, 'factor', 1);
  const value = c.graph.op('HardSwish', [x.value], {}, factor === 1 ? node.name : `${node.name}/unscaled`);
  return { ...like(x, value), factor: factor === 1 ? undefined : factor };
};

/** factor · clip(x / 6 + 1/2, 0, 1); made by the fusions. */
export const hardSigmoid: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const factor = floatAttribute(node, 'factor', 1);
  const value = c.graph.op('HardSigmoid', [x.value], GATE, factor === 1 ? node.name : `${node.name}/unscaled`);
  return { ...like(x, value), factor: factor === 1 ? undefined : factor };
};

const GATE = { alpha: { float: 1 / 6 }, beta: { float: 0.5 } };

/** f · x + y = f · (x + y / f): the factor stays to be applied where y can be divided for nothing. */
export const add: Handler = (c, node, [a, b]) => {
  for (const [x, y] of [
    [a, b],
    [b, a],
  ]) {
    if (x?.kind !== 'computed' || y?.kind !== 'computed' || x.padding || !x.factor || !y.rescaled) continue;
    const sum = binary('Add')(c, { ...node, name: `${node.name}/unscaled` }, [
      { ...x, factor: undefined },
      y.rescaled(1 / x.factor),
    ]);
    return { ...(sum as Computed), factor: x.factor };
  }
  return binary('Add')(c, node, [a, b]);
};

/** Factors that are not applied yet multiply too. */
export const multiply: Handler = (c, node, [a, b]) => {
  const factors = [a, b].map((one) => (one?.kind === 'computed' ? (one.factor ?? 1) : 1)) as [number, number];
  const factor = factors[0] * factors[1];
  if (factor === 1) return binary('Mul')(c, node, [a, b]);
  const bare = [a, b].map((one) => (one?.kind === 'computed' ? { ...one, factor: undefined } : one)) as Operand[];
  const product = binary('Mul')(c, { ...node, name: `${node.name}/unscaled` }, bare);
  return { ...(product as Computed), factor };
};

export const prelu: Handler = (c, node, [x, slope]) => {
  const { like: base, values, shape } = aligned(c, x, slope);
  return like(base, c.graph.op('PRelu', values, {}, node.name), { shape });
};

/** y = (x − mean) / √(variance + ε) · scale + offset, with constants for all four. */
export const batchNorm: Handler = (c, node, inputs) => {
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((i) => numbersOf(constantOf(node, inputs, i))) as number[][];
  const epsilon = floatAttribute(node, 'epsilon', 1e-3);
  const factor = scale.map((one, i) => one / Math.sqrt(variance?.[i] + epsilon));
  const shift = offset.map((one, i) => one - mean?.[i] * factor[i]);
  const asConstant = (values: number[]): Constant => ({
    kind: 'constant',
    tensor: { dtype: 'float32', dims: [values.length], data: Float32Array.from(values) },
  });
  const scaled = binary('Mul')(c, { ...node, name: `${node.name}/scaled` }, [inputs[0], asConstant(factor)]);
  return binary('Add')(c, node, [scaled as Operand, asConstant(shift)]);
};

export const reduce =
  (op: string): Handler =>
  (c, node, inputs) => {
    const given = computed(c, inputs[0]);
    // Averages and sums of scaled values are scaled averages and sums.
    const linear = (op === 'ReduceMean' || op === 'ReduceSum') && !given.padding;
    const x = linear ? given : settle(c, given);
    const factor = x.factor;
    const axes = numbersOf(constantOf(node, inputs, 1)).map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const keep = boolAttribute(node, 'keep_dims');
    if (axes.includes(0)) onlyOne(c, node);
    const inMemory = axes.map((axis) => axisInMemory(x, axis)).sort((a, b) => a - b);
    const overImage = op === 'ReduceMean' && x.shape.length === 4 && `${inMemory}` === '2,3';
    const name = factor === undefined && keep ? node.name : undefined;
    const kept = overImage
      ? c.graph.op('GlobalAveragePool', [x.value], {}, name)
      : c.graph.op(op, [x.value, c.graph.ints(inMemory)], { keepdims: 1 }, name);
    const full = like(x, kept, { shape: x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) });
    return { ...(keep ? full : squeezed(c, full, axes, name)), factor };
  };

export const softmax: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  return like(x, c.graph.op('Softmax', [x.value], { axis: axisInMemory(x, -1) }, node.name));
};

export const cast: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const dtype = typeAttribute(node, 'DstT');
  return x.dtype === dtype ? x : like(x, c.graph.cast(x.value, dtype), { dtype });
};

export const matMul: Handler = (c, node, [a, b]) => {
  const attributes = { transA: boolAttribute(node, 'transpose_a'), transB: boolAttribute(node, 'transpose_b') };
  const [left, right] = [shapeOf(a), shapeOf(b)];
  const shape = [left[attributes.transA ? 1 : 0], right[attributes.transB ? 0 : 1]];
  const value = c.graph.op('Gemm', [asSeen(c, a), asSeen(c, b)], attributes, node.name);
  return { kind: 'computed', value, dtype: 'float32', shape, order: [0, 1] };
};
