/** Operators that move, cut, join and resize, in the memory order that their inputs have. */
import { int64, numbersOf, sizeOf, type Tensor } from '../../onnx/tensor.ts';
import {
  asSeen,
  axisInMemory,
  type Computed,
  dtypeOfOperand,
  identity,
  inOrder,
  like,
  type Operand,
  permuteTensor,
  settle,
  shapeOf,
  transposed,
} from './operand.ts';
import { type Conversion, constantOf, firstOf, type Handler, onlyOne, refuse, squeezed } from './tfjs-conversion.ts';
import { boolAttribute, intAttribute, intsAttribute, type TfNode } from './tfjs-model.ts';

export const concat: Handler = (c, node, inputs) => {
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
    i === axis ? parts.reduce((sum, part) => sum + shapeOf(part)[axis], 0) : size,
  );
  const value = c.graph.op('Concat', values, { axis: axisInMemory(lead, axis) }, node.name);
  return like(settle(c, lead), value, { shape });
};

export const reshape: Handler = (c, node, inputs) => {
  const target = numbersOf(constantOf(node, inputs, 1));
  return reshaped(c, node, inputs[0], target);
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

export const expandDims: Handler = (c, node, inputs) => {
  const shape = [...shapeOf(inputs[0])];
  const given = Number(constantOf(node, inputs, 1).data[0]);
  shape.splice(given < 0 ? given + shape.length + 1 : given, 0, 1);
  return reshaped(c, node, inputs[0], shape);
};

export const squeeze: Handler = (c, node, inputs) => {
  const before = shapeOf(inputs[0]);
  const given = intsAttribute(node, 'squeeze_dims').map((axis) => (axis < 0 ? axis + before.length : axis));
  const axes = given.length > 0 ? given : identity(before.length).filter((axis) => before[axis] === 1);
  return reshaped(
    c,
    node,
    inputs[0],
    before.filter((_, axis) => !axes.includes(axis)),
  );
};

export const transpose: Handler = (_, node, inputs) => {
  const perm = numbersOf(constantOf(node, inputs, 1));
  const x = inputs[0];
  if (x.kind === 'constant') return { kind: 'constant', tensor: permuteTensor(x.tensor, perm) };
  return transposed(x, perm);
};

/** Not applied yet: the next operator may take it over. */
export const pad: Handler = (c, node, inputs) => {
  const of = firstOf(c, inputs);
  const pairs = numbersOf(constantOf(node, inputs, 1));
  const before = of.shape.map((_, axis) => pairs[2 * axis]);
  const after = of.shape.map((_, axis) => pairs[2 * axis + 1]);
  const value = inputs.length > 2 ? Number(constantOf(node, inputs, 2).data[0]) : 0;
  if ([...before, ...after].every((one) => one === 0)) return of;
  const shape = of.shape.map((size, axis) => size + before[axis] + after[axis]);
  return { ...like(of, of.value, { shape }), padding: { before, after, value, of } };
};

const split = (c: Conversion, node: TfNode, x: Computed, given: number, sizes: readonly number[]): Operand[] => {
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis === 0) onlyOne(c, node);
  if (sizes.length === 1) return [x];
  const parts = c.graph.split(x.value, sizes, axisInMemory(x, axis));
  return parts.map((part, i) => like(x, part, { shape: x.shape.map((size, a) => (a === axis ? sizes[i] : size)) }));
};

export const splitV: Handler = (c, node, inputs) =>
  split(
    c,
    node,
    firstOf(c, inputs),
    Number(constantOf(node, inputs, 2).data[0]),
    numbersOf(constantOf(node, inputs, 1)),
  );

export const splitEvenly: Handler = (c, node, [axis, x]) => {
  const whole = firstOf(c, [x]);
  const along = Number(constantOf(node, [axis], 0).data[0]);
  const count = intAttribute(node, 'num_split', 1);
  const size = whole.shape.at(along) as number;
  return split(c, node, whole, along, new Array<number>(count).fill(size / count));
};

export const unpack: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + x.shape.length : given;
  const parts = split(c, node, x, axis, new Array<number>(x.shape[axis]).fill(1));
  return parts.map((part) => squeezed(c, part as Computed, [axis]));
};

export const pack: Handler = (c, node, inputs) => {
  const rank = shapeOf(inputs[0]).length + 1;
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + rank : given;
  if (axis === 0) onlyOne(c, node);
  const parts = inputs.map((part) => c.graph.unsqueeze(asSeen(c, part), [axis]));
  const shape = [...shapeOf(inputs[0])];
  shape.splice(axis, 0, inputs.length);
  const value = c.graph.op('Concat', parts, { axis }, node.name);
  const computedInput = inputs.find((one) => one.kind === 'computed') ?? inputs[0];
  return { kind: 'computed', value, dtype: dtypeOfOperand(computedInput), shape, order: identity(rank) };
};

/** Only the forms without ellipsis and new axes. */
export const stridedSlice: Handler = (c, node, inputs) => {
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
    const size = x.shape[axis];
    const step = strides[axis];
    if (step < 0) throw refuse(node, 'slices backwards are not taken');
    const place = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    const from = beginMask & (1 << axis) ? 0 : place(begin[axis]);
    const one = shrink & (1 << axis);
    const to = one ? from + 1 : endMask & (1 << axis) ? size : place(end[axis]);
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
  const axes = identity(begin.length).filter((axis) => shrink & (1 << axis));
  const full = like(x, value, { shape });
  return axes.length > 0 ? squeezed(c, full, axes, node.name) : full;
};

export const slice: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const begin = numbersOf(constantOf(node, inputs, 1));
  const sizes = numbersOf(constantOf(node, inputs, 2));
  const shape = x.shape.map((size, axis) => (sizes[axis] === -1 ? size - begin[axis] : sizes[axis]));
  if (begin[0] !== 0 || shape[0] !== x.shape[0]) onlyOne(c, node);
  const axes = identity(x.shape.length).slice(1);
  const value = c.graph.slice(
    x.value,
    axes.map((axis) => begin[axis]),
    axes.map((axis) => begin[axis] + shape[axis]),
    axes.map((axis) => axisInMemory(x, axis)),
  );
  return like(x, value, { shape });
};

export const gather: Handler = (c, node, inputs) => {
  onlyOne(c, node);
  if (intAttribute(node, 'batch_dims', 0) !== 0) throw refuse(node, 'batch_dims other than 0 are not taken');
  const [x, indices] = [inputs[0], inputs[1]];
  const rank = shapeOf(x).length;
  const given = inputs.length > 2 ? Number(constantOf(node, inputs, 2).data[0]) : 0;
  const axis = given < 0 ? given + rank : given;
  const shape = [...shapeOf(x).slice(0, axis), ...shapeOf(indices), ...shapeOf(x).slice(axis + 1)];
  const value = c.graph.op('Gather', [asSeen(c, x), asSeen(c, indices)], { axis }, node.name);
  return { kind: 'computed', value, dtype: dtypeOfOperand(x), shape, order: identity(shape.length) };
};

export const gatherNd: Handler = (c, node, [x, indices]) => {
  onlyOne(c, node);
  const [from, at] = [x, indices];
  const depth = shapeOf(at).at(-1) as number;
  const shape = [...shapeOf(at).slice(0, -1), ...shapeOf(from).slice(depth)];
  const places = at.kind === 'constant' ? c.graph.constant(wide(at.tensor)) : c.graph.cast(asSeen(c, at), 'int64');
  const value = c.graph.op('GatherND', [asSeen(c, from), places], {}, node.name);
  return { kind: 'computed', value, dtype: dtypeOfOperand(from), shape, order: identity(shape.length) };
};

function wide(tensor: Tensor): Tensor {
  return int64(numbersOf(tensor), tensor.dims);
}

export const topK: Handler = (c, node, inputs) => {
  const x = firstOf(c, inputs);
  const k = Number(constantOf(node, inputs, 1).data[0]);
  const [values, indices] = c.graph.topK(asSeen(c, x), k);
  const shape = [...x.shape.slice(0, -1), k];
  const order = identity(shape.length);
  const places = c.graph.cast(indices, 'int32');
  return [like(x, values, { shape, order }), { kind: 'computed', value: places, dtype: 'int32', shape, order }];
};

export const argMax: Handler = (c, node, inputs) => {
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

/** Bilinear or nearest, in TensorFlow's three ways of placing pixels. */
export const resize =
  (mode: 'linear' | 'nearest'): Handler =>
  (c, node, inputs) => {
    const x = firstOf(c, inputs);
    const [height, width] = numbersOf(constantOf(node, inputs, 1)) as [number, number];
    const aligns = boolAttribute(node, 'align_corners');
    const half = boolAttribute(node, 'half_pixel_centers');
    const shape = [x.shape[0], height, width, x.shape[3]] as number[];
    // Whole factors are said as factors, which leave the batch open and which ONNX Runtime has fast kernels for.
    const factors = shape.map((size, axis) => size / x.shape[axis]);
    const scales = x.order.map((axis) => factors[axis]);
    if (!factors.every(Number.isInteger)) onlyOne(c, node);
    const size = factors.every(Number.isInteger)
      ? [c.graph.constant({ dtype: 'float32', dims: [4], data: Float32Array.from(scales) }, 'scales')]
      : [undefined, c.graph.ints(x.order.map((axis) => shape[axis]))];
    const nearest = half || aligns ? 'round_prefer_ceil' : 'floor';
    const value = c.graph.op(
      'Resize',
      [x.value, undefined, ...size],
      {
        mode,
        coordinate_transformation_mode: aligns ? 'align_corners' : half ? 'half_pixel' : 'asymmetric',
        nearest_mode: mode === 'nearest' ? nearest : undefined,
      },
      node.name,
    );
    return like(x, value, { shape });
  };

/** Exported graphs hold it for reshapes: no indices, so the result is its default everywhere. */
export const sparseToDense: Handler = (_, node, inputs) => {
  if (constantOf(node, inputs, 0).data.length > 0) throw refuse(node, 'only empty sparse values are taken');
  const dims = numbersOf(constantOf(node, inputs, 1));
  const otherwise = constantOf(node, inputs, 3);
  const data = new Int32Array(sizeOf(dims)).fill(Number(otherwise.data[0]));
  if (otherwise.dtype !== 'int32') throw refuse(node, `default of type ${otherwise.dtype} is not taken`);
  return { kind: 'constant', tensor: { dtype: 'int32', dims, data } };
};
