/**
 * Activations that exporters spell out in small operators, put together again: each pass over the activations that is
 * saved is memory traffic saved.
 *
 * Weights stored in float16 hold 1/6 as a = 0.16662598…, and what is built here must give what the spelled-out form
 * gives with that a, not what was once meant. With s = 6a:
 * - relu6(x + 3) · a = s · hardSigmoid(x)
 * - (a · x) · relu6(x + 3) = s · hardSwish(x). Where x comes from a convolution that nothing else reads, s goes into its
 *   weights: with x' = s·x it is x' · clip(x' / 6s + 1/2, 0, 1).
 */
import type { Tensor } from '../../math/tensor.ts';
import type { TfModel, TfNode } from './tfjs-model.ts';

export interface Fused {
  readonly nodes: ReadonlyMap<string, TfNode>;
  /** Factors on the outputs of convolutions. */
  readonly scales: ReadonlyMap<string, number>;
}

const ADDS = ['Add', 'AddV2'];
const CONVS = ['Conv2D', '_FusedConv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'];

/** `wanted` names nodes whose own values are asked for: their convolutions are not scaled. */
export function fuseActivations({ nodes, weights }: TfModel, wanted: ReadonlySet<string>): Fused {
  const readers = new Map<string, string[]>();
  for (const node of nodes.values()) {
    for (const input of node.input) readers.set(input, [...(readers.get(input) ?? []), node.name]);
  }
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
    const sum = withNumber(nodes.get(relu6.input[0] as string), ADDS);
    return sum && sum.number === 3 ? sum.x : undefined;
  };

  const fused = new Map(nodes);
  const scales = new Map<string, number>();
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
      const conv = nodes.get(x ?? '');
      if (x === undefined || !product || product.x !== x || !conv || !CONVS.includes(conv.op)) continue;
      const activated = (conv.attr.fused_ops?.list?.s ?? []).length > 1;
      if (activated || wanted.has(x) || readers.get(x)?.length !== 2) continue;
      const scale = 6 * product.number;
      scales.set(x, scale);
      fused.set(node.name, activation(node, 'HardSwish', x, scale));
      break;
    }
  }
  return { nodes: fused, scales };
}

function activation(node: TfNode, op: string, x: string, scale: number): TfNode {
  return { name: node.name, op, input: [x], attr: { scale: { f: scale } } };
}

function scalarOf(tensor: Tensor | undefined): number | undefined {
  return tensor && tensor.data.length === 1 ? Number(tensor.data[0]) : undefined;
}
