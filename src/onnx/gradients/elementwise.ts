/** Adjoints of arithmetic, element by element and stretched as NumPy does. */
import type { Value } from '../value.ts';
import { type Adjoint, type AdjointContext, given, incoming, result, scalarLike, sizesOf, sumTo } from './adjoint.ts';

/** The gradient of an input that may have been stretched, made only where it is wanted. */
function toInput(c: AdjointContext, input: number, make: () => Value): Value | undefined {
  return c.wants(input) ? sumTo(c.graph, make(), sizesOf(given(c, input))) : undefined;
}

const add: Adjoint = (c) => c.inputs.map((_, i) => toInput(c, i, () => incoming(c)));

const mean: Adjoint = (c) => {
  const scale = scalarLike(c.graph, incoming(c), 1 / c.inputs.length);
  return c.inputs.map((_, i) => toInput(c, i, () => c.graph.mul(incoming(c), scale)));
};

const sub: Adjoint = (c) => [toInput(c, 0, () => incoming(c)), toInput(c, 1, () => c.graph.neg(incoming(c)))];

const mul: Adjoint = (c) => [
  toInput(c, 0, () => c.graph.mul(incoming(c), given(c, 1))),
  toInput(c, 1, () => c.graph.mul(incoming(c), given(c, 0))),
];

/** y = a / b: dy / b and −dy · y / b. */
const div: Adjoint = (c) => [
  toInput(c, 0, () => c.graph.div(incoming(c), given(c, 1))),
  toInput(c, 1, () => c.graph.neg(c.graph.div(c.graph.mul(incoming(c), result(c)), given(c, 1)))),
];

/** y = aᵇ: dy · b · aᵇ⁻¹ and dy · y · ln a. */
const pow: Adjoint = (c) => {
  const { graph } = c;
  const [a, b] = [given(c, 0), given(c, 1)];
  const exponent = b.dtype === a.dtype || !a.dtype ? b : graph.cast(b, a.dtype);
  return [
    toInput(c, 0, () => {
      const less = graph.sub(exponent, scalarLike(graph, a, 1));
      return graph.mul(incoming(c), graph.mul(exponent, graph.pow(a, less)));
    }),
    toInput(c, 1, () => graph.mul(incoming(c), graph.mul(result(c), graph.log(a)))),
  ];
};

/** To the inputs that are the largest or smallest; where several are, each takes an equal part, as PyTorch has it. */
const extreme: Adjoint = (c) => {
  const { graph } = c;
  const y = result(c);
  const like = incoming(c);
  const hits = c.inputs.map((x) => x && graph.cast(graph.equal(x, y), like.dtype ?? 'float32'));
  const count = hits.reduce((a, b) => (a && b ? graph.add(a, b) : (a ?? b)));
  const share = count ? graph.div(like, count) : like;
  return hits.map((hit, i) => toInput(c, i, () => (hit ? graph.mul(share, hit) : share)));
};

const where: Adjoint = (c) => {
  const { graph } = c;
  const zero = scalarLike(graph, incoming(c), 0);
  return [
    undefined,
    toInput(c, 1, () => graph.where(given(c, 0), incoming(c), zero)),
    toInput(c, 2, () => graph.where(given(c, 0), zero, incoming(c))),
  ];
};

/** An operator of one input whose slope is a value of the graph: dy · slope. */
export function slope(make: (c: AdjointContext, x: Value) => Value): Adjoint {
  return (c) => [c.graph.mul(incoming(c), make(c, given(c, 0)))];
}

const through: Adjoint = (c) => [incoming(c)];
/** Steps are flat. */
const none: Adjoint = (c) => c.inputs.map(() => undefined);

const cast: Adjoint = (c) => {
  const { dtype } = given(c, 0);
  return [dtype ? c.graph.cast(incoming(c), dtype) : undefined];
};

export const ELEMENTWISE: Readonly<Record<string, Adjoint>> = {
  Add: add,
  Sum: add,
  Mean: mean,
  Sub: sub,
  Mul: mul,
  Div: div,
  Pow: pow,
  Max: extreme,
  Min: extreme,
  Where: where,
  Identity: through,
  /** At inference it changes nothing. */
  Dropout: through,
  Cast: cast,
  Floor: none,
  Ceil: none,
  Round: none,
  Sign: none,
  Neg: (c) => [c.graph.neg(incoming(c))],
  Abs: slope((c, x) => c.graph.sign(x)),
  Sqrt: (c) => [c.graph.div(c.graph.mul(incoming(c), scalarLike(c.graph, incoming(c), 0.5)), result(c))],
  Exp: slope((c) => result(c)),
  Log: (c) => [c.graph.div(incoming(c), given(c, 0))],
  Reciprocal: slope((c) => c.graph.neg(c.graph.mul(result(c), result(c)))),
  Sin: slope((c, x) => c.graph.op('Cos', [x])),
  Cos: slope((c, x) => c.graph.neg(c.graph.op('Sin', [x]))),
};
