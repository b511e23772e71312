/**
 * Puts whole ONNX models into a graph under construction, so that preprocessing, model and decoding are one graph.
 *
 * `inlineModel` copies the nodes that the wanted values need, renames everything under a prefix, and feeds the model's
 * inputs with values of the builder. Models older than the builder's opset are brought up to it: most operators mean
 * the same in every version and stay as they are, the rest have an adapter below, and one with neither is refused by
 * name. A model newer than the builder raises the builder's opset.
 */
import { LabelsmithError } from '../errors.ts';
import { refuseExternalData } from './external-data.ts';
import { neededNodes, subgraphsOf, valuesReadBy } from './node-graph.ts';
import { adapt, changedSince, OLDEST_OPSET } from './older-opsets.ts';
import type { Graph } from './ops.ts';
import { type AttributeProto, decodeModel, type GraphProto, type ModelProto, type NodeProto } from './proto.ts';
import { float32 } from './tensor.ts';
import type { Value } from './value.ts';

export interface InlineOptions {
  /** Everything of the model is named `prefix/…`. */
  readonly prefix: string;
  /**
   * A value for each of the model's inputs (by name) that the wanted outputs need. An inner value may be given too: what
   * would make it is left out.
   */
  readonly feeds: Readonly<Record<string, Value>>;
  /** Names of the values to hand back: outputs or any inner value (default: all outputs). */
  readonly outputs?: readonly string[];
}

/** Inlines a model and hands back the wanted values under their names in the model. */
export function inlineModel(
  builder: Graph,
  model: Uint8Array | ModelProto,
  options: InlineOptions,
): Record<string, Value> {
  const proto = model instanceof Uint8Array ? decodeModel(model) : model;
  const graph = proto.graph as GraphProto;
  refuseExternalData(proto, `model ${options.prefix}`);
  if (proto.functions?.length) throw refused(options.prefix, 'it defines functions of its own');
  if (graph.sparseInitializer?.length) throw refused(options.prefix, 'it has sparse weights');
  const wanted = options.outputs ?? (graph.output ?? []).map((output) => output.name as string);
  const nodes = neededNodes(graph.node ?? [], wanted, new Set(Object.keys(options.feeds)));
  const opset = importDomains(builder, proto, nodes, options.prefix);

  const renamed = new Map<string, string>([['', '']]);
  for (const [name, value] of Object.entries(options.feeds)) renamed.set(name, value.name);
  const needed = new Set<string>(wanted);
  for (const node of nodes) for (const name of valuesReadBy(node)) needed.add(name);
  for (const initializer of graph.initializer ?? []) {
    const name = initializer.name as string;
    if (!needed.has(name) || renamed.has(name)) continue;
    const unique = builder.uniqueName(`${options.prefix}/${name}`);
    renamed.set(name, unique);
    builder.addInitializer({ ...initializer, name: unique });
  }
  for (const input of graph.input ?? []) {
    const name = input.name as string;
    if (!needed.has(name) || renamed.has(name)) continue;
    throw new LabelsmithError('BAD_MODEL', `input ${name} of model ${options.prefix} is not fed`, {
      hint: `Give a value for each of: ${(graph.input ?? []).map((one) => one.name).join(', ')}.`,
    });
  }
  for (const node of nodes) {
    for (const name of node.output ?? []) {
      if (!name) continue;
      if (name in options.feeds) throw refused(options.prefix, `${name} is made beside what else is needed`);
      renamed.set(name, builder.uniqueName(`${options.prefix}/${name}`));
    }
  }
  for (const node of nodes) {
    const adapted = adapt(builder, renameNode(node, renamed), opset, options.prefix);
    builder.addNode(adapted);
  }
  const result: Record<string, Value> = {};
  for (const name of wanted) {
    const value = renamed.get(name);
    if (value === undefined)
      throw new LabelsmithError('BAD_MODEL', `model ${options.prefix} has no value named ${name}`, {
        hint: `Its outputs are ${(graph.output ?? []).map((one) => one.name).join(', ')}; a viewer of ONNX files shows all its values.`,
      });
    result[name] = builder.value(value);
  }
  return result;
}

function refused(prefix: string, reason: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `model ${prefix} cannot be joined with other graphs: ${reason}`);
}

/** Declares the domains of the nodes in the builder; returns the model's version of ONNX's own operators. */
function importDomains(builder: Graph, proto: ModelProto, nodes: readonly NodeProto[], prefix: string): number {
  const used = new Set(nodes.flatMap(domainsOf));
  let opset = 0;
  for (const { domain, version } of proto.opsetImport ?? []) {
    if (!domain || domain === 'ai.onnx') opset = Number(version);
    else if (used.has(domain)) builder.useDomain(domain, Number(version));
  }
  if (opset < OLDEST_OPSET) {
    throw new LabelsmithError(
      'BAD_MODEL',
      `model ${prefix} is of opset ${opset}; the oldest taken is ${OLDEST_OPSET}`,
      {
        hint: `Export the model again with opset ${OLDEST_OPSET} or newer.`,
      },
    );
  }
  for (const op of builder.operators) {
    if (changedSince(op, builder.opset, opset)) {
      throw refused(prefix, `it is of opset ${opset}, in which ${op}, already in the graph, means something else`);
    }
  }
  builder.raiseOpset(opset);
  return opset;
}

/** Operator domains of a node and of what is inside it. */
function domainsOf(node: NodeProto): string[] {
  const inner = subgraphsOf(node).flatMap((graph) => (graph.node ?? []).flatMap(domainsOf));
  return [node.domain ?? '', ...inner];
}

function renameNode(node: NodeProto, renamed: ReadonlyMap<string, string>): NodeProto {
  const rename = (name: string) => renamed.get(name) ?? name;
  const copy: NodeProto = { ...node, input: (node.input ?? []).map(rename), output: (node.output ?? []).map(rename) };
  // Values' names are unique in the builder; node names of two copies of a model would not be.
  copy.name = copy.output?.find(Boolean);
  if (node.attribute?.some(({ g, graphs }) => g || graphs)) {
    copy.attribute = node.attribute.map((attribute) => renameSubgraphs(attribute, renamed));
  }
  return copy;
}

/** Inside a subgraph only the names of the outer graph change; its own are scoped to it and hide outer ones. */
function renameSubgraphs(attribute: AttributeProto, renamed: ReadonlyMap<string, string>): AttributeProto {
  const inside = (graph: GraphProto): GraphProto => {
    const scope = new Map(renamed);
    for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) scope.delete(name as string);
    for (const node of graph.node ?? []) for (const name of node.output ?? []) if (name) scope.delete(name);
    const rename = (name: string) => scope.get(name) ?? name;
    return {
      ...graph,
      node: (graph.node ?? []).map((node) => ({
        ...node,
        input: (node.input ?? []).map(rename),
        attribute: node.attribute?.map((inner) => renameSubgraphs(inner, scope)),
      })),
      output: (graph.output ?? []).map((output) => ({ ...output, name: rename(output.name as string) })),
    };
  };
  if (attribute.g) return { ...attribute, g: inside(attribute.g) };
  if (attribute.graphs) return { ...attribute, graphs: attribute.graphs.map(inside) };
  return attribute;
}

export interface PixelOptions {
  /** What the model takes (default `NCHW`); `CHW` is one image, with no axis for their number. */
  readonly layout?: 'NCHW' | 'NHWC' | 'CHW' | 'HWC';
  /** Order of the channels that the model takes (default `RGB`). */
  readonly colours?: 'RGB' | 'BGR';
  /** Multiplies the 0 to 255 of each channel, before mean and std (default 1). */
  readonly scale?: number;
  /** Taken off each channel, in the model's order of colours (default 0). */
  readonly mean?: readonly number[];
  /** Each channel is divided by it, in the model's order of colours (default 1). */
  readonly std?: readonly number[];
  /** What the model takes (default `float32`). */
  readonly dtype?: 'float32' | 'float16' | 'int32' | 'uint8';
}

/** From pixels (uint8, [n, height, width, 3], RGB) to what a model takes: (pixel · scale − mean) / std, laid out. */
export function pixelsToModelInput(builder: Graph, pixels: Value, options: PixelOptions = {}): Value {
  if (options.layout === 'CHW' || options.layout === 'HWC') {
    const layout = options.layout === 'CHW' ? 'NCHW' : 'NHWC';
    return builder.squeeze(pixelsToModelInput(builder, pixels, { ...options, layout }), [0]);
  }
  const { layout = 'NCHW', colours = 'RGB', scale = 1, mean = [0, 0, 0], std = [1, 1, 1], dtype = 'float32' } = options;
  // Bytes are moved before they are widened: a fourth of the memory traffic. And whole planes are swapped, not pixels.
  let x = layout === 'NCHW' ? builder.transpose(pixels, [0, 3, 1, 2]) : pixels;
  if (colours === 'BGR') x = builder.gather(x, builder.ints([2, 1, 0]), layout === 'NCHW' ? 1 : 3);
  const factor = std.map((deviation) => scale / deviation);
  const shift = mean.map((value, i) => -value / std[i]);
  const plain = factor.every((one) => one === 1) && shift.every((one) => one === 0);
  if (plain) return dtype === 'uint8' ? x : builder.cast(x, dtype);
  x = builder.cast(x, 'float32');
  const dims = layout === 'NCHW' ? [1, 3, 1, 1] : [1, 1, 1, 3];
  const perChannel = (values: number[]) =>
    values.every((value) => value === values[0])
      ? builder.scalar(values[0])
      : builder.constant(float32(values, dims), 'perChannel');
  if (!factor.every((one) => one === 1)) x = builder.mul(x, perChannel(factor));
  if (!shift.every((one) => one === 0)) x = builder.add(x, perChannel(shift));
  return dtype === 'float32' ? x : builder.cast(x, dtype);
}
