/**
 * Of models that differ in some constants alone: what they all compute alike, once for all of them, and the rest of each.
 * Networks that were trained above the same cut have most of their work in common.
 */
import { inlineModel } from '../../onnx/compose.ts';
import type { DType } from '../../onnx/element-types.ts';
import { valuesReadBy } from '../../onnx/node-graph.ts';
import { Graph } from '../../onnx/ops.ts';
import { decodeModel, encodeModel, type ModelProto, type NodeProto, type TensorProto } from '../../onnx/proto.ts';
import type { Shape, Value } from '../../onnx/value.ts';

export interface SharedPart {
  /** The models' input → `x0`, `x1` …: what the models have in common. */
  readonly below: Uint8Array;
  /** In the order of the models: these → the models' output. */
  readonly above: readonly Uint8Array[];
}

export interface SharedPorts {
  /** Name and shape of the one input, of type uint8. */
  readonly input: { readonly name: string; readonly dims: readonly number[] };
  readonly output: string;
}

/** Operators in which a network spends its time. */
const HEAVY: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);

/** Null where the models have less than half of their work in common, or differ in more than constants. */
export function sharedPart(models: readonly Uint8Array[], { input, output }: SharedPorts): SharedPart | null {
  const protos = models.map(decodeModel);
  const [first, ...others] = protos;
  if (!first || others.length === 0 || others.some((one) => !isAlike(one, first))) return null;
  const nodes = first.graph?.node ?? [];
  const apart = valuesBehind(nodes, constantsApart(protos));
  const ofInput = valuesBehind(nodes, new Set([input.name]));
  const isApart = (node: NodeProto) => (node.output ?? []).some((name) => apart.has(name));
  const heavy = nodes.filter(({ opType = '' }) => HEAVY.has(opType));
  if (2 * heavy.filter(isApart).length > heavy.length) return null;
  const read = new Set(nodes.filter(isApart).flatMap(valuesReadBy));
  const border = [...read].filter((name) => ofInput.has(name) && !apart.has(name));
  if (border.length === 0 || border.includes(input.name)) return null;

  const graph = new Graph('shared');
  const feeds = { [input.name]: graph.input(input.name, 'uint8', input.dims) };
  const given = inlineModel(graph, first, { prefix: 'shared', feeds, outputs: border });
  const values = border.flatMap((name) => {
    const { dtype, shape = [] } = given[name] as Value;
    return dtype ? [{ name, dtype, shape }] : [];
  });
  if (values.length < border.length) return null;
  for (const [i, name] of border.entries()) graph.output(given[name] as Value, `x${i}`);
  return { below: graph.toModel(), above: protos.map((proto) => aboveOf(proto, values, output)) };
}

function aboveOf(
  proto: ModelProto,
  values: readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[],
  output: string,
): Uint8Array {
  const graph = new Graph('apart');
  const feeds: Record<string, Value> = {};
  for (const [i, { name, dtype, shape }] of values.entries()) feeds[name] = graph.input(`x${i}`, dtype, shape);
  const results = inlineModel(graph, proto, { prefix: 'apart', feeds, outputs: [output] });
  graph.output(results[output] as Value, output);
  return graph.toModel();
}

/** In everything but the numbers of their constants. */
function isAlike(one: ModelProto, other: ModelProto): boolean {
  return isSame(withoutNumbers(one), withoutNumbers(other));
}

function isSame(one: ModelProto, other: ModelProto): boolean {
  return Buffer.compare(encodeModel(one), encodeModel(other)) === 0;
}

function withoutNumbers(proto: ModelProto): ModelProto {
  const initializer = (proto.graph?.initializer ?? []).map(({ name, dims, dataType }) => ({ name, dims, dataType }));
  return { ...proto, graph: { ...proto.graph, initializer } };
}

/** Names of the constants that are not the same in all of them. */
function constantsApart(protos: readonly ModelProto[]): Set<string> {
  const [first, ...others] = protos.map(({ graph }) => graph?.initializer ?? []);
  const apart = (first ?? []).filter((constant, i) => others.some((list) => !isSame(alone(constant), alone(list[i]))));
  return new Set(apart.map(({ name = '' }) => name));
}

const alone = (tensor: TensorProto | undefined): ModelProto => ({ graph: { initializer: tensor ? [tensor] : [] } });

/** These, and every value that hangs on one of them. */
function valuesBehind(nodes: readonly NodeProto[], some: ReadonlySet<string>): Set<string> {
  const behind = new Set(some);
  for (const node of nodes) {
    if (valuesReadBy(node).some((name) => behind.has(name)))
      for (const name of node.output ?? []) if (name) behind.add(name);
  }
  return behind;
}
