/**
 * A network as training sees it: which of its constants can be trained, and where it can be cut in two, so that what lies
 * below the cut runs once an image and what lies above is trained on its results.
 */
import { LabelsmithError } from '../../errors.ts';
import { sharedFloats } from '../../math/matrix.ts';
import { inlineModel } from '../../onnx/compose.ts';
import type { TypedNode } from '../../onnx/graph.ts';
import { narrowValues } from '../../onnx/narrow-values.ts';
import { Graph } from '../../onnx/ops.ts';
import type { ModelProto, TensorProto } from '../../onnx/proto.ts';
import { subgraphOf } from '../../onnx/subgraph.ts';
import { float32, float32Data, sizeOf, tensorFromProto, tensorToProto } from '../../onnx/tensor.ts';

/** A constant that can be trained. */
export interface Trainable {
  readonly name: string;
  readonly dims: readonly number[];
  /** `weight` is multiplied over several inputs; `bias` is added, or scales a channel: biases and normalisations. */
  readonly kind: 'weight' | 'bias';
}

/** A value on which everything behind it depends, and nothing behind it on anything else before it. */
export interface Cut {
  /** Its name in the network. */
  readonly value: string;
  /** Without the axis of images. */
  readonly shape: readonly number[];
  /** What can be trained behind it, in the network's order. */
  readonly trainables: readonly Trainable[];
}

export interface TunableNetwork {
  /** In 32-bit floats. */
  readonly model: ModelProto;
  /** Value with the numbers of an image, whatever its axes. */
  readonly features: string;
  readonly dimensions: number;
  /** From the network's input, which is the first, to the last with something to train behind it. */
  readonly cuts: readonly Cut[];
}

export interface NetworkPorts {
  readonly input: string;
  /** Without the axis of images: [3, height, width] or [height, width, 3]. */
  readonly inputShape: readonly number[];
  readonly features: string;
  readonly dimensions: number;
}

const PREFIX = 'network';

/** Inputs of operators that can be trained. */
const PLACES: Readonly<Record<string, Readonly<Record<number, Trainable['kind']>>>> = {
  Conv: { 1: 'weight', 2: 'bias' },
  Gemm: { 1: 'weight', 2: 'bias' },
  MatMul: { 1: 'weight' },
  BatchNormalization: { 1: 'bias', 2: 'bias' },
  LayerNormalization: { 1: 'bias', 2: 'bias' },
  PRelu: { 1: 'bias' },
};

export function tunableNetwork(
  model: ModelProto,
  { input, inputShape, features, dimensions }: NetworkPorts,
): TunableNetwork {
  const part = subgraphOf(model, { from: [input], to: [features] });
  const graph = new Graph('tunable');
  const feeds = { [input]: graph.input('input', 'float32', [1, ...inputShape]) };
  inlineModel(graph, part, { prefix: PREFIX, feeds, outputs: [features] });
  const constants = new Map(
    (part.graph?.initializer ?? []).map((proto) => [`${PREFIX}/${proto.name}`, proto] as const),
  );
  const nodes = graph.typedNodes();
  const firsts = [{ value: input, shape: inputShape, after: -1 }, ...narrowPlaces(nodes, 'input')];
  const cuts = firsts
    .map(({ value, shape, after }) => ({ value, shape, trainables: trainablesOf(nodes.slice(after + 1), constants) }))
    .filter(({ trainables }) => trainables.length > 0);
  if (cuts.length === 0) {
    throw new LabelsmithError('UNSUPPORTED', `before ${features} stands nothing that can be trained`);
  }
  return { model: part, features, dimensions, cuts };
}

interface NarrowPlace {
  readonly value: string;
  readonly shape: readonly number[];
  /** The node that makes it. */
  readonly after: number;
}

function narrowPlaces(nodes: readonly TypedNode[], input: string): NarrowPlace[] {
  return narrowValues(nodes, input).flatMap(({ value, after }) => {
    const sizes = value.shape ?? [];
    const known = sizes.filter((size) => typeof size === 'number');
    if (value.dtype !== 'float32' || known.length !== sizes.length || known[0] !== 1) return [];
    return [{ value: value.name.slice(PREFIX.length + 1), shape: known.slice(1), after }];
  });
}

function trainablesOf(nodes: readonly TypedNode[], constants: ReadonlyMap<string, TensorProto>): Trainable[] {
  const found = new Map<string, Trainable>();
  for (const { node, inputs } of nodes) {
    for (const [place, kind] of Object.entries(PLACES[node.opType ?? ''] ?? {})) {
      const value = inputs[Number(place)];
      const constant = value && constants.get(value.name);
      if (!constant || value.dtype !== 'float32') continue;
      const name = constant.name ?? '';
      found.set(name, { name, dims: (constant.dims ?? []).map(Number), kind });
    }
  }
  return [...found.values()];
}

/** The numbers of some constants, each in shared memory of its own. */
export function parametersOf({ model }: TunableNetwork, trainables: readonly Trainable[]): Map<string, Float32Array> {
  const constants = new Map((model.graph?.initializer ?? []).map((proto) => [proto.name ?? '', proto] as const));
  return new Map(
    trainables.map(({ name, dims }) => {
      const proto = constants.get(name);
      if (!proto) throw new RangeError(`the network has no constant ${name}`);
      const data = sharedFloats(sizeOf(dims));
      data.set(float32Data(tensorFromProto(proto), name));
      return [name, data];
    }),
  );
}

/** A model with other numbers in some of its constants. */
export function withParameters(model: ModelProto, parameters: ReadonlyMap<string, Float32Array>): ModelProto {
  const initializer = (model.graph?.initializer ?? []).map((proto) => {
    const data = parameters.get(proto.name ?? '');
    // A copy: encoding must not see what training goes on to change.
    return data
      ? tensorToProto(proto.name ?? '', float32(Float32Array.from(data), (proto.dims ?? []).map(Number)))
      : proto;
  });
  return { ...model, graph: { ...model.graph, initializer } };
}

/** Numbers that can be trained behind a cut. */
export function parametersIn({ trainables }: Cut): number {
  return trainables.reduce((sum, { dims }) => sum + sizeOf(dims), 0);
}
