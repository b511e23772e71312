/** Adjoints of activation functions. At a kink the slope is one of the two sides', as in PyTorch. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import {
  type Adjoint,
  type AdjointContext,
  given,
  incoming,
  number,
  result,
  scalarLike,
  sizesOf,
  sumTo,
  text,
} from './adjoint.ts';
import { slope } from './elementwise.ts';

/** 1 where the value is not zero, else 0. Two casts cost a third less than a comparison and a choice. */
function isNotZero(graph: Graph, value: Value): Value {
  return graph.cast(graph.cast(value, 'bool'), value.dtype ?? 'float32');
}

const relu: Adjoint = slope((c) => isNotZero(c.graph, result(c)));

const sigmoid: Adjoint = slope((c) => {
  const y = result(c);
  return c.graph.mul(y, c.graph.sub(scalarLike(c.graph, y, 1), y));
});

const tanh: Adjoint = slope((c) => {
  const y = result(c);
  return c.graph.sub(scalarLike(c.graph, y, 1), c.graph.mul(y, y));
});

/** 1 where x is strictly between the bounds. */
function isInside(graph: Graph, x: Value, least: Value | undefined, most: Value | undefined): Value {
  const above = least && graph.greater(x, least);
  const below = most && graph.less(x, most);
  const inside = above && below ? graph.and(above, below) : (above ?? below);
  return inside ? graph.cast(inside, x.dtype ?? 'float32') : scalarLike(graph, x, 1);
}

/** Bounds may be left out. Their own gradients are not wanted by anybody. */
const clip: Adjoint = (c) => {
  const x = given(c, 0);
  const bound = (name: string, input: number): Value | undefined => {
    const value = c.attributes[name];
    return typeof value === 'number' ? scalarLike(c.graph, x, value) : c.inputs[input];
  };
  return [c.graph.mul(incoming(c), isInside(c.graph, x, bound('min', 1), bound('max', 2)))];
};

/** h (1 − h) is zero where h is 0 or 1, which is where it is flat. */
function slopeOfHardSigmoid(graph: Graph, h: Value): Value {
  return isNotZero(graph, graph.mul(h, graph.sub(scalarLike(graph, h, 1), h)));
}

const hardSigmoid: Adjoint = slope((c) => {
  const alpha = scalarLike(c.graph, incoming(c), number(c, 'alpha', 0.2));
  return c.graph.mul(slopeOfHardSigmoid(c.graph, result(c)), alpha);
});

/** x · h(x) with h the hard sigmoid of slope 1/6: h + x · h′. */
const hardSwish: Adjoint = slope((c, x) => {
  const { graph } = c;
  const h = graph.hardSigmoid(x, 1 / 6, 0.5);
  const bent = graph.mul(slopeOfHardSigmoid(graph, h), graph.mul(x, scalarLike(graph, x, 1 / 6)));
  return graph.add(h, bent);
});

const leakyRelu: Adjoint = slope((c, x) => {
  const { graph } = c;
  const positive = graph.greater(x, scalarLike(graph, x, 0));
  return graph.where(positive, scalarLike(graph, x, 1), scalarLike(graph, x, number(c, 'alpha', 0.01)));
});

/** Of α (eˣ − 1) below zero the slope is y + α. */
const elu: Adjoint = slope((c, x) => {
  const { graph } = c;
  const alpha = scalarLike(graph, x, number(c, 'alpha', 1));
  const one = scalarLike(graph, x, 1);
  return graph.where(graph.greater(x, scalarLike(graph, x, 0)), one, graph.add(result(c), alpha));
});

const softplus: Adjoint = slope((c, x) => c.graph.sigmoid(x));

const prelu: Adjoint = (c) => {
  const { graph } = c;
  const [x, slopes] = [given(c, 0), given(c, 1)];
  const dy = incoming(c);
  const zero = scalarLike(graph, x, 0);
  const positive = graph.greater(x, zero);
  return [
    c.wants(0) ? graph.mul(dy, graph.where(positive, scalarLike(graph, x, 1), slopes)) : undefined,
    c.wants(1) ? sumTo(graph, graph.mul(dy, graph.where(positive, zero, x)), sizesOf(slopes)) : undefined,
  ];
};

/** d erf(x) / dx = 2 / √π · e^(−x²). */
function slopeOfErf(graph: Graph, x: Value): Value {
  const bell = graph.exp(graph.neg(graph.mul(x, x)));
  return graph.mul(bell, scalarLike(graph, x, 2 / Math.sqrt(Math.PI)));
}

/** x Φ(x): Φ + x φ(x); or, with the tangent that approximates it, by its own formula. */
const gelu: Adjoint = slope((c, x) => {
  const { graph } = c;
  const scalar = (value: number) => scalarLike(graph, x, value);
  const half = scalar(0.5);
  if (text(c, 'approximate', 'none') === 'tanh') return slopeOfTanhGelu(c, x);
  const turned = graph.mul(x, scalar(Math.SQRT1_2));
  const below = graph.mul(graph.add(graph.op('Erf', [turned]), scalar(1)), half);
  const density = graph.mul(slopeOfErf(graph, turned), scalar(Math.SQRT1_2 / 2));
  return graph.add(below, graph.mul(x, density));
});

/** y = x/2 · (1 + t) with t = tanh(√(2/π) (x + 0.044715 x³)). */
function slopeOfTanhGelu({ graph }: AdjointContext, x: Value): Value {
  const scalar = (value: number) => scalarLike(graph, x, value);
  const square = graph.mul(x, x);
  const inner = graph.mul(x, graph.add(graph.mul(square, scalar(0.044715)), scalar(1)));
  const t = graph.tanh(graph.mul(inner, scalar(Math.sqrt(2 / Math.PI))));
  const turn = graph.mul(graph.add(graph.mul(square, scalar(3 * 0.044715)), scalar(1)), scalar(Math.sqrt(2 / Math.PI)));
  const rest = graph.mul(graph.mul(x, graph.sub(scalar(1), graph.mul(t, t))), turn);
  return graph.mul(graph.add(graph.add(t, scalar(1)), rest), scalar(0.5));
}

export const ACTIVATIONS: Readonly<Record<string, Adjoint>> = {
  Relu: relu,
  Sigmoid: sigmoid,
  Tanh: tanh,
  Clip: clip,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  LeakyRelu: leakyRelu,
  Elu: elu,
  Softplus: softplus,
  PRelu: prelu,
  Erf: slope((c, x) => slopeOfErf(c.graph, x)),
  Gelu: gelu,
};
