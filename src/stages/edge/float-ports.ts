/**
 * A composed model with inputs and outputs of 32-bit floats, which is what devices' engines take: `pixels` as floats of 0 to
 * 255, numbers of classes as floats. Nothing between them changes.
 */
import { dtypeOf, ELEMENT_TYPES } from '../../onnx/element-types.ts';
import { inferNode } from '../../onnx/infer/infer.ts';
import {
  ATTRIBUTE_TYPES,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from '../../onnx/proto.ts';
import { tensorFromProto } from '../../onnx/tensor.ts';
import { UNKNOWN, type ValueType } from '../../onnx/value.ts';

const FLOAT = ELEMENT_TYPES.float32;

export function withFloatPorts(model: ModelProto): ModelProto {
  const graph = model.graph as GraphProto;
  const input = (graph.input ?? []).map((port) => ({ ...port, type: floatType(port) }));
  const types = typesIn({ ...graph, input });
  const nodes: NodeProto[] = [];
  const casts: NodeProto[] = [];
  const outputs = new Map((graph.output ?? []).map((port) => [port.name ?? '', types.get(port.name ?? '') ?? UNKNOWN]));
  for (const node of graph.node ?? []) {
    const output = (node.output ?? []).map((name) => {
      const type = outputs.get(name);
      if (type === undefined || type.dtype === 'float32') return name;
      casts.push(castNode(`${name}/unlike`, name, FLOAT));
      return `${name}/unlike`;
    });
    // What reads an output inside of the graph reads what it was.
    const read = (name: string) => (casts.some((cast) => cast.output?.[0] === name) ? `${name}/unlike` : name);
    nodes.push({ ...node, input: (node.input ?? []).map(read), output });
  }
  const output = [...outputs].map(([name, { shape }]) => portOf(name, shape));
  return { ...model, graph: { ...graph, input, output, valueInfo: [], node: [...nodes, ...casts] } };
}

export function castNode(from: string, to: string, elementType: number): NodeProto {
  const attribute = [{ name: 'to', type: ATTRIBUTE_TYPES.int, i: BigInt(elementType) }];
  return { opType: 'Cast', name: `cast/${to}`, input: [from], output: [to], attribute };
}

/** Types of all values, as far as the operators' rules tell. */
export function typesIn(graph: GraphProto): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const { name = '', type } of graph.input ?? []) {
    const { elemType, shape } = type?.tensorType ?? {};
    const dims = shape?.dim?.map(({ dimValue, dimParam }) => dimParam || Number(dimValue ?? 0));
    types.set(name, { dtype: dtypeOf(elemType, `input ${name}`), shape: dims });
  }
  for (const proto of graph.initializer ?? []) types.set(proto.name ?? '', typeOfInitializer(proto));
  for (const node of graph.node ?? []) {
    const found = inferNode(
      node,
      (node.input ?? []).map((name) => (name === '' ? undefined : (types.get(name) ?? UNKNOWN))),
    );
    (node.output ?? []).forEach((name, i) => {
      if (name !== '') types.set(name, found[i] ?? UNKNOWN);
    });
  }
  return types;
}

/** Short lists of whole numbers are known by their elements: shapes are computed from them. */
function typeOfInitializer(proto: NonNullable<GraphProto['initializer']>[number]): ValueType {
  const dtype = dtypeOf(proto.dataType, `weights ${proto.name}`);
  const shape = (proto.dims ?? []).map(Number);
  const isShort = dtype === 'int64' && shape.reduce((product, dim) => product * dim, 1) <= 16;
  return isShort ? { dtype, shape, elements: [...tensorFromProto(proto).data].map(Number) } : { dtype, shape };
}

function floatType({ type }: ValueInfoProto): ValueInfoProto['type'] {
  return { ...type, tensorType: { ...type?.tensorType, elemType: FLOAT } };
}

function portOf(name: string, shape: ValueType['shape']): ValueInfoProto {
  // The size of a name that only this program knows is left open under a plain name.
  const dim = shape?.map((size, i) =>
    typeof size === 'number' ? { dimValue: BigInt(size) } : { dimParam: `${name}_${i}` },
  );
  return { name, type: { tensorType: { elemType: FLOAT, ...(dim === undefined ? {} : { shape: { dim } }) } } };
}
