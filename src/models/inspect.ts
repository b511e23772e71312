/** Reads off an ONNX file what it takes and what its results are called. */
import { type DType, dtypeOf } from '../onnx/element-types.ts';
import { decodeModel, type GraphProto, type NodeProto, type ValueInfoProto } from '../onnx/proto.ts';

export interface Port {
  readonly name: string;
  readonly dtype: DType;
  /** A name where the size is left open, `?` where the file says nothing; undefined when the rank is not known either. */
  readonly shape: readonly (number | string)[] | undefined;
}

export interface NetworkPorts {
  /** Without the weights that old files list as inputs. */
  readonly inputs: readonly Port[];
  /** Names alone: files need not say their types and shapes, a trial run does. */
  readonly outputs: readonly string[];
  /** What the last matrix product before the first output multiplies with its weights: a classifier's features. */
  readonly features: string | undefined;
}

export function inspectNetwork(onnx: Uint8Array): NetworkPorts {
  const graph = decodeModel(onnx).graph as GraphProto;
  const weights = new Set((graph.initializer ?? []).map(({ name }) => name));
  const inputs = (graph.input ?? []).filter(({ name }) => !weights.has(name)).map(portOf);
  const outputs = (graph.output ?? []).map(({ name = '' }) => name);
  return { inputs, outputs, features: outputs[0] && featuresBefore(graph, outputs[0], weights) };
}

function portOf({ name = '', type }: ValueInfoProto): Port {
  const tensor = type?.tensorType;
  const shape = tensor?.shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue !== undefined && dimValue > 0n ? Number(dimValue) : dimParam || '?',
  );
  return { name, dtype: dtypeOf(tensor?.elemType, `value ${name}`), shape };
}

/** What may stand between the last matrix product and the output of a classifier; all of them go on from input 0. */
const AFTER_HEAD = new Set(['Add', 'Softmax', 'LogSoftmax', 'Identity', 'QuantizeLinear', 'DequantizeLinear', 'Cast']);

function featuresBefore(
  graph: GraphProto,
  output: string,
  weights: ReadonlySet<string | undefined>,
): string | undefined {
  const producer = new Map<string, NodeProto>();
  for (const node of graph.node ?? []) for (const name of node.output ?? []) producer.set(name, node);
  let name = output;
  for (;;) {
    const node = producer.get(name);
    if (!node) return undefined;
    // A bias may come first.
    const next = (node.input ?? []).find((input) => !weights.has(input));
    if (next === undefined) return undefined;
    if (node.opType === 'MatMul' || node.opType === 'Gemm') return next;
    if (!AFTER_HEAD.has(node.opType ?? '')) return undefined;
    name = next;
  }
}
