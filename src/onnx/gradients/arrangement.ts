/** Adjoints of operators that move, cut and join elements without computing with them. */
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  axisOf,
  given,
  incoming,
  knownNumbers,
  listed,
  NoAdjoint,
  number,
  numbers,
  reshaped,
  sizesOf,
  sumTo,
  text,
  zerosLike,
} from './adjoint.ts';

/** The elements stay in their order: so do their gradients. */
const sameOrder: Adjoint = (c) => [reshaped(c.graph, incoming(c), sizesOf(given(c, 0)))];

const transpose: Adjoint = (c) => {
  const rank = sizesOf(given(c, 0)).length;
  const perm = numbers(c, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const back = Array.from({ length: rank }, (_, axis) => perm.indexOf(axis));
  return [c.graph.transpose(incoming(c), back)];
};

const expand: Adjoint = (c) => [sumTo(c.graph, incoming(c), sizesOf(given(c, 0)))];

/** Each copy is a stretched axis of its own. */
const tile: Adjoint = (c) => {
  const sizes = sizesOf(given(c, 0));
  const repeats = knownNumbers(c, 1);
  const apart = sizes.flatMap((size, axis) => [repeats[axis] ?? 1, size]);
  const axes = sizes.map((_, axis) => 2 * axis);
  const sum = c.graph.reduceSum(c.graph.reshape(incoming(c), apart), axes, { keepDims: false });
  return [c.graph.reshape(sum, sizes)];
};

const concat: Adjoint = (c) => {
  const axis = axisOf(number(c, 'axis', 0), sizesOf(incoming(c)).length);
  let start = 0;
  return c.inputs.map((one, i) => {
    const size = one ? (sizesOf(one)[axis] ?? 0) : 0;
    const from = start;
    start += size;
    return c.wants(i) ? c.graph.slice(incoming(c), [from], [from + size], [axis]) : undefined;
  });
};

/** Parts that nobody looks at count as zeros. */
const split: Adjoint = (c) => {
  const parts = c.outputs.map((part, i) => {
    if (!part) throw new NoAdjoint(`output ${i} is not there`);
    return c.gradients[i] ?? zerosLike(c.graph, part);
  });
  const axis = axisOf(number(c, 'axis', 0), sizesOf(given(c, 0)).length);
  return [c.graph.concat(parts, axis)];
};

/** The gradient at its place among zeros: padded, where steps are of one element, else put there one by one. */
const slice: Adjoint = (c) => {
  const { graph } = c;
  const sizes = sizesOf(given(c, 0));
  const starts = listed(c, 'starts', 1) ?? [];
  const axes = (listed(c, 'axes', 3) ?? starts.map((_, i) => i)).map((axis) => axisOf(axis, sizes.length));
  const steps = c.inputs[4] ? knownNumbers(c, 4) : starts.map(() => 1);
  let gradient = incoming(c);
  axes.forEach((axis, i) => {
    const [size, count, step] = [sizes[axis] ?? 1, sizesOf(incoming(c))[axis] ?? 1, steps[i] ?? 1];
    const first = startIn(starts[i] ?? 0, size, step);
    gradient =
      step === 1
        ? padded(c, gradient, axis, first, size - first - count)
        : spread(c, gradient, { axis, size, first, step, count });
  });
  return [reshaped(graph, gradient, sizes)];
};

function startIn(start: number, size: number, step: number): number {
  const from = start < 0 ? start + size : start;
  return Math.max(0, Math.min(from, step > 0 ? size : size - 1));
}

function padded({ graph }: AdjointContext, value: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return value;
  const pads = new Array<number>(2 * sizesOf(value).length).fill(0);
  pads[axis] = before;
  pads[axis + pads.length / 2] = after;
  return graph.pad(value, pads);
}

interface Spread {
  readonly axis: number;
  readonly size: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Gathers each place's element from the gradient with a zero behind it. */
function spread(c: AdjointContext, value: Value, { axis, size, first, step, count }: Spread): Value {
  const from = Array.from({ length: size }, (_, place) => {
    const nth = (place - first) / step;
    return Number.isInteger(nth) && nth >= 0 && nth < count ? nth : count;
  });
  return c.graph.gather(padded(c, value, axis, 0, 1), c.graph.ints(from), axis);
}

/** Constant padding is cut away again; what mirrors or repeats has no adjoint here. */
const pad: Adjoint = (c) => {
  if (text(c, 'mode', 'constant') !== 'constant') throw new NoAdjoint(`it pads by ${text(c, 'mode', '')}`);
  const sizes = sizesOf(given(c, 0));
  const pads = listed(c, 'pads', 1) ?? [];
  const axes = c.inputs[3]
    ? knownNumbers(c, 3).map((axis) => axisOf(axis, sizes.length))
    : sizes.map((_, axis) => axis);
  const before = axes.map((_, i) => pads[i] ?? 0);
  const after = axes.map((_, i) => pads[i + axes.length] ?? 0);
  if ([...before, ...after].some((one) => one < 0)) throw new NoAdjoint('it pads by less than nothing');
  const ends = axes.map((axis, i) => (before[i] ?? 0) + (sizes[axis] ?? 1));
  return [c.graph.slice(incoming(c), before, ends, axes)];
};

/** The gradients of equal indices are added. */
const gather: Adjoint = (c) => {
  const { graph } = c;
  const x = given(c, 0);
  const sizes = sizesOf(x);
  const axis = axisOf(number(c, 'axis', 0), sizes.length);
  const indices = given(c, 1);
  const rank = sizesOf(indices).length;
  const [lead, rest] = [sizes.slice(0, axis), sizes.slice(axis + 1)];
  const count = sizesOf(indices).reduce((a, b) => a * b, 1);
  const shape = [...lead, count, ...rest];
  const dy = reshaped(graph, incoming(c), shape);
  const flat = graph.reshape(indices, [...lead.map(() => 1), count, ...rest.map(() => 1)]);
  const places = graph.expand(rank === 0 ? flat : flat, shape);
  return [graph.op('ScatterElements', [zerosLike(graph, x), places, dy], { axis, reduction: 'add' })];
};

export const ARRANGEMENT: Readonly<Record<string, Adjoint>> = {
  Reshape: sameOrder,
  Flatten: sameOrder,
  Squeeze: sameOrder,
  Unsqueeze: sameOrder,
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
};
