/**
 * Activations that exporters spell out in small operators, put together again: each pass over the activations that is
 * saved is memory traffic saved, and ONNX Runtime computes these along with the convolution before them.
 *
 * Weights stored in float16 hold 1/6 as a = 0.16662598…, and what is built here must give what the spelled-out form
 * gives with that a, not what was once meant. With f = 6a:
 * - relu6(x + 3) · a = f · hardSigmoid(x)
 * - (a · x) · relu6(x + 3) = f · hardSwish(x)
 * The factor goes into the weights of the convolutions that read the result.
 */
import type { Tensor } from '../../onnx/tensor.ts';
import type { TfModel, TfNode } from './tfjs-model.ts';

const ADDS = ['Add', 'AddV2'];

/** The nodes with `HardSwish` and `HardSigmoid` (attribute `factor`) in the place of the last node of each such group. */
export function fuseActivations({ nodes, weights }: TfModel): Map<string, TfNode> {
  const scalar = (name: string | undefined): number | undefined =>
    scalarOf(name === undefined ? undefined : weights.get(name));
  /** The other input and the number, of an operator on a value and a number. */
  const withNumber = (node: TfNode | undefined, ops: readonly string[]): { x: string; number: number } | undefined => {
    if (!node || !ops.includes(node.op)) return undefined;
    const [a, b] = node.input as [string, string];
    const [left, right] = [scalar(a), scalar(b)];
    if (right !== undefined && left === undefined) return { x: a, number: right };
    return left !== undefined && right === undefined ? { x: b, number: left } : undefined;
  };
  /** x of relu6(x + 3). */
  const gated = (name: string | undefined): string | undefined => {
    const relu6 = nodes.get(name ?? '');
    if (relu6?.op !== 'Relu6') return undefined;
    const sum = withNumber(nodes.get(relu6.input[0]), ADDS);
    return sum && sum.number === 3 ? sum.x : undefined;
  };

  const fused = new Map(nodes);
  for (const node of nodes.values()) {
    if (node.op !== 'Mul') continue;
    const number = withNumber(node, ['Mul']);
    if (number) {
      const x = gated(number.x);
      if (x !== undefined) fused.set(node.name, activation(node, 'HardSigmoid', x, 6 * number.number));
      continue;
    }
    const [a, b] = node.input as [string, string];
    for (const [scaled, gate] of [
      [a, b],
      [b, a],
    ] as const) {
      const x = gated(gate);
      const product = withNumber(nodes.get(scaled), ['Mul']);
      if (x === undefined || product?.x !== x) continue;
      fused.set(node.name, activation(node, 'HardSwish', x, 6 * product.number));
      break;
    }
  }
  return fused;
}

function activation(node: TfNode, op: string, x: string, factor: number): TfNode {
  return { name: node.name, op, input: [x], attr: { factor: { f: factor } } };
}

function scalarOf(tensor: Tensor | undefined): number | undefined {
  return tensor && tensor.data.length === 1 ? Number(tensor.data[0]) : undefined;
}
