/** Rules of operators that reduce, look up, compare and choose. */
import type { Dim, Shape } from '../value.ts';
import {
  axesOf,
  axisIn,
  freshShape,
  input,
  intAttribute,
  Misfit,
  numbersOf,
  oneDtype,
  type Rule,
  requireDtype,
  requireRank,
  ruleOf,
  sameDim,
} from './rule.ts';

const INDICES = ['int64', 'int32'] as const;

const reduce: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  const axes = axesOf(c, 1);
  const keep = intAttribute(c, 'keepdims', 1) === 1;
  if (!shape) return [{ dtype, shape: undefined }];
  if (axes === 'unknown') return [{ dtype, shape: keep ? freshShape(c, shape.length) : undefined }];
  const none = axes === 'none' || axes.length === 0;
  if (none && intAttribute(c, 'noop_with_empty_axes', 0) === 1) return [{ dtype, shape }];
  const gone = none ? shape.map((_, axis) => axis) : axes.map((axis) => axisIn(axis, shape.length));
  return [{ dtype, shape: without(shape, gone, keep) }];
};

function without(shape: Shape, gone: readonly number[], keep: boolean): Shape {
  return shape.flatMap((one, axis) => (!gone.includes(axis) ? [one] : keep ? [1] : []));
}

const argument: Rule = (c) => {
  const { shape } = input(c, 0);
  if (!shape) return [{ dtype: 'int64', shape: undefined }];
  const axis = axisIn(intAttribute(c, 'axis', 0), shape.length);
  return [{ dtype: 'int64', shape: without(shape, [axis], intAttribute(c, 'keepdims', 1) === 1) }];
};

const topK: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  requireDtype(input(c, 1), 'int64');
  if (!shape)
    return [
      { dtype, shape: undefined },
      { dtype: 'int64', shape: undefined },
    ];
  const axis = axisIn(intAttribute(c, 'axis', -1), shape.length);
  const k = input(c, 1).elements?.[0] ?? c.fresh();
  const length = shape[axis];
  if (typeof k === 'number' && typeof length === 'number' && k > length) {
    throw new Misfit(`wants ${k} of ${length} elements`);
  }
  const best = shape.map((one, i) => (i === axis ? k : one));
  return [
    { dtype, shape: best },
    { dtype: 'int64', shape: best },
  ];
};

const gather: Rule = (c) => {
  const [data, indices] = [input(c, 0), input(c, 1)];
  requireDtype(indices, ...INDICES);
  const { dtype, shape, elements } = data;
  if (!shape || !indices.shape) return [{ dtype, shape: undefined }];
  const axis = axisIn(intAttribute(c, 'axis', 0), shape.length);
  const found = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  return [{ dtype, shape: found, elements: elements && picked(elements, numbersOf(indices)) }];
};

function picked(elements: readonly Dim[], indices: readonly number[] | undefined): readonly Dim[] | undefined {
  const chosen = indices?.map((i) => elements.at(i));
  return chosen?.every((one) => one !== undefined) ? chosen : undefined;
}

const gatherElements: Rule = (c) => {
  const [data, indices] = [input(c, 0), input(c, 1)];
  requireDtype(indices, ...INDICES);
  if (data.shape) requireRank(indices, data.shape.length);
  return [{ dtype: data.dtype, shape: indices.shape }];
};

const gatherND: Rule = (c) => {
  const [data, indices] = [input(c, 0), input(c, 1)];
  requireDtype(indices, 'int64');
  const { dtype, shape } = data;
  const depth = indices.shape?.at(-1);
  if (!shape || !indices.shape || typeof depth !== 'number') return [{ dtype, shape: undefined }];
  const batch = intAttribute(c, 'batch_dims', 0);
  if (batch + depth > shape.length) throw new Misfit(`looks up ${depth} axes of ${shape.length - batch}`);
  return [{ dtype, shape: [...indices.shape.slice(0, -1), ...shape.slice(batch + depth)] }];
};

const scatter: Rule = (c) => {
  const [data, indices, updates] = [input(c, 0), input(c, 1), input(c, 2)];
  requireDtype(indices, ...INDICES);
  return [{ dtype: oneDtype([data, updates]), shape: data.shape }];
};

const scatterElements: Rule = (c) => {
  const [data, indices, updates] = [input(c, 0), input(c, 1), input(c, 2)];
  if (data.shape) requireRank(indices, data.shape.length);
  indices.shape?.forEach((one, axis) => {
    sameDim(one, updates.shape?.[axis], `axis ${axis}`);
  });
  return scatter(c);
};

const oneHot: Rule = (c) => {
  const [indices, depth, values] = [input(c, 0), input(c, 1), input(c, 2)];
  const { shape } = indices;
  if (!shape) return [{ dtype: values.dtype, shape: undefined }];
  const given = intAttribute(c, 'axis', -1);
  const axis = axisIn(given, shape.length + 1);
  const classes = depth.elements?.[0] ?? c.fresh();
  return [{ dtype: values.dtype, shape: [...shape.slice(0, axis), classes, ...shape.slice(axis)] }];
};

const nonZero: Rule = (c) => {
  const { shape } = input(c, 0);
  return [{ dtype: 'int64', shape: [shape ? Math.max(1, shape.length) : c.fresh(), c.fresh()] }];
};

const compress: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  requireDtype(input(c, 1), 'bool');
  requireRank(input(c, 1), 1);
  if (typeof c.attributes.axis !== 'number') return [{ dtype, shape: [c.fresh()] }];
  if (!shape) return [{ dtype, shape: undefined }];
  const axis = axisIn(c.attributes.axis, shape.length);
  return [{ dtype, shape: shape.map((one, i) => (i === axis ? c.fresh() : one)) }];
};

const nonMaxSuppression: Rule = (c) => {
  const [boxes, scores] = [input(c, 0), input(c, 1)];
  requireRank(boxes, 3);
  requireRank(scores, 3);
  sameDim(boxes.shape?.[0], scores.shape?.[0], 'images');
  sameDim(boxes.shape?.[1], scores.shape?.[2], 'boxes');
  sameDim(boxes.shape?.[2], 4, 'sides of a box');
  return [{ dtype: 'int64', shape: [c.fresh(), 3] }];
};

export const SELECTION: Readonly<Record<string, Rule>> = {
  ...ruleOf(reduce, 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin'),
  ...ruleOf(reduce, 'ReduceProd', 'ReduceSum', 'ReduceSumSquare'),
  ...ruleOf(argument, 'ArgMax', 'ArgMin'),
  TopK: topK,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatter,
  OneHot: oneHot,
  NonZero: nonZero,
  Compress: compress,
  NonMaxSuppression: nonMaxSuppression,
};
