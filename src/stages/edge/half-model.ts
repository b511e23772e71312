/**
 * A model whose network runs in half precision, inputs and outputs in single: half the size, and what GPUs and TensorRT are
 * quick at. What comes behind the last large weights (decoding of boxes, norms, heads, probabilities) stays in single
 * precision, where halves would overflow or lose pixels.
 */

import { float32ToFloat16 } from '../../math/float16.ts';
import { ELEMENT_TYPES } from '../../onnx/element-types.ts';
import { subgraphsOf } from '../../onnx/node-graph.ts';
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from '../../onnx/proto.ts';
import { sizeOf, tensorFromProto, tensorToProto } from '../../onnx/tensor.ts';
import { castNode, typesIn } from './float-ports.ts';

const { float32: FLOAT, float16: HALF } = ELEMENT_TYPES;
/** Elements of weights that make a product a part of the network and not of a head. */
const LARGE = 65_536;
const CONVOLUTIONS = new Set(['Conv', 'ConvTranspose']);
const PRODUCTS = new Set(['MatMul', 'Gemm']);
/** Inputs that are of single precision by the operator's definition. */
const SINGLE_INPUTS: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

export type HalfModel =
  | { readonly kind: 'made'; readonly model: ModelProto }
  /** Why it cannot be: for people. */
  | { readonly kind: 'not'; readonly because: string };

/** @param model of single precision, with float ports */
export function halfModel(model: ModelProto): HalfModel {
  const graph = model.graph as GraphProto;
  const nodes = graph.node ?? [];
  const inside = networkNodes(graph);
  if (inside.size === 0) return { kind: 'not', because: 'it has no large weights' };
  const types = typesIn(graph);
  for (const node of inside) {
    const because = refusal(node, (name) => types.get(name)?.dtype);
    if (because !== undefined) return { kind: 'not', because };
  }
  const isFloat = (name: string) => types.get(name)?.dtype === 'float32';
  const maker = new HalfMaker(graph, inside, isFloat);
  const made = nodes.flatMap((node) => (inside.has(node) ? maker.inside(node) : maker.outside(node)));
  return {
    kind: 'made',
    model: { ...model, graph: { ...graph, node: made, initializer: maker.initializers(), valueInfo: [] } },
  };
}

/** The nodes that some large weights depend on, those with the weights among them. */
function networkNodes(graph: GraphProto): Set<NodeProto> {
  const sizes = new Map((graph.initializer ?? []).map(({ name, dims }) => [name, sizeOf((dims ?? []).map(Number))]));
  const producer = new Map<string, NodeProto>();
  for (const node of graph.node ?? []) for (const name of node.output ?? []) producer.set(name, node);
  const isLarge = ({ opType = '', input = [] }: NodeProto) =>
    CONVOLUTIONS.has(opType) || (PRODUCTS.has(opType) && input.some((name) => (sizes.get(name) ?? 0) >= LARGE));
  const inside = new Set<NodeProto>();
  const open = (graph.node ?? []).filter(isLarge);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (inside.has(node)) continue;
    inside.add(node);
    for (const name of node.input ?? []) {
      const before = producer.get(name);
      if (before !== undefined) open.push(before);
    }
  }
  return inside;
}

function refusal(node: NodeProto, dtypeOf: (name: string) => string | undefined): string | undefined {
  const { opType = '', domain = '' } = node;
  if (/Quant|Integer|QLinear/.test(opType)) return `it is quantised (${opType})`;
  if (subgraphsOf(node).length > 0) return `it has parts of its own in ${opType}`;
  if (domain !== '' && domain !== 'ai.onnx') return `it has operators of ${domain}`;
  const unknown = (node.output ?? []).find((name) => name !== '' && dtypeOf(name) === undefined);
  return unknown === undefined ? undefined : `nothing is known of what ${opType} gives`;
}

/** Values inside keep their names and are halves; what is read outside is cast back under another name. */
class HalfMaker {
  readonly #weights: ReadonlyMap<string, TensorProto>;
  readonly #isFloat: (name: string) => boolean;
  readonly #inputs: ReadonlySet<string>;
  readonly #producedInside = new Set<string>();
  readonly #outputs: ReadonlySet<string>;
  readonly #casts = new Set<string>();
  readonly #halfWeights = new Set<string>();
  readonly #floatWeights = new Set<string>();

  constructor(graph: GraphProto, inside: ReadonlySet<NodeProto>, isFloat: (name: string) => boolean) {
    this.#weights = new Map((graph.initializer ?? []).map((proto) => [proto.name ?? '', proto]));
    this.#inputs = new Set((graph.input ?? []).map(({ name }) => name ?? ''));
    this.#outputs = new Set((graph.output ?? []).map(({ name }) => name ?? ''));
    this.#isFloat = isFloat;
    for (const node of inside) for (const name of node.output ?? []) this.#producedInside.add(name);
  }

  inside(node: NodeProto): NodeProto[] {
    const before: NodeProto[] = [];
    const single = SINGLE_INPUTS[node.opType ?? ''] ?? [];
    const input = (node.input ?? []).map((name, i) => {
      if (name === '' || !this.#isFloat(name)) return this.#plain(name);
      return single.includes(i) ? this.#float(name, before) : this.#half(name, before);
    });
    const after: NodeProto[] = [];
    const output = (node.output ?? []).map((name) => {
      if (!this.#outputs.has(name) || !this.#isFloat(name)) return name;
      after.push(castNode(`${name}/half`, name, FLOAT));
      return `${name}/half`;
    });
    return [...before, { ...node, input, output, attribute: node.attribute?.map(halfAttribute(node)) }, ...after];
  }

  outside(node: NodeProto): NodeProto[] {
    const before: NodeProto[] = [];
    const input = (node.input ?? []).map((name) =>
      name !== '' && this.#isFloat(name) ? this.#float(name, before) : this.#plain(name),
    );
    return [...before, { ...node, input }];
  }

  initializers(): TensorProto[] {
    return [...this.#weights].flatMap(([name, proto]) => [
      ...(this.#floatWeights.has(name) ? [proto] : []),
      ...(this.#halfWeights.has(name) ? [halfTensor(proto, `${name}/half`)] : []),
    ]);
  }

  #plain(name: string): string {
    if (this.#weights.has(name)) this.#floatWeights.add(name);
    return name;
  }

  #half(name: string, before: NodeProto[]): string {
    if (this.#weights.has(name)) {
      this.#halfWeights.add(name);
      return `${name}/half`;
    }
    if (this.#producedInside.has(name)) return this.#outputs.has(name) ? `${name}/half` : name;
    return this.#cast(name, `${name}/half`, HALF, before);
  }

  #float(name: string, before: NodeProto[]): string {
    if (this.#weights.has(name) || this.#inputs.has(name)) return this.#plain(name);
    if (!this.#producedInside.has(name) || this.#outputs.has(name)) return name;
    return this.#cast(name, `${name}/single`, FLOAT, before);
  }

  #cast(from: string, to: string, type: number, before: NodeProto[]): string {
    if (!this.#casts.has(to)) before.push(castNode(from, to, type));
    this.#casts.add(to);
    return to;
  }
}

/** What says the type of a result says half. */
function halfAttribute({ opType }: NodeProto) {
  return (attribute: AttributeProto): AttributeProto => {
    if (opType === 'Cast' && attribute.name === 'to' && Number(attribute.i) === FLOAT)
      return { ...attribute, i: BigInt(HALF) };
    if (attribute.t?.dataType === FLOAT) return { ...attribute, t: halfTensor(attribute.t, attribute.t.name ?? '') };
    return attribute;
  };
}

function halfTensor(proto: TensorProto, name: string): TensorProto {
  const { data, dims } = tensorFromProto(proto);
  return tensorToProto(name, { dtype: 'float16', dims, data: float32ToFloat16(Float32Array.from(data, Number)) });
}
