/** Adjoints of sums and means over axes, of norms, and of what normalises. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  axisOf,
  constantLike,
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

/** x / ‖x‖, and 0 where all of x is 0, of what may be taken for a gradient there: the smallest, as PyTorch takes it. */
const norm: Adjoint = (c) => {
  const { graph } = c;
  const { x, y, dy } = reduced(c);
  const isZero = graph.cast(graph.equal(y, scalarLike(graph, y, 0)), y.dtype ?? 'float32');
  return [graph.mul(x, graph.div(dy, graph.add(y, isZero)))];
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

interface Normalised {
  /** x̂ = (x − μ) / √(σ² + ε). */
  readonly normalised: Value;
  /** Of the inputs, from g = dy γ: (g − mean g − x̂ mean(g x̂)) / √(σ² + ε). */
  inputGradient(g: Value): Value;
}

/** By the mean and the variance over some axes. */
function normalised(c: AdjointContext, axes: readonly number[]): Normalised {
  const { graph } = c;
  const x = given(c, 0);
  const centred = graph.sub(x, graph.reduceMean(x, axes));
  const variance = graph.reduceMean(graph.mul(centred, centred), axes);
  const scale = graph.reciprocal(graph.sqrt(graph.add(variance, scalarLike(graph, x, number(c, 'epsilon', 1e-5)))));
  const result = graph.mul(centred, scale);
  const inputGradient = (g: Value) => {
    const along = graph.mul(result, graph.reduceMean(graph.mul(g, result), axes));
    return graph.mul(scale, graph.sub(graph.sub(g, graph.reduceMean(g, axes)), along));
  };
  return { normalised: result, inputGradient };
}

const layerNormalization: Adjoint = (c) => {
  const { graph } = c;
  const [x, gamma] = [given(c, 0), given(c, 1)];
  const dy = incoming(c);
  const rank = sizesOf(x).length;
  const first = axisOf(number(c, 'axis', -1), rank);
  const hat = normalised(
    c,
    Array.from({ length: rank - first }, (_, i) => first + i),
  );
  return [
    c.wants(0) ? hat.inputGradient(graph.mul(dy, gamma)) : undefined,
    c.wants(1) ? sumTo(graph, graph.mul(dy, hat.normalised), sizesOf(gamma)) : undefined,
    c.wants(2) ? sumTo(graph, dy, sizesOf(given(c, 2))) : undefined,
  ];
};

/** Each channel of each image by itself. */
const instanceNormalization: Adjoint = (c) => {
  const { graph } = c;
  const [x, gamma] = [given(c, 0), given(c, 1)];
  const dy = incoming(c);
  const axes = [...sizesOf(x).keys()];
  const hat = normalised(c, axes.slice(2));
  const overImages = axes.filter((axis) => axis !== 1);
  return [
    c.wants(0) ? hat.inputGradient(graph.mul(dy, perChannel(graph, gamma, x))) : undefined,
    c.wants(1) ? graph.reduceSum(graph.mul(dy, hat.normalised), overImages, { keepDims: false }) : undefined,
    c.wants(2) ? graph.reduceSum(dy, overImages, { keepDims: false }) : undefined,
  ];
};

/** A matrix with a one where channel `j` is among the `size` (an odd number) around channel `i`. */
function neighbours(channels: number, size: number): Float32Array {
  const reach = (size - 1) / 2;
  return Float32Array.from({ length: channels * channels }, (_, k) =>
    Math.abs(Math.floor(k / channels) - (k % channels)) <= reach ? 1 : 0,
  );
}

/**
 * y = x s⁻ᵝ with s = k + α/n Σ x² over the n channels around each. From s on both sides, with W the sum over neighbours:
 * dx = dy s⁻ᵝ − 2αβ/n x W(dy x s⁻ᵝ⁻¹), since neighbours are neighbours of each other.
 */
const localResponseNormalization: Adjoint = (c) => {
  const { graph } = c;
  const x = given(c, 0);
  const dy = incoming(c);
  const [n = 1, channels = 1, ...image] = sizesOf(x);
  const size = number(c, 'size', 1);
  const [alpha, beta, bias] = [number(c, 'alpha', 1e-4), number(c, 'beta', 0.75), number(c, 'bias', 1)];
  const scalar = (value: number) => scalarLike(graph, x, value);
  const around = constantLike(graph, x, neighbours(channels, size), [channels, channels]);
  const summed = (value: Value) => {
    const planes = graph.reshape(value, [n, channels, image.reduce((a, b) => a * b, 1)]);
    return graph.reshape(graph.matmul(around, planes), [n, channels, ...image]);
  };
  const s = graph.add(graph.mul(summed(graph.mul(x, x)), scalar(alpha / size)), scalar(bias));
  const power = graph.pow(s, scalar(-beta));
  const inner = summed(graph.mul(graph.mul(dy, x), graph.div(power, s)));
  return [graph.sub(graph.mul(dy, power), graph.mul(graph.mul(x, inner), scalar((2 * alpha * beta) / size)))];
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
  InstanceNormalization: instanceNormalization,
  LRN: localResponseNormalization,
};
