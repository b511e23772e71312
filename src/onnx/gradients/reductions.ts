/** Adjoints of sums and means over axes, of norms, and of what normalises. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  axisOf,
  given,
  incoming,
  listed,
  NoAdjoint,
  number,
  reshaped,
  result,
  scalarLike,
  sizesOf,
  sumTo,
} from './adjoint.ts';

interface Reduced {
  readonly x: Value;
  /** The result and its gradient, with the reduced axes of size 1. */
  readonly y: Value;
  readonly dy: Value;
  /** Elements in one sum. */
  readonly count: number;
}

function reduced(c: AdjointContext): Reduced {
  const x = given(c, 0);
  const sizes = sizesOf(x);
  const axes = listed(c, 'axes', 1)?.map((axis) => axisOf(axis, sizes.length));
  const none = axes === undefined || axes.length === 0;
  if (none && number(c, 'noop_with_empty_axes', 0) === 1) throw new NoAdjoint('it reduces nothing');
  const kept = sizes.map((size, axis) => (none || axes.includes(axis) ? 1 : size));
  const count = sizes.reduce((a, b) => a * b, 1) / kept.reduce((a, b) => a * b, 1);
  return { x, y: reshaped(c.graph, result(c), kept), dy: reshaped(c.graph, incoming(c), kept), count };
}

const sum: Adjoint = (c) => {
  const { x, dy } = reduced(c);
  return [c.graph.expand(dy, sizesOf(x))];
};

const mean: Adjoint = (c) => {
  const { x, dy, count } = reduced(c);
  return [c.graph.expand(c.graph.mul(dy, scalarLike(c.graph, dy, 1 / count)), sizesOf(x))];
};

const sumSquare: Adjoint = (c) => {
  const { x, dy } = reduced(c);
  return [c.graph.mul(x, c.graph.mul(dy, scalarLike(c.graph, dy, 2)))];
};

const norm: Adjoint = (c) => {
  const { x, y, dy } = reduced(c);
  return [c.graph.mul(x, c.graph.div(dy, y))];
};

const sumOfSizes: Adjoint = (c) => {
  const { x, dy } = reduced(c);
  return [c.graph.mul(c.graph.sign(x), dy)];
};

/** To the elements that are the result; where several are, each takes an equal part. */
const extreme: Adjoint = (c) => {
  const { graph } = c;
  const { x, y, dy } = reduced(c);
  const hit = graph.cast(graph.equal(x, y), x.dtype ?? 'float32');
  return [graph.mul(hit, graph.div(dy, sumTo(graph, hit, sizesOf(y))))];
};

/** y (dy − Σ dy y). */
const softmax: Adjoint = (c) => {
  const { graph } = c;
  const y = result(c);
  const axis = axisOf(number(c, 'axis', -1), sizesOf(y).length);
  const total = graph.reduceSum(graph.mul(incoming(c), y), [axis]);
  return [graph.mul(y, graph.sub(incoming(c), total))];
};

/** dy − eʸ Σ dy. */
const logSoftmax: Adjoint = (c) => {
  const { graph } = c;
  const y = result(c);
  const axis = axisOf(number(c, 'axis', -1), sizesOf(y).length);
  return [graph.sub(incoming(c), graph.mul(graph.exp(y), graph.reduceSum(incoming(c), [axis])))];
};

/** A vector of the channels, as it stands beside an image. */
function perChannel(graph: Graph, value: Value, like: Value): Value {
  const sizes = sizesOf(like).map((size, axis) => (axis === 1 ? size : 1));
  return reshaped(graph, value, sizes);
}

/** With its statistics frozen: y = (x − μ) γ / √(σ² + ε) + β. */
const batchNormalization: Adjoint = (c) => {
  const { graph } = c;
  if (number(c, 'training_mode', 0) === 1) throw new NoAdjoint('it takes its statistics from the batch');
  const x = given(c, 0);
  const dy = incoming(c);
  const epsilon = scalarLike(graph, x, number(c, 'epsilon', 1e-5));
  const scale = graph.reciprocal(graph.sqrt(graph.add(given(c, 4), epsilon)));
  const axes = sizesOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const gamma = () => {
    const centred = graph.mul(graph.sub(x, perChannel(graph, given(c, 3), x)), perChannel(graph, scale, x));
    return graph.reduceSum(graph.mul(dy, centred), axes, { keepDims: false });
  };
  return [
    c.wants(0) ? graph.mul(dy, perChannel(graph, graph.mul(given(c, 1), scale), x)) : undefined,
    c.wants(1) ? gamma() : undefined,
    c.wants(2) ? graph.reduceSum(dy, axes, { keepDims: false }) : undefined,
  ];
};

/** With x̂ = (x − μ) / √(σ² + ε) and g = dy γ: (g − mean g − x̂ mean(g x̂)) / √(σ² + ε). */
const layerNormalization: Adjoint = (c) => {
  const { graph } = c;
  const [x, gamma] = [given(c, 0), given(c, 1)];
  const dy = incoming(c);
  const rank = sizesOf(x).length;
  const first = axisOf(number(c, 'axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const centred = graph.sub(x, graph.reduceMean(x, axes));
  const variance = graph.reduceMean(graph.mul(centred, centred), axes);
  const scale = graph.reciprocal(graph.sqrt(graph.add(variance, scalarLike(graph, x, number(c, 'epsilon', 1e-5)))));
  const normalised = graph.mul(centred, scale);
  const inputGradient = () => {
    const g = graph.mul(dy, gamma);
    const along = graph.mul(normalised, graph.reduceMean(graph.mul(g, normalised), axes));
    return graph.mul(scale, graph.sub(graph.sub(g, graph.reduceMean(g, axes)), along));
  };
  return [
    c.wants(0) ? inputGradient() : undefined,
    c.wants(1) ? sumTo(graph, graph.mul(dy, normalised), sizesOf(gamma)) : undefined,
    c.wants(2) ? sumTo(graph, dy, sizesOf(given(c, 2))) : undefined,
  ];
};

export const REDUCTIONS: Readonly<Record<string, Adjoint>> = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceSumSquare: sumSquare,
  ReduceL1: sumOfSizes,
  ReduceL2: norm,
  ReduceMax: extreme,
  ReduceMin: extreme,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
