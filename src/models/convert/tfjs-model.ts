/** Reads a TensorFlow.js graph model: `model.json` (topology and weight manifest) and its weight bytes. */
import { LabelsmithError } from '../../errors.ts';
import { float16ToFloat32 } from '../../math/float16.ts';
import { arrayFromBytes, sizeOf, type Tensor } from '../../onnx/tensor.ts';

export interface TfNode {
  readonly name: string;
  readonly op: string;
  /** `name`, `name:1` for a second output, `^name` for control only. */
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, TfAttribute>>;
}

/** The JSON form of `tensorflow.AttrValue`: numbers may be text, text is base64. */
export interface TfAttribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number;
  readonly b?: boolean;
  readonly type?: string | number;
  readonly shape?: { readonly dim?: readonly { readonly size: string | number }[] };
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] };
}

export interface TfModel {
  /** By name, in the file's order. */
  readonly nodes: ReadonlyMap<string, TfNode>;
  /** Constants by the name of their node, in TensorFlow's own layout. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: { readonly node?: readonly Partial<TfNode>[] };
  readonly weightsManifest?: readonly { readonly paths: readonly string[]; readonly weights: readonly WeightEntry[] }[];
}

/** `weights` holds the files of the manifest one after the other, in its order. */
export function readTfModel(json: Uint8Array, weights: Uint8Array): TfModel {
  let parsed: ModelJson;
  try {
    parsed = JSON.parse(Buffer.from(json).toString()) as ModelJson;
  } catch (cause) {
    throw new LabelsmithError('BAD_MODEL', 'the model.json of a tfjs model is not JSON', { cause });
  }
  if (!parsed.modelTopology?.node || !parsed.weightsManifest) {
    const hint = 'Layers models (Keras) are not taken: convert them to a graph model.';
    throw new LabelsmithError('BAD_MODEL', `not a tfjs graph model (format: ${parsed.format ?? 'none'})`, { hint });
  }
  const nodes = new Map<string, TfNode>();
  for (const { name = '', op = '', input = [], attr = {} } of parsed.modelTopology.node) {
    nodes.set(name, { name, op, input: input.filter((one) => !one.startsWith('^')), attr });
  }
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const entry of parsed.weightsManifest.flatMap((group) => group.weights)) {
    const length = byteLength(entry);
    if (offset + length > weights.length) {
      throw new LabelsmithError('BAD_MODEL', `the weights end at byte ${weights.length}, within ${entry.name}`, {
        hint: 'The .bin file does not belong to this model.json, or is cut short.',
      });
    }
    tensors.set(entry.name, decode(entry, weights.subarray(offset, offset + length)));
    offset += length;
  }
  return { nodes, weights: tensors };
}

const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1 };

function byteLength(entry: WeightEntry): number {
  const bytes = BYTES[entry.quantization?.dtype ?? entry.dtype];
  if (bytes === undefined) {
    const stored = entry.quantization?.dtype ?? entry.dtype;
    throw new LabelsmithError('BAD_MODEL', `weight ${entry.name} is stored as ${stored}, which is not known here`);
  }
  return bytes * sizeOf(entry.shape);
}

/** Weights stored in 8 or 16 bits become float32: value = stored · scale + min. */
function decode({ name, shape, dtype, quantization }: WeightEntry, bytes: Uint8Array): Tensor {
  const dims = [...shape];
  if (quantization?.dtype === 'float16') {
    return { dtype: 'float32', dims, data: float16ToFloat32(arrayFromBytes('float16', bytes) as Uint16Array) };
  }
  if (quantization) {
    const stored = arrayFromBytes(quantization.dtype === 'uint8' ? 'uint8' : 'uint16', bytes) as Uint16Array;
    const { scale = 1, min = 0 } = quantization;
    if (dtype === 'int32')
      return { dtype, dims, data: Int32Array.from(stored, (one) => Math.round(one * scale + min)) };
    return { dtype: 'float32', dims, data: Float32Array.from(stored, (one) => one * scale + min) };
  }
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool' || dtype === 'uint8') {
    return { dtype, dims, data: arrayFromBytes(dtype, bytes) };
  }
  throw new LabelsmithError('BAD_MODEL', `weight ${name} has type ${dtype}, which is not known here`);
}

/** Readers of a node's attributes, with the default that TensorFlow has. */
export function textAttribute(node: TfNode, name: string, otherwise = ''): string {
  const value = node.attr[name]?.s;
  return value === undefined ? otherwise : Buffer.from(value, 'base64').toString();
}

export function textsAttribute(node: TfNode, name: string): string[] {
  return (node.attr[name]?.list?.s ?? []).map((text) => Buffer.from(text, 'base64').toString());
}

export function intAttribute(node: TfNode, name: string, otherwise: number): number {
  const value = node.attr[name]?.i;
  return value === undefined ? otherwise : Number(value);
}

export function intsAttribute(node: TfNode, name: string, otherwise: readonly number[] = []): readonly number[] {
  const list = node.attr[name]?.list?.i;
  return list === undefined ? otherwise : list.map(Number);
}

export function floatAttribute(node: TfNode, name: string, otherwise: number): number {
  return node.attr[name]?.f ?? otherwise;
}

export function boolAttribute(node: TfNode, name: string): boolean {
  return node.attr[name]?.b ?? false;
}

const TYPES: Readonly<Record<string, 'float32' | 'int32' | 'bool' | 'uint8'>> = {
  DT_FLOAT: 'float32',
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_BOOL: 'bool',
  DT_UINT8: 'uint8',
  1: 'float32',
  3: 'int32',
  9: 'int32',
  10: 'bool',
  4: 'uint8',
};

/** A type attribute; int64 is int32, as in tfjs. */
export function typeAttribute(node: TfNode, name: string): 'float32' | 'int32' | 'bool' | 'uint8' {
  const type = TYPES[String(node.attr[name]?.type)];
  if (type) return type;
  throw new LabelsmithError('BAD_MODEL', `node ${node.name} (${node.op}) has ${name} ${node.attr[name]?.type}`);
}
