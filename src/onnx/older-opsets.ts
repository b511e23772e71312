/**
 * Nodes of older opsets, rewritten for the builder's. Most operators mean the same in every version and stay as they are;
 * the rest have an adapter here, and one with neither is refused by name.
 */
import { LabelsmithError } from '../errors.ts';
import { subgraphsOf } from './node-graph.ts';
import type { Graph } from './ops.ts';
import type { AttributeProto, GraphProto, NodeProto } from './proto.ts';
import { float32 } from './tensor.ts';

/** Before it elementwise operators and `Reshape` have another form altogether. */
export const OLDEST_OPSET = 7;

/** How a node written for an older opset is rewritten; null refuses it. */
type Adapter = (builder: Graph, node: NodeProto, from: number) => NodeProto;

function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute?.find((one) => one.name === name);
}

function without(node: NodeProto, ...names: readonly string[]): AttributeProto[] {
  return (node.attribute ?? []).filter(({ name = '' }) => !names.includes(name));
}

/** The axes attribute of reductions, `Squeeze` and `Unsqueeze` became an input. */
const axesToInput: Adapter = (builder, node) => {
  const axes = node.attribute?.find(({ name }) => name === 'axes');
  const attribute = node.attribute?.filter((one) => one !== axes);
  if (!axes) return node;
  return { ...node, attribute, input: [node.input?.[0] as string, builder.ints((axes.ints ?? []).map(Number)).name] };
};

/** The sizes of `Split` became an input (13), and without them the number of outputs must be said (18). */
const splitToInput: Adapter = (builder, node) => {
  const sizes = node.attribute?.find(({ name }) => name === 'split');
  const attribute = (node.attribute ?? []).filter((one) => one !== sizes);
  if (sizes)
    return {
      ...node,
      attribute,
      input: [node.input?.[0] as string, builder.ints((sizes.ints ?? []).map(Number)).name],
    };
  if ((node.input ?? []).length > 1) return node;
  return {
    ...node,
    attribute: [...attribute, { name: 'num_outputs', type: 2, i: BigInt((node.output ?? []).length) }],
  };
};

/** Before 13 these ran over all axes from `axis` (default 1) on, as if they were one. */
const softmaxOverRest: Adapter = (builder, node) => {
  const axis = Number(node.attribute?.find(({ name }) => name === 'axis')?.i ?? 1n);
  if (axis === -1) return node;
  const x = builder.value(node.input?.[0] as string);
  const rows = builder.op(node.opType as string, [builder.flatten(x, axis)], { axis: -1 });
  return { ...node, opType: 'Reshape', attribute: [], input: [rows.name, builder.shape(x).name] };
};

/** In inference a `Dropout` hands its input on. */
const dropoutToIdentity: Adapter = (_, node) => {
  if ((node.output ?? []).filter(Boolean).length > 1) {
    throw new LabelsmithError('BAD_MODEL', `node ${node.name}: Dropout whose mask is used`);
  }
  return {
    ...node,
    opType: 'Identity',
    attribute: [],
    input: node.input?.slice(0, 1),
    output: node.output?.slice(0, 1),
  };
};

/** The bounds of `Clip` became inputs (11). */
const boundsToInputs: Adapter = (builder, node, from) => {
  if (from >= 11) return node;
  const bound = (name: string) => {
    const value = attributeOf(node, name)?.f;
    return value === undefined ? '' : builder.scalar(value).name;
  };
  return {
    ...node,
    attribute: without(node, 'min', 'max'),
    input: [node.input?.[0] ?? '', bound('min'), bound('max')],
  };
};

/** The widths of `Pad` became an input (11). */
const padsToInputs: Adapter = (builder, node, from) => {
  if (from >= 11) return node;
  const pads = builder.ints((attributeOf(node, 'pads')?.ints ?? []).map(Number)).name;
  const value = builder.scalar(attributeOf(node, 'value')?.f ?? 0).name;
  return { ...node, attribute: without(node, 'pads', 'value'), input: [node.input?.[0] ?? '', pads, value] };
};

/** Places of `Slice` became inputs (10). */
const sliceToInputs: Adapter = (builder, node, from) => {
  if (from >= 10) return node;
  const listOf = (name: string) => (attributeOf(node, name)?.ints ?? []).map(Number);
  const starts = listOf('starts');
  const axes = attributeOf(node, 'axes') ? listOf('axes') : starts.map((_, i) => i);
  const inputs = [starts, listOf('ends'), axes].map((list) => builder.ints(list).name);
  return { ...node, attribute: without(node, 'starts', 'ends', 'axes'), input: [node.input?.[0] ?? '', ...inputs] };
};

/** `k` of `TopK` became an input (10). */
const kToInput: Adapter = (builder, node, from) => {
  if (from >= 10) return node;
  const k = builder.ints([Number(attributeOf(node, 'k')?.i ?? 0n)]).name;
  return { ...node, attribute: without(node, 'k'), input: [node.input?.[0] ?? '', k] };
};

/** `Upsample`, and `Resize` of opset 10, take scales alone, and find a pixel's place with neither half pixels nor corners. */
const scalesToResize: Adapter = (builder, node, from) => {
  if (node.opType === 'Resize' && from >= 11) return node;
  const scales = attributeOf(node, 'scales')?.floats;
  const given = scales ? builder.constant(float32(scales, [scales.length]), 'scales').name : (node.input?.[1] ?? '');
  const way: AttributeProto[] = [
    { name: 'coordinate_transformation_mode', type: 3, s: new TextEncoder().encode('asymmetric') },
    { name: 'nearest_mode', type: 3, s: new TextEncoder().encode('floor') },
  ];
  const attribute = [...without(node, 'scales'), ...way];
  return { ...node, opType: 'Resize', attribute, input: [node.input?.[0] ?? '', '', given] };
};

/** Up to opset 8 the statistics of `BatchNormalization` could be apart for each place. */
const spatialOnly: Adapter = (_, node, from) => {
  if (from < 9 && attributeOf(node, 'spatial')?.i === 0n) {
    throw new LabelsmithError('BAD_MODEL', `node ${node.name}: BatchNormalization with statistics for each place`);
  }
  return { ...node, attribute: without(node, 'spatial'), output: node.output?.slice(0, 1) };
};

/** Operators of ONNX whose meaning changed after opset 7: the version it changed in, and what to do about it. */
const CHANGED: Readonly<Record<string, readonly [version: number, adapter: Adapter | null]>> = {
  BatchNormalization: [9, spatialOnly],
  Slice: [10, sliceToInputs],
  TopK: [10, kToInput],
  Upsample: [10, scalesToResize],
  Resize: [11, scalesToResize],
  Clip: [11, boundsToInputs],
  Pad: [11, padsToInputs],
  Squeeze: [13, axesToInput],
  Unsqueeze: [13, axesToInput],
  ReduceSum: [13, axesToInput],
  ReduceMean: [18, axesToInput],
  ReduceMax: [18, axesToInput],
  ReduceMin: [18, axesToInput],
  ReduceProd: [18, axesToInput],
  ReduceL1: [18, axesToInput],
  ReduceL2: [18, axesToInput],
  ReduceLogSum: [18, axesToInput],
  ReduceLogSumExp: [18, axesToInput],
  ReduceSumSquare: [18, axesToInput],
  Split: [18, splitToInput],
  Softmax: [13, softmaxOverRest],
  LogSoftmax: [13, softmaxOverRest],
  Hardmax: [13, softmaxOverRest],
  Dropout: [12, dropoutToIdentity],
  GroupNormalization: [21, null],
  GridSample: [20, null],
  DFT: [20, null],
};

/** Whether what is written for opset `older` means something else in `newer`. */
export function changedSince(operator: string, older: number, newer: number): boolean {
  const changed = CHANGED[operator]?.[0] ?? 0;
  return changed > older && changed <= newer;
}

/** A node of opset `from` in the form of the builder's, with what is inside of it. */
export function adapt(builder: Graph, node: NodeProto, from: number, prefix: string): NodeProto {
  if (node.domain && node.domain !== 'ai.onnx') return node;
  const whole = withBodies(builder, node, from, prefix);
  const adapter = adapterOf(builder, node, from, prefix);
  return adapter ? adapter(builder, whole, from) : whole;
}

/** What has to be done to a node, if anything. */
function adapterOf(builder: Graph, node: NodeProto, from: number, prefix: string): Adapter | undefined {
  const change = CHANGED[node.opType as string];
  if (!change || from >= change[0] || builder.opset < change[0]) return undefined;
  if (!change[1]) throw olderForm(node, from, builder.opset, prefix);
  return change[1];
}

/** The same for the bodies of `If`, `Loop` and `Scan`, which see the constants that adapters leave in the outer graph. */
function withBodies(builder: Graph, node: NodeProto, from: number, prefix: string): NodeProto {
  if (subgraphsOf(node).length === 0) return node;
  const inside = (graph: GraphProto): GraphProto => ({
    ...graph,
    node: (graph.node ?? []).map((inner) => adaptInside(builder, inner, from, prefix)),
  });
  const attribute = node.attribute?.map((one) => {
    if (one.g) return { ...one, g: inside(one.g) };
    return one.graphs ? { ...one, graphs: one.graphs.map(inside) } : one;
  });
  return { ...node, attribute };
}

function adaptInside(builder: Graph, node: NodeProto, from: number, prefix: string): NodeProto {
  const adapter = adapterOf(builder, node, from, prefix);
  // Its further nodes would land outside, where the body's values are not known.
  const plain = adapter !== softmaxOverRest || Number(attributeOf(node, 'axis')?.i ?? 1n) === -1;
  if (!plain) throw olderForm(node, from, builder.opset, prefix);
  return adapt(builder, node, from, prefix);
}

function olderForm(node: NodeProto, from: number, to: number, prefix: string): LabelsmithError {
  const what = `operator ${node.opType} (node ${node.name || node.output?.[0]}) of model ${prefix}`;
  return new LabelsmithError('BAD_MODEL', `${what} is of opset ${from} and means something else in opset ${to}`, {
    hint: `Export the model again with opset ${to}.`,
  });
}
