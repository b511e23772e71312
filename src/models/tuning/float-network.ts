/**
 * A network that was quantised (QDQ form) in 32-bit floats again, so that it can be trained. Weights become the numbers
 * that their integers stand for. Where an activation was rounded to integers it is now only cut to their range, which is
 * where such a network hides its ReLU6. Names of values stay; nothing else changes.
 */
import { type AttributeValues, attributeValues } from '../../onnx/attributes.ts';
import { ELEMENT_TYPES } from '../../onnx/element-types.ts';
import { valuesReadBy } from '../../onnx/node-graph.ts';
import type { GraphProto, ModelProto, NodeProto, TensorProto } from '../../onnx/proto.ts';
import { float32, type Tensor, tensorFromProto, tensorToProto } from '../../onnx/tensor.ts';

export function floatNetwork(model: ModelProto): ModelProto {
  const graph = model.graph as GraphProto;
  const nodes = graph.node ?? [];
  if (!nodes.some(({ opType }) => opType === 'DequantizeLinear')) return model;
  const constants = new Map((graph.initializer ?? []).map((proto) => [proto.name ?? '', proto]));
  const producers = new Map(nodes.flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
  const added: TensorProto[] = [];
  const node = nodes.flatMap((one): NodeProto[] => {
    if (one.opType !== 'DequantizeLinear') return [one];
    const [from = '', scaleName = '', zeroName = ''] = one.input ?? [];
    const scale = constants.get(scaleName);
    if (!scale) return [one];
    const zero = constants.get(zeroName);
    const [name = ''] = one.output ?? [];
    const constant = constants.get(from);
    if (constant) {
      const axis = axisOf(attributeValues(one.attribute));
      added.push(tensorToProto(name, dequantised(tensorFromProto(constant), tensorFromProto(scale), zero, axis)));
      return [];
    }
    const quantised = producers.get(from);
    if (quantised?.opType !== 'QuantizeLinear') return [one];
    const range = rangeOf(tensorFromProto(scale), zero);
    if (!range) return [one];
    const bounds = range.map((bound, i) =>
      tensorToProto(`${name}/${i === 0 ? 'least' : 'most'}`, float32([bound], [])),
    );
    added.push(...bounds);
    const inputs = [quantised.input?.[0] ?? '', ...bounds.map((bound) => bound.name ?? '')];
    return [{ opType: 'Clip', name, input: inputs, output: [name] }];
  });
  const read = new Set([...node.flatMap(valuesReadBy), ...(graph.output ?? []).map((output) => output.name)]);
  const left = node.filter(
    ({ opType, output }) => opType !== 'QuantizeLinear' || output?.some((name) => read.has(name)),
  );
  return { ...model, graph: { ...graph, node: left, initializer: [...(graph.initializer ?? []), ...added] } };
}

function axisOf({ axis }: AttributeValues): number {
  return typeof axis === 'number' ? axis : 1;
}

/** (q − zero point) · scale, by channel of `axis` where there are several scales. */
function dequantised({ data, dims }: Tensor, scale: Tensor, zero: TensorProto | undefined, axis: number): Tensor {
  const zeros = zero && tensorFromProto(zero);
  const channel = dims.slice((axis < 0 ? axis + dims.length : axis) + 1).reduce((a, b) => a * b, 1);
  const result = new Float32Array(data.length);
  const { length } = scale.data;
  for (let i = 0; i < result.length; i++) {
    const c = length === 1 ? 0 : Math.floor(i / channel) % length;
    result[i] = (Number(data[i]) - Number(zeros?.data[c] ?? 0)) * Number(scale.data[c]);
  }
  return float32(result, dims);
}

const RANGES: Readonly<Record<number, readonly [number, number]>> = {
  [ELEMENT_TYPES.uint8]: [0, 255],
  [ELEMENT_TYPES.int8]: [-128, 127],
  [ELEMENT_TYPES.uint16]: [0, 65_535],
  [ELEMENT_TYPES.int16]: [-32_768, 32_767],
};

/** What the integers of an activation can stand for; undefined for one with a scale a channel. */
function rangeOf({ data }: Tensor, zero: TensorProto | undefined): readonly [number, number] | undefined {
  const range = RANGES[zero?.dataType ?? ELEMENT_TYPES.uint8];
  if (!range || data.length !== 1) return undefined;
  const offset = zero ? Number(tensorFromProto(zero).data[0]) : 0;
  return [(range[0] - offset) * Number(data[0]), (range[1] - offset) * Number(data[0])];
}
