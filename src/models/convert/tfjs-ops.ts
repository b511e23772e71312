/**
 * TensorFlow operators → ONNX, as a table. What is not in it is refused by name.
 *
 * A handler gets its node with its inputs converted, adds ONNX nodes and hands back the node's outputs.
 */
import { LabelsmithError } from '../../errors.ts';
import type { Attributes, Value } from '../../math/graph.ts';
import type { Graph } from '../../math/ops.ts';
import { int64, type NumericDType, sizeOf, type Tensor } from '../../math/tensor.ts';
import {
  asSeen,
  axisInMemory,
  broadcastShape,
  type Computed,
  type Constant,
  dtypeOfOperand,
  identity,
  inOrder,
  type Layouts,
  like,
  numbersOf,
  type Operand,
  permuteTensor,
  settle,
  shapeOf,
  transposed,
} from './operand.ts';
import { convHandler, poolHandler } from './tfjs-conv.ts';
import {
  boolAttribute,
  floatAttribute,
  intAttribute,
  intsAttribute,
  type TfNode,
  typeAttribute,
} from './tfjs-model.ts';

export interface Conversion extends Layouts {
  readonly graph: Graph;
  /** Images a run; where it is not 1, operators that mix images are refused. */
  readonly batch: number;
}

export type Handler = (c: Conversion, node: TfNode, inputs: readonly Operand[]) => Operand | readonly Operand[];

export function refuse(node: TfNode, reason: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `node ${node.name} (${node.op}): ${reason}`, {
    details: { node: node.name, operator: node.op },
  });
}

/** An input that must be computed: a constant becomes one of the graph's. */
export function computed(c: Conversion, operand: Operand): Computed {
  if (operand.kind === 'computed') return operand;
  const { tensor } = operand;
  const value = c.graph.constant(tensor);
  return { kind: 'computed', value, dtype: tensor.dtype, shape: tensor.dims, order: identity(tensor.dims.length) };
}

export function constantOf(node: TfNode, inputs: readonly Operand[], i: number): Tensor {
  const operand = inputs[i];
  if (operand?.kind === 'constant') return operand.tensor;
  throw refuse(node, `input ${i} (${node.input[i]}) must be a constant`);
}

export function firstOf(c: Conversion, inputs: readonly Operand[]): Computed {
  return settle(c, computed(c, inputs[0] as Operand));
}

/** One value in, one of the same shape out. */
const unary =
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
    apply(x[x.length === 1 ? 0 : i] as number, y[y.length === 1 ? 0 : i] as number),
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
const binary =
  (op: string, dtype?: NumericDType): Handler =>
  (c, node, [a, b]) => {
    if (a?.kind === 'constant' && b?.kind === 'constant') {
      const folded = fold(op, a.tensor, b.tensor);
      if (folded) return folded;
    }
    const { like: x, values, shape } = aligned(c, a as Operand, b as Operand);
    return like(x, c.graph.op(op, values, {}, node.name), { shape, dtype: dtype ?? dtypeOfOperand(a as Operand) });
  };

const squaredDifference: Handler = (c, node, [a, b]) => {
  const { like: x, values, shape } = aligned(c, a as Operand, b as Operand);
  const difference = c.graph.sub(...values);
  return like(x, c.graph.op('Mul', [difference, difference], {}, node.name), { shape });
};

/** Rounds towards minus infinity, for whole numbers too: a − (a mod b) divides evenly. */
const floorDiv: Handler = (c, node, [a, b]) => {
  const { like: x, values, shape } = aligned(c, a as Operand, b as Operand);
  if (x.dtype === 'float32') return like(x, c.graph.op('Floor', [c.graph.div(...values)], {}, node.name), { shape });
  const even = c.graph.sub(values[0], c.graph.mod(...values));
  return like(x, c.graph.op('Div', [even, values[1]], {}, node.name), { shape });
};

const floorMod: Handler = (c, node, inputs) => {
  if (dtypeOfOperand(inputs[0] as Operand) === 'float32') throw refuse(node, 'remainders of fractions are not taken');
  return binary('Mod')(c, node, inputs);
};

const clip6: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  return like(x, c.graph.op('Clip', [x.value, c.graph.scalar(0), c.graph.scalar(6)], {}, node.name));
};

/** factor · x · clip(x / 6 + 1/2, 0, 1); made by the fusions. */
const hardSwish: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const factor = floatAttribute(node, 'factor', 1);
  const value = c.graph.op('HardSwish', [x.value], {}, factor === 1 ? node.name : `${node.name}/unscaled`);
  return { ...like(x, value), factor: factor === 1 ? undefined : factor };
};

/** factor · clip(x / 6 + 1/2, 0, 1); made by the fusions. */
const hardSigmoid: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const factor = floatAttribute(node, 'factor', 1);
  const value = c.graph.op('HardSigmoid', [x.value], GATE, factor === 1 ? node.name : `${node.name}/unscaled`);
  return { ...like(x, value), factor: factor === 1 ? undefined : factor };
};

const GATE = { alpha: { float: 1 / 6 }, beta: { float: 0.5 } };

/** Factors that are not applied yet multiply too. */
const multiply: Handler = (c, node, [a, b]) => {
  const factors = [a, b].map((one) => (one?.kind === 'computed' ? (one.factor ?? 1) : 1)) as [number, number];
  const factor = factors[0] * factors[1];
  if (factor === 1) return binary('Mul')(c, node, [a as Operand, b as Operand]);
  const bare = [a, b].map((one) => (one?.kind === 'computed' ? { ...one, factor: undefined } : one)) as Operand[];
  const product = binary('Mul')(c, { ...node, name: `${node.name}/unscaled` }, bare);
  return { ...(product as Computed), factor };
};

const prelu: Handler = (c, node, [x, slope]) => {
  const { like: base, values, shape } = aligned(c, x as Operand, slope as Operand);
  return like(base, c.graph.op('PRelu', values, {}, node.name), { shape });
};

/** y = (x − mean) / √(variance + ε) · scale + offset, with constants for all four. */
const batchNorm: Handler = (c, node, inputs) => {
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((i) => numbersOf(constantOf(node, inputs, i))) as number[][];
  const epsilon = floatAttribute(node, 'epsilon', 1e-3);
  const factor = (scale as number[]).map((one, i) => one / Math.sqrt((variance?.[i] as number) + epsilon));
  const shift = (offset as number[]).map((one, i) => one - (mean?.[i] as number) * (factor[i] as number));
  const asConstant = (values: number[]): Constant => ({
    kind: 'constant',
    tensor: { dtype: 'float32', dims: [values.length], data: Float32Array.from(values) },
  });
  const scaled = binary('Mul')(c, { ...node, name: `${node.name}/scaled` }, [inputs[0] as Operand, asConstant(factor)]);
  return binary('Add')(c, node, [scaled as Operand, asConstant(shift)]);
};

const reduce =
  (op: string): Handler =>
  (c, node, inputs) => {
    const given = computed(c, inputs[0] as Operand);
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

function squeezed(c: Conversion, x: Computed, axes: readonly number[], name?: string): Computed {
  const left = identity(x.shape.length).filter((axis) => !axes.includes(axis));
  const inMemory = axes.map((axis) => axisInMemory(x, axis)).sort((a, b) => a - b);
  return like(x, c.graph.op('Squeeze', [x.value, c.graph.ints(inMemory)], {}, name), {
    shape: left.map((axis) => x.shape[axis] as number),
    order: x.order.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis)),
  });
}

function onlyOne(c: Conversion, node: TfNode): void {
  if (c.batch !== 1) throw refuse(node, 'mixes the images of a batch; convert the model with a batch of 1');
}

const concat: Handler = (c, node, inputs) => {
  const parts = inputs.slice(0, -1);
  const axisTensor = constantOf(node, inputs, inputs.length - 1);
  const lead = parts.find((part) => part.kind === 'computed') as Computed | undefined;
  if (!lead) throw refuse(node, 'all parts are constants');
  const rank = lead.shape.length;
  const given = Number(axisTensor.data[0]);
  const axis = given < 0 ? given + rank : given;
  if (axis === 0) onlyOne(c, node);
  const values = parts.map((part) => inOrder(c, part, lead.order));
  const shape = lead.shape.map((size, i) =>
    i === axis ? parts.reduce((sum, part) => sum + (shapeOf(part)[axis] as number), 0) : size,
  );
  const value = c.graph.op('Concat', values, { axis: axisInMemory(lead, axis) }, node.name);
  return like(settle(c, lead), value, { shape });
};

const reshape: Handler = (c, node, inputs) => {
  const target = numbersOf(constantOf(node, inputs, 1));
  return reshaped(c, node, inputs[0] as Operand, target);
};

function reshaped(c: Conversion, node: TfNode, operand: Operand, target: readonly number[]): Operand {
  const size = sizeOf(shapeOf(operand));
  const known = target.reduce((product, one) => (one === -1 ? product : product * one), 1);
  const shape = target.map((one) => (one === -1 ? size / known : one));
  if (operand.kind === 'constant') return { kind: 'constant', tensor: { ...operand.tensor, dims: shape } };
  const keepsBatch = shape[0] === operand.shape[0] && shape.length > 0;
  if (!keepsBatch) onlyOne(c, node);
  // 0 keeps the size of the input's first axis, whatever the batch is.
  const given = shape.map((one, axis) => (axis === 0 && keepsBatch ? 0 : one));
  const value = c.graph.op('Reshape', [asSeen(c, operand), c.graph.ints(given)], {}, node.name);
  return { kind: 'computed', value, dtype: operand.dtype, shape, order: identity(shape.length) };
}

const expandDims: Handler = (c, node, inputs) => {
  const shape = [...shapeOf(inputs[0] as Operand)];
  const given = Number(constantOf(node, inputs, 1).data[0]);
  shape.splice(given < 0 ? given + shape.length + 1 : given, 0, 1);
  return reshaped(c, node, inputs[0] as Operand, shape);
};

const squeeze: Handler = (c, node, inputs) => {
  const before = shapeOf(inputs[0] as Operand);
  const given = intsAttribute(node, 'squeeze_dims').map((axis) => (axis < 0 ? axis + before.length : axis));
  const axes = given.length > 0 ? given : identity(before.length).filter((axis) => before[axis] === 1);
  return reshaped(
    c,
    node,
    inputs[0] as Operand,
    before.filter((_, axis) => !axes.includes(axis)),
  );
};

const transpose: Handler = (_, node, inputs) => {
  const perm = numbersOf(constantOf(node, inputs, 1));
  const x = inputs[0] as Operand;
  if (x.kind === 'constant') return { kind: 'constant', tensor: permuteTensor(x.tensor, perm) };
  return transposed(x, perm);
};

/** Not applied yet: the next operator may take it over. */
const pad: Handler = (c, node, inputs) => {
  const of = firstOf(c, inputs);
  const pairs = numbersOf(constantOf(node, inputs, 1));
  const before = of.shape.map((_, axis) => pairs[2 * axis] as number);
  const after = of.shape.map((_, axis) => pairs[2 * axis + 1] as number);
  const value = inputs.length > 2 ? Number(constantOf(node, inputs, 2).data[0]) : 0;
  if ([...before, ...after].every((one) => one === 0)) return of;
  const shape = of.shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
  return { ...like(of, of.value, { shape }), padding: { before, after, value, of } };
};

const split = (c: Conversion, node: TfNode, x: Computed, given: number, sizes: readonly number[]): Operand[] => {
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis === 0) onlyOne(c, node);
  if (sizes.length === 1) return [x];
  const parts = c.graph.split(x.value, sizes, axisInMemory(x, axis));
  return parts.map((part, i) =>
    like(x, part, { shape: x.shape.map((size, a) => (a === axis ? (sizes[i] as number) : size)) }),
  );
};

const splitV: Handler = (c, node, inputs) =>
  split(
    c,
    node,
    firstOf(c, inputs),
    Number(constantOf(node, inputs, 2).data[0]),
    numbersOf(constantOf(node, inputs, 1)),
  );

const splitEvenly: Handler = (c, node, [axis, x]) => {
  const whole = firstOf(c, [x as Operand]);
  const along = Number(constantOf(node, [axis as Operand], 0).data[0]);
  const count = intAttribute(node, 'num_split', 1);
  const size = whole.shape.at(along) as number;
  return split(c, node, whole, along, new Array<number>(count).fill(size / count));
};

const unpack: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + x.shape.length : given;
  const parts = split(c, node, x, axis, new Array<number>(x.shape[axis] as number).fill(1));
  return parts.map((part) => squeezed(c, part as Computed, [axis]));
};

const pack: Handler = (c, node, inputs) => {
  const rank = shapeOf(inputs[0] as Operand).length + 1;
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + rank : given;
  if (axis === 0) onlyOne(c, node);
  const parts = inputs.map((part) => c.graph.unsqueeze(asSeen(c, part), [axis]));
  const shape = [...shapeOf(inputs[0] as Operand)];
  shape.splice(axis, 0, inputs.length);
  const value = c.graph.op('Concat', parts, { axis }, node.name);
  const computedInput = inputs.find((one) => one.kind === 'computed') ?? (inputs[0] as Operand);
  return { kind: 'computed', value, dtype: dtypeOfOperand(computedInput), shape, order: identity(rank) };
};

/** Only the forms without ellipsis and new axes. */
const stridedSlice: Handler = (c, node, inputs) => {
  if (intAttribute(node, 'ellipsis_mask', 0) || intAttribute(node, 'new_axis_mask', 0)) {
    throw refuse(node, 'slices with an ellipsis or a new axis are not taken');
  }
  const x = firstOf(c, inputs);
  const [begin, end, strides] = [1, 2, 3].map((i) => numbersOf(constantOf(node, inputs, i))) as [
    number[],
    number[],
    number[],
  ];
  const [beginMask, endMask, shrink] = ['begin_mask', 'end_mask', 'shrink_axis_mask'].map((name) =>
    intAttribute(node, name, 0),
  );
  const shape = [...x.shape];
  const ranges = begin.map((_, axis) => {
    const size = x.shape[axis] as number;
    const step = strides[axis] as number;
    if (step < 0) throw refuse(node, 'slices backwards are not taken');
    const place = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    const from = (beginMask as number) & (1 << axis) ? 0 : place(begin[axis] as number);
    const one = (shrink as number) & (1 << axis);
    const to = one ? from + 1 : (endMask as number) & (1 << axis) ? size : place(end[axis] as number);
    shape[axis] = Math.ceil(Math.max(to - from, 0) / step);
    return { axis, from, to, step, whole: from === 0 && to === size && step === 1 };
  });
  const cut = ranges.filter(({ whole }) => !whole);
  if (cut.some(({ axis }) => axis === 0)) onlyOne(c, node);
  const value =
    cut.length === 0
      ? x.value
      : c.graph.slice(
          x.value,
          cut.map(({ from }) => from),
          cut.map(({ to }) => to),
          cut.map(({ axis }) => axisInMemory(x, axis)),
          cut.map(({ step }) => step),
        );
  const axes = identity(begin.length).filter((axis) => (shrink as number) & (1 << axis));
  const full = like(x, value, { shape });
  return axes.length > 0 ? squeezed(c, full, axes, node.name) : full;
};

const slice: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const begin = numbersOf(constantOf(node, inputs, 1));
  const sizes = numbersOf(constantOf(node, inputs, 2));
  const shape = x.shape.map((size, axis) =>
    sizes[axis] === -1 ? size - (begin[axis] as number) : (sizes[axis] as number),
  );
  if (begin[0] !== 0 || shape[0] !== x.shape[0]) onlyOne(c, node);
  const axes = identity(x.shape.length).slice(1);
  const value = c.graph.slice(
    x.value,
    axes.map((axis) => begin[axis] as number),
    axes.map((axis) => (begin[axis] as number) + (shape[axis] as number)),
    axes.map((axis) => axisInMemory(x, axis)),
  );
  return like(x, value, { shape });
};

const gather: Handler = (c, node, inputs) => {
  onlyOne(c, node);
  if (intAttribute(node, 'batch_dims', 0) !== 0) throw refuse(node, 'batch_dims other than 0 are not taken');
  const [x, indices] = [inputs[0] as Operand, inputs[1] as Operand];
  const rank = shapeOf(x).length;
  const given = inputs.length > 2 ? Number(constantOf(node, inputs, 2).data[0]) : 0;
  const axis = given < 0 ? given + rank : given;
  const shape = [...shapeOf(x).slice(0, axis), ...shapeOf(indices), ...shapeOf(x).slice(axis + 1)];
  const value = c.graph.op('Gather', [asSeen(c, x), asSeen(c, indices)], { axis }, node.name);
  return { kind: 'computed', value, dtype: dtypeOfOperand(x), shape, order: identity(shape.length) };
};

const gatherNd: Handler = (c, node, [x, indices]) => {
  onlyOne(c, node);
  const [from, at] = [x as Operand, indices as Operand];
  const depth = shapeOf(at).at(-1) as number;
  const shape = [...shapeOf(at).slice(0, -1), ...shapeOf(from).slice(depth)];
  const places = at.kind === 'constant' ? c.graph.constant(wide(at.tensor)) : c.graph.cast(asSeen(c, at), 'int64');
  const value = c.graph.op('GatherND', [asSeen(c, from), places], {}, node.name);
  return { kind: 'computed', value, dtype: dtypeOfOperand(from), shape, order: identity(shape.length) };
};

function wide(tensor: Tensor): Tensor {
  return int64(numbersOf(tensor), tensor.dims);
}

const topK: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const k = Number(constantOf(node, inputs, 1).data[0]);
  const [values, indices] = c.graph.topK(asSeen(c, x), k);
  const shape = [...x.shape.slice(0, -1), k];
  const order = identity(shape.length);
  const places = c.graph.cast(indices, 'int32');
  return [like(x, values, { shape, order }), { kind: 'computed', value: places, dtype: 'int32', shape, order }];
};

const argMax: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const given = Number(constantOf(node, inputs, 1).data[0]);
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis === 0) onlyOne(c, node);
  const value = c.graph.argMax(asSeen(c, x), axis);
  const shape = x.shape.filter((_, i) => i !== axis);
  return {
    kind: 'computed',
    value: c.graph.cast(value, 'int32'),
    dtype: 'int32',
    shape,
    order: identity(shape.length),
  };
};

const cast: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const dtype = typeAttribute(node, 'DstT');
  return x.dtype === dtype ? x : like(x, c.graph.cast(x.value, dtype), { dtype });
};

/** Bilinear or nearest, in TensorFlow's three ways of placing pixels. */
const resize =
  (mode: 'linear' | 'nearest'): Handler =>
  (c, node, inputs) => {
    const x = firstOf(c, inputs);
    const [height, width] = numbersOf(constantOf(node, inputs, 1)) as [number, number];
    const aligns = boolAttribute(node, 'align_corners');
    const half = boolAttribute(node, 'half_pixel_centers');
    const shape = [x.shape[0], height, width, x.shape[3]] as number[];
    // Whole factors are said as factors, which leave the batch open and which ONNX Runtime has fast kernels for.
    const factors = shape.map((size, axis) => size / (x.shape[axis] as number));
    const scales = x.order.map((axis) => factors[axis] as number);
    if (!factors.every(Number.isInteger)) onlyOne(c, node);
    const size = factors.every(Number.isInteger)
      ? [c.graph.constant({ dtype: 'float32', dims: [4], data: Float32Array.from(scales) }, 'scales')]
      : ['', c.graph.ints(x.order.map((axis) => shape[axis] as number))];
    const nearest = mode === 'nearest' ? (half || aligns ? 'round_prefer_ceil' : 'floor') : undefined;
    const value = c.graph.op(
      'Resize',
      [x.value, '', ...size],
      {
        mode,
        coordinate_transformation_mode: aligns ? 'align_corners' : half ? 'half_pixel' : 'asymmetric',
        nearest_mode: half && mode === 'nearest' ? 'floor' : nearest,
      },
      node.name,
    );
    return like(x, value, { shape });
  };

/** Exported graphs hold it for reshapes: no indices, so the result is its default everywhere. */
const sparseToDense: Handler = (_, node, inputs) => {
  if (constantOf(node, inputs, 0).data.length > 0) throw refuse(node, 'only empty sparse values are taken');
  const dims = numbersOf(constantOf(node, inputs, 1));
  const otherwise = constantOf(node, inputs, 3);
  const data = new Int32Array(sizeOf(dims)).fill(Number(otherwise.data[0]));
  if (otherwise.dtype !== 'int32') throw refuse(node, `default of type ${otherwise.dtype} is not taken`);
  return { kind: 'constant', tensor: { dtype: 'int32', dims, data } };
};

const matMul: Handler = (c, node, [a, b]) => {
  const attributes = { transA: boolAttribute(node, 'transpose_a'), transB: boolAttribute(node, 'transpose_b') };
  const [left, right] = [shapeOf(a as Operand), shapeOf(b as Operand)];
  const shape = [left[attributes.transA ? 1 : 0] as number, right[attributes.transB ? 0 : 1] as number];
  const value = c.graph.op('Gemm', [asSeen(c, a as Operand), asSeen(c, b as Operand)], attributes, node.name);
  return { kind: 'computed', value, dtype: 'float32', shape, order: [0, 1] };
};

const softmax: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  return like(x, c.graph.op('Softmax', [x.value], { axis: axisInMemory(x, -1) }, node.name));
};

export const HANDLERS: Readonly<Record<string, Handler>> = {
  Identity: (_c, _node, inputs) => inputs[0] as Operand,
  Conv2D: convHandler,
  _FusedConv2D: convHandler,
  FusedConv2D: convHandler,
  DepthwiseConv2dNative: convHandler,
  FusedDepthwiseConv2dNative: convHandler,
  MaxPool: poolHandler,
  AvgPool: poolHandler,
  BiasAdd: binary('Add'),
  Add: binary('Add'),
  AddV2: binary('Add'),
  Sub: binary('Sub'),
  Mul: multiply,
  RealDiv: binary('Div'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Equal: binary('Equal', 'bool'),
  Greater: binary('Greater', 'bool'),
  GreaterEqual: binary('GreaterOrEqual', 'bool'),
  Less: binary('Less', 'bool'),
  SquaredDifference: squaredDifference,
  FloorDiv: floorDiv,
  FloorMod: floorMod,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  Relu: unary('Relu'),
  Relu6: clip6,
  LeakyRelu: unary('LeakyRelu', (node) => ({ alpha: { float: floatAttribute(node, 'alpha', 0.2) } })),
  Prelu: prelu,
  Elu: unary('Elu'),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Sqrt: unary('Sqrt'),
  Exp: unary('Exp'),
  Neg: unary('Neg'),
  Softmax: softmax,
  HardSwish: hardSwish,
  HardSigmoid: hardSigmoid,
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Sum: reduce('ReduceSum'),
  ConcatV2: concat,
  Reshape: reshape,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Transpose: transpose,
  Pad: pad,
  PadV2: pad,
  Split: splitEvenly,
  SplitV: splitV,
  Unpack: unpack,
  Pack: pack,
  StridedSlice: stridedSlice,
  Slice: slice,
  GatherV2: gather,
  GatherNd: gatherNd,
  TopKV2: topK,
  ArgMax: argMax,
  Cast: cast,
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
  SparseToDense: sparseToDense,
  MatMul: matMul,
};
