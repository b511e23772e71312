/** Adjoints of matrix products. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import { type Adjoint, given, incoming, number, reshaped, scalarLike, sizesOf, sumTo } from './adjoint.ts';

function turned(graph: Graph, value: Value): Value {
  const axes = sizesOf(value).map((_, axis) => axis);
  const [last = 0, other = 0] = [axes.pop(), axes.pop()];
  return graph.transpose(value, [...axes, last, other]);
}

/** dA = dY Bᵀ and dB = Aᵀ dY; a vector is a row on the left, a column on the right; stretched batches are summed. */
const matMul: Adjoint = (c) => {
  const { graph } = c;
  const [a, b] = [given(c, 0), given(c, 1)];
  const [sizesA, sizesB] = [sizesOf(a), sizesOf(b)];
  const left = sizesA.length === 1 ? graph.reshape(a, [1, ...sizesA]) : a;
  const right = sizesB.length === 1 ? graph.reshape(b, [...sizesB, 1]) : b;
  const out = [...sizesOf(incoming(c))];
  if (sizesB.length === 1) out.push(1);
  if (sizesA.length === 1) out.splice(out.length - 1, 0, 1);
  const dy = reshaped(graph, incoming(c), out);
  const back = (gradient: Value, matrix: Value, sizes: readonly number[]) =>
    reshaped(graph, sumTo(graph, gradient, sizesOf(matrix)), sizes);
  return [
    c.wants(0) ? back(graph.matmul(dy, turned(graph, right)), left, sizesA) : undefined,
    c.wants(1) ? weightGradient() : undefined,
  ];

  function weightGradient(): Value {
    // Rows of all batches are the rows of one product where the right side is one matrix.
    if (sizesB.length === 2 && sizesA.length > 2) {
      const rows = (value: Value) => graph.reshape(value, [-1, sizesOf(value).at(-1) ?? 1]);
      return graph.gemm(rows(left), rows(dy), undefined, { transA: 1 });
    }
    return back(graph.matmul(turned(graph, left), dy), right, sizesB);
  }
};

/** Y = α A′ B′ + β C, where A′ and B′ may be turned. */
const gemm: Adjoint = (c) => {
  const { graph } = c;
  const [a, b] = [given(c, 0), given(c, 1)];
  const dy = incoming(c);
  const alpha = number(c, 'alpha', 1);
  const beta = number(c, 'beta', 1);
  const [transA, transB] = [number(c, 'transA', 0), number(c, 'transB', 0)];
  const product = (x: Value, y: Value, turnX: number, turnY: number) =>
    graph.gemm(x, y, undefined, { alpha: { float: alpha }, transA: turnX, transB: turnY });
  const bias = c.inputs[2];
  return [
    c.wants(0) ? (transA ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB)) : undefined,
    c.wants(1) ? (transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0)) : undefined,
    bias && c.wants(2) ? scaled(graph, sumTo(graph, dy, sizesOf(bias)), beta) : undefined,
  ];
};

function scaled(graph: Graph, value: Value, factor: number): Value {
  return factor === 1 ? value : graph.mul(value, scalarLike(graph, value, factor));
}

export const PRODUCTS: Readonly<Record<string, Adjoint>> = { MatMul: matMul, Gemm: gemm };
