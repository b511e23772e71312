/** Rules of operators that move, cut, join and count elements without computing with them. */
import type { AttributeValue } from '../attributes.ts';
import { knownDtype } from '../element-types.ts';
import type { TensorProto } from '../proto.ts';
import { numbersOf as numbersOfTensor, tensorFromProto } from '../tensor.ts';
import type { Dim, Shape, ValueType } from '../value.ts';
import {
  axesOf,
  axisIn,
  broadcast,
  freshShape,
  input,
  intAttribute,
  intsAttribute,
  Misfit,
  numberOfElements,
  numbersOf,
  oneDtype,
  type Rule,
  type RuleContext,
  requireDtype,
  sameDim,
} from './rule.ts';

/** Longer lists are no shapes. */
const MAX_ELEMENTS = 64;

/** The type of a constant, with its elements where they are few and stand in the model itself. */
export function typeOfConstant(proto: TensorProto): ValueType {
  const dtype = knownDtype(proto.dataType);
  const shape = (proto.dims ?? []).map(Number);
  const few = shape.length <= 1 && (shape[0] ?? 1) <= MAX_ELEMENTS;
  if (!few || dtype === undefined || dtype === 'string' || proto.dataLocation === 1) return { dtype, shape };
  return { dtype, shape, elements: numbersOfTensor(tensorFromProto(proto)) };
}

function isTensor(value: AttributeValue | undefined): value is TensorProto {
  return typeof value === 'object' && 'dataType' in value;
}

const constant: Rule = (c) => {
  const { value, value_int, value_ints, value_float, value_floats } = c.attributes;
  if (isTensor(value)) return [typeOfConstant(value)];
  if (typeof value_int === 'number') return [{ dtype: 'int64', shape: [], elements: [value_int] }];
  if (typeof value_float === 'number') return [{ dtype: 'float32', shape: [], elements: [value_float] }];
  const ints = intsAttribute(c, 'value_ints');
  if (value_ints && ints) return [{ dtype: 'int64', shape: [ints.length], elements: ints }];
  const floats = intsAttribute(c, 'value_floats');
  if (value_floats && floats) return [{ dtype: 'float32', shape: [floats.length], elements: floats }];
  return [{ dtype: undefined, shape: undefined }];
};

const constantOfShape: Rule = (c) => {
  const { value } = c.attributes;
  const dtype = isTensor(value) ? knownDtype(value.dataType) : 'float32';
  return [{ dtype, shape: input(c, 0).elements ?? rankFromLength(c, input(c, 0)) }];
};

/** A shape of which only its length is known. */
function rankFromLength(c: RuleContext, shape: ValueType): Shape | undefined {
  const rank = shape.shape?.[0];
  return typeof rank === 'number' ? freshShape(c, rank) : undefined;
}

const shapeOperator: Rule = (c) => {
  const { shape } = input(c, 0);
  if (!shape) return [{ dtype: 'int64', shape: [c.fresh()] }];
  const start = intAttribute(c, 'start', 0);
  const part = shape.slice(start, intAttribute(c, 'end', shape.length));
  return [{ dtype: 'int64', shape: [part.length], elements: part }];
};

const size: Rule = () => [{ dtype: 'int64', shape: [] }];

/** The sizes asked for: 0 keeps one of the input's, −1 is what is left over. */
const reshape: Rule = (c) => {
  const { dtype, shape, elements } = input(c, 0);
  const asked = input(c, 1);
  requireDtype(asked, 'int64');
  if (!asked.elements) return [{ dtype, shape: rankFromLength(c, asked) }];
  const keepsZero = intAttribute(c, 'allowzero', 0) === 0;
  const target = asked.elements.map((one, i) => {
    if (one !== 0 || !keepsZero) return one;
    if (!shape) return c.fresh();
    const kept = shape[i];
    if (kept === undefined) throw new Misfit(`keeps size ${i} of a value with ${shape.length} axes`);
    return kept;
  });
  if (target.filter((one) => one === -1).length > 1) throw new Misfit('has more than one −1 among its sizes');
  return [{ dtype, shape: withRest(c, shape, target), elements: target.length < 2 ? elements : undefined }];
};

/** Sizes that stand on both sides cancel; what is left over is that of −1. */
function withRest(c: RuleContext, from: Shape | undefined, target: Shape): Shape {
  const open = target.indexOf(-1);
  const others = target.filter((_, i) => i !== open);
  if (!from) return target.map((one, i) => (i === open ? c.fresh() : one));
  const names = from.filter((one) => typeof one === 'string');
  let cancelled = true;
  for (const one of others) {
    if (typeof one !== 'string') continue;
    const at = names.indexOf(one);
    if (at >= 0) names.splice(at, 1);
    else cancelled = false;
  }
  const [whole, part] = [from, others].map((shape) => numberOfElements(shape.filter((one) => typeof one === 'number')));
  const known = cancelled && names.length === 0 && whole !== undefined && part !== undefined;
  const fits = !known || (open < 0 ? whole === part : part === 0 || whole % part === 0);
  if (!fits) throw new Misfit(`cannot turn [${from.join(', ')}] into [${target.join(', ')}]`);
  if (open < 0) return target;
  const rest = known && part ? whole / part : cancelled && names.length === 1 && whole === part ? names[0] : undefined;
  return target.map((one, i) => (i === open ? (rest ?? c.fresh()) : one));
}

const flatten: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  if (!shape) return [{ dtype, shape: freshShape(c, 2) }];
  const given = intAttribute(c, 'axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) throw new Misfit(`has axis ${given}, of a value with ${shape.length}`);
  return [{ dtype, shape: [product(c, shape.slice(0, axis)), product(c, shape.slice(axis))] }];
};

function product(c: RuleContext, sizes: Shape): Dim {
  const others = sizes.filter((one) => one !== 1);
  const [only] = others;
  return others.length === 1 && only !== undefined ? only : (numberOfElements(sizes) ?? c.fresh());
}

const transpose: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const perm = intsAttribute(c, 'perm');
  if (!shape) return [{ dtype, shape: perm && freshShape(c, perm.length) }];
  const order = perm ?? shape.map((_, i) => shape.length - 1 - i);
  if (order.length !== shape.length || new Set(order).size !== shape.length) {
    throw new Misfit(`has the order [${order.join(', ')}] for ${shape.length} axes`);
  }
  return [{ dtype, shape: order.map((axis) => shape[axisIn(axis, shape.length)] ?? c.fresh()) }];
};

const expand: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const asked = input(c, 1);
  return [{ dtype, shape: broadcast(c, shape, asked.elements ?? rankFromLength(c, asked)) }];
};

const tile: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const repeats = numbersOf(c.inputs[1]);
  if (shape && repeats && repeats.length !== shape.length) {
    throw new Misfit(`has ${repeats.length} repeats for ${shape.length} axes`);
  }
  const tiled = shape?.map((one, i) => {
    const times = repeats?.[i];
    return times === 1 ? one : typeof one === 'number' && times !== undefined ? one * times : c.fresh();
  });
  return [{ dtype, shape: tiled }];
};

const squeeze: Rule = (c) => {
  const { dtype, shape, elements } = input(c, 0);
  const axes = axesOf(c, 1);
  if (!shape || axes === 'unknown') return [{ dtype, shape: undefined }];
  if (axes === 'none' && shape.some((one) => typeof one !== 'number')) return [{ dtype, shape: undefined }];
  const gone =
    axes === 'none'
      ? shape.flatMap((one, axis) => (one === 1 ? [axis] : []))
      : axes.map((axis) => axisIn(axis, shape.length));
  for (const axis of gone) {
    const one = shape[axis];
    if (typeof one === 'number' && one !== 1) throw new Misfit(`cannot leave out axis ${axis} of size ${one}`);
  }
  return [{ dtype, shape: shape.filter((_, axis) => !gone.includes(axis)), elements }];
};

const unsqueeze: Rule = (c) => {
  const { dtype, shape, elements } = input(c, 0);
  const axes = axesOf(c, 1);
  if (!shape || typeof axes === 'string') return [{ dtype, shape: undefined }];
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisIn(axis, rank)));
  if (added.size < axes.length) throw new Misfit(`adds an axis twice: [${axes.join(', ')}]`);
  let from = 0;
  const wider = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (shape[from++] ?? c.fresh())));
  return [{ dtype, shape: wider, elements: rank < 2 ? elements : undefined }];
};

const concat: Rule = (c) => {
  const dtype = oneDtype(c.inputs);
  const shapes = c.inputs.map((one) => one?.shape);
  const known = shapes.filter((shape) => shape !== undefined);
  const [first] = known;
  if (!first) return [{ dtype, shape: undefined }];
  const axis = axisIn(intAttribute(c, 'axis', 0), first.length);
  for (const shape of known) {
    if (shape.length !== first.length) throw new Misfit(`joins values of ${first.length} and of ${shape.length} axes`);
  }
  const joined = first.map((_, i): Dim => {
    const sizes = known.map((shape) => shape[i] ?? c.fresh());
    if (i !== axis) return sizes.reduce((a, b) => sameDim(a, b, `axis ${i}`) ?? a);
    if (known.length < shapes.length) return c.fresh();
    return sizes.length === 1 ? (sizes[0] ?? c.fresh()) : sum(c, sizes);
  });
  const lists = c.inputs.map((one) => one?.elements);
  const elements = first.length === 1 && lists.every((list) => list !== undefined) ? lists.flat() : undefined;
  return [{ dtype, shape: joined, elements }];
};

function sum(c: RuleContext, sizes: Shape): Dim {
  let total = 0;
  for (const one of sizes) {
    if (typeof one !== 'number') return c.fresh();
    total += one;
  }
  return total;
}

/** Elements that a slice of one axis takes, as NumPy does. */
function sliced(length: number, start: number, end: number, step: number): readonly [first: number, count: number] {
  const from = Math.max(
    step > 0 ? 0 : -1,
    Math.min(start < 0 ? start + length : start, step > 0 ? length : length - 1),
  );
  const to = Math.max(step > 0 ? 0 : -1, Math.min(end < 0 ? end + length : end, step > 0 ? length : length - 1));
  return [from, Math.max(0, Math.ceil((to - from) / step))];
}

const slice: Rule = (c) => {
  const { dtype, shape, elements } = input(c, 0);
  const [starts, ends] = [numbersOf(c.inputs[1]), numbersOf(c.inputs[2])];
  const axes = c.inputs[3] ? numbersOf(c.inputs[3]) : starts?.map((_, i) => i);
  const steps = c.inputs[4] ? numbersOf(c.inputs[4]) : starts?.map(() => 1);
  if (!shape) return [{ dtype, shape: undefined }];
  if (!axes) return [{ dtype, shape: freshShape(c, shape.length) }];
  const cut = [...shape];
  let kept = elements;
  axes.forEach((given, i) => {
    const axis = axisIn(given, shape.length);
    const [length, start, end, step] = [shape[axis], starts?.[i], ends?.[i], steps?.[i]];
    if (typeof length !== 'number' || start === undefined || end === undefined || !step) {
      const whole = start === 0 && step === 1 && end !== undefined && end >= 2 ** 31 - 1;
      if (!whole) cut[axis] = c.fresh();
      return;
    }
    const [first, count] = sliced(length, start, end, step);
    cut[axis] = count;
    kept = kept && Array.from({ length: count }, (_, j) => elements?.[first + j * step] ?? 0);
  });
  const all = numbersOf(c.inputs[1]) && numbersOf(c.inputs[2]) && steps;
  return [{ dtype, shape: cut, elements: all && shape.length === 1 ? kept : undefined }];
};

const split: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const types = (sizes: readonly (Dim | undefined)[]) =>
    sizes.map((one) => ({ dtype, shape: shape?.map((old, i) => (i === axis ? (one ?? c.fresh()) : old)) }));
  if (!shape) return new Array<ValueType>(c.outputCount).fill({ dtype, shape: undefined });
  const axis = axisIn(intAttribute(c, 'axis', 0), shape.length);
  const sizes = c.inputs[1] ? numbersOf(c.inputs[1]) : intsAttribute(c, 'split');
  const length = shape[axis];
  if (sizes) {
    const total = sizes.reduce((a, b) => a + b, 0);
    if (sizes.length !== c.outputCount) throw new Misfit(`has ${sizes.length} sizes for ${c.outputCount} outputs`);
    if (typeof length === 'number' && total !== length) {
      throw new Misfit(`cuts ${length} elements into [${sizes.join(', ')}]`);
    }
    return types(sizes);
  }
  if (c.inputs[1] || typeof length !== 'number') return types(new Array<undefined>(c.outputCount).fill(undefined));
  const each = Math.ceil(length / c.outputCount);
  return types(Array.from({ length: c.outputCount }, (_, i) => Math.min(each, length - i * each)));
};

const pad: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const pads = c.inputs[1] ? numbersOf(c.inputs[1]) : intsAttribute(c, 'pads');
  if (!shape) return [{ dtype, shape: undefined }];
  const axes = c.inputs[3] ? numbersOf(c.inputs[3]) : shape.map((_, i) => i);
  if (!pads || !axes) return [{ dtype, shape: freshShape(c, shape.length) }];
  if (pads.length !== 2 * axes.length) throw new Misfit(`has ${pads.length} pads for ${axes.length} axes`);
  const padded = [...shape];
  axes.forEach((given, i) => {
    const axis = axisIn(given, shape.length);
    const extra = (pads[i] ?? 0) + (pads[i + axes.length] ?? 0);
    const old = shape[axis];
    if (extra !== 0) padded[axis] = typeof old === 'number' ? old + extra : c.fresh();
  });
  return [{ dtype, shape: padded }];
};

const range: Rule = (c) => {
  const [start, limit, delta] = c.inputs.map((one) => numbersOf(one)?.[0]);
  const known = start !== undefined && limit !== undefined && delta;
  const length = known ? Math.max(0, Math.ceil((limit - start) / delta)) : c.fresh();
  return [{ dtype: oneDtype(c.inputs), shape: [length] }];
};

const eyeLike: Rule = (c) => {
  const to = intAttribute(c, 'dtype', 0);
  return [{ dtype: to === 0 ? input(c, 0).dtype : knownDtype(to), shape: input(c, 0).shape }];
};

export const ARRANGEMENT: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  EyeLike: eyeLike,
  Flatten: flatten,
  Pad: pad,
  Range: range,
  Reshape: reshape,
  Shape: shapeOperator,
  Size: size,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
