/** Attributes of nodes: from plain values to ONNX's messages and back. */
import { ATTRIBUTE_TYPES, type AttributeProto, type GraphProto, type TensorProto } from './proto.ts';
import { type Tensor, tensorToProto } from './tensor.ts';

/** A whole number becomes an `int` attribute; say `{ float: 1 }` where the operator wants a float. */
export type Attribute =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: GraphProto };

export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** The messages of what is given, in its order. */
export function attributeProtos(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [attributeProto(name, value)],
  );
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'boolean') return { name, type: ATTRIBUTE_TYPES.int, i: value ? 1n : 0n };
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? { name, type: ATTRIBUTE_TYPES.int, i: BigInt(value) }
      : { name, type: ATTRIBUTE_TYPES.float, f: value };
  }
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPES.string, s: Buffer.from(value) };
  if (isList(value)) {
    if (isTexts(value)) return { name, type: ATTRIBUTE_TYPES.strings, strings: value.map((text) => Buffer.from(text)) };
    return value.every(Number.isInteger)
      ? { name, type: ATTRIBUTE_TYPES.ints, ints: value.map(BigInt) }
      : { name, type: ATTRIBUTE_TYPES.floats, floats: [...value] };
  }
  if ('float' in value) return { name, type: ATTRIBUTE_TYPES.float, f: value.float };
  if ('floats' in value) return { name, type: ATTRIBUTE_TYPES.floats, floats: [...value.floats] };
  if ('tensor' in value) return { name, type: ATTRIBUTE_TYPES.tensor, t: tensorToProto('', value.tensor) };
  return { name, type: ATTRIBUTE_TYPES.graph, g: value.graph };
}

/** `Array.isArray` that also narrows read-only arrays. */
function isList(value: Attribute): value is readonly number[] | readonly string[] {
  return Array.isArray(value);
}

function isTexts(value: readonly number[] | readonly string[]): value is readonly string[] {
  return typeof value[0] === 'string';
}

/** A node's attributes as plain values, the inverse of what nodes are built with. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | TensorProto | GraphProto;
export type AttributeValues = Readonly<Record<string, AttributeValue>>;

/** Attributes that hold what no rule here looks into (lists of tensors and of graphs) are left out. */
export function attributeValues(protos: readonly AttributeProto[] | undefined): AttributeValues {
  const values: Record<string, AttributeValue> = {};
  for (const proto of protos ?? []) {
    const value = attributeValue(proto);
    if (value !== undefined) values[proto.name ?? ''] = value;
  }
  return values;
}

function attributeValue(proto: AttributeProto): AttributeValue | undefined {
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
  switch (proto.type) {
    case ATTRIBUTE_TYPES.float:
      return proto.f ?? 0;
    case ATTRIBUTE_TYPES.int:
      return Number(proto.i ?? 0n);
    case ATTRIBUTE_TYPES.string:
      return text(proto.s);
    case ATTRIBUTE_TYPES.floats:
      return proto.floats ?? [];
    case ATTRIBUTE_TYPES.ints:
      return (proto.ints ?? []).map(Number);
    case ATTRIBUTE_TYPES.strings:
      return (proto.strings ?? []).map(text);
    case ATTRIBUTE_TYPES.tensor:
      return proto.t;
    case ATTRIBUTE_TYPES.graph:
      return proto.g;
    default:
      return undefined;
  }
}
