/**
 * Builds ONNX graphs in TypeScript.
 *
 * A builder owns a graph's inputs, constants, nodes and outputs, and names every value itself, so that the same calls
 * always make the same bytes. Operators with a fixed number of outputs have a method in `ops.ts`; `node` takes any
 * operator. Shapes and types are checked by ONNX Runtime when a session is made, not here.
 */
import { LabelsmithError } from '../errors.ts';
import { type DType, ELEMENT_TYPES } from './element-types.ts';
import { neededNodes, valuesReadBy } from './node-graph.ts';
import {
  ATTRIBUTE_TYPES,
  type AttributeProto,
  encodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.ts';
import { float32, int64, type Tensor, tensor, tensorToProto } from './tensor.ts';

/** The name of a value in the graph under construction. */
export type Value = string;

/** A size in elements, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

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

export interface NodeOptions {
  /** Number of outputs (default 1); more than the operator has makes the session fail. */
  readonly outputs?: number;
  /** The node's name; its values are named after it (default: operator and a running number). */
  readonly name?: string;
  /** Operator domain (default ONNX's own; `com.microsoft` for ONNX Runtime's). */
  readonly domain?: string;
}

/** The opset that graphs are written for: reductions take their axes as an input, `Split` needs `num_outputs`. */
export const DEFAULT_OPSET = 18;
/** The newest opset an inlined model may ask for; the builder's own operators mean the same up to here. */
export const NEWEST_OPSET = 23;
const IR_VERSION = 8;
/** From this opset on, models are written with IR version 10. */
const IR_10_OPSET = 21;

export class GraphBuilder {
  readonly name: string;
  #opset = DEFAULT_OPSET;
  readonly #domains = new Map<string, number>();
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #nodes: NodeProto[] = [];
  readonly #constants: TensorProto[] = [];
  readonly #names = new Set<string>();
  readonly #shared = new Map<string, Value>();
  #counter = 0;

  constructor(name = 'labelsmith') {
    this.name = name;
  }

  get opset(): number {
    return this.#opset;
  }

  /** The operators in the graph so far. */
  get operators(): ReadonlySet<string> {
    return new Set(this.#nodes.map((node) => node.opType as string));
  }

  /** Lets the graph hold operators of a newer opset (never an older one). */
  raiseOpset(version: number): void {
    if (version > NEWEST_OPSET) {
      throw new LabelsmithError('BAD_MODEL', `opset ${version} is newer than ${NEWEST_OPSET}, the newest known here`, {
        hint: `Export the model with opset ${NEWEST_OPSET} or older.`,
      });
    }
    this.#opset = Math.max(this.#opset, version);
  }

  /** Declares an operator domain other than ONNX's own. */
  useDomain(domain: string, version: number): void {
    const known = this.#domains.get(domain);
    if (known !== undefined && known !== version) {
      throw new LabelsmithError('BAD_MODEL', `operators of ${domain} are wanted in versions ${known} and ${version}`);
    }
    this.#domains.set(domain, version);
  }

  /** A name nothing else has, which starts with `wanted`. */
  uniqueName(wanted: string): Value {
    let name = wanted;
    while (this.#names.has(name)) name = `${wanted}_${this.#counter++}`;
    this.#names.add(name);
    return name;
  }

  /** An input of the graph. `shape` may hold names for sizes known only at run time. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Value {
    this.#claim(name);
    this.#inputs.push(valueInfo(name, dtype, shape));
    return name;
  }

  /** Makes a value an output of the graph, under `name` when it is given. Types follow from the graph. */
  output(value: Value, name: string = value): void {
    if (name !== value) {
      this.#claim(name);
      this.#nodes.push({ opType: 'Identity', name, input: [value], output: [name] });
    }
    if (this.#outputs.some((output) => output.name === name)) {
      throw new LabelsmithError('UNSUPPORTED', `graph ${this.name} already has an output named ${name}`);
    }
    this.#outputs.push({ name });
  }

  /** A constant of the graph. */
  constant(value: Tensor, name = 'constant'): Value {
    const unique = this.uniqueName(name);
    this.#constants.push(tensorToProto(unique, value));
    return unique;
  }

  /** A scalar constant, stored once however often it is asked for. */
  scalar(value: number, dtype: 'float32' | 'int64' | 'int32' | 'uint8' | 'bool' = 'float32'): Value {
    return this.#once(`scalar:${dtype}:${Object.is(value, -0) ? '-0' : value}`, () => {
      if (dtype === 'int64') return int64([value], []);
      if (dtype === 'int32') return tensor('int32', Int32Array.of(value), []);
      if (dtype === 'float32') return float32([value], []);
      return tensor(dtype, Uint8Array.of(value), []);
    });
  }

  /** A one-dimensional int64 constant (shapes, axes, indices), stored once however often it is asked for. */
  ints(values: readonly number[]): Value {
    return this.#once(`ints:${values}`, () => int64(values));
  }

  #once(key: string, make: () => Tensor): Value {
    let value = this.#shared.get(key);
    if (value === undefined) {
      value = this.constant(make(), key);
      this.#shared.set(key, value);
    }
    return value;
  }

  /** Adds an operator; an empty input name is an optional input that is not given. */
  node(op: string, inputs: readonly Value[], attributes: Attributes = {}, options: NodeOptions = {}): Value[] {
    const name = this.uniqueName(options.name ?? `${op}_${this.#counter++}`);
    const outputs: Value[] = [];
    for (let i = 0; i < (options.outputs ?? 1); i++) outputs.push(i === 0 ? name : this.uniqueName(`${name}:${i}`));
    const node: NodeProto = { opType: op, name, input: [...inputs], output: [...outputs] };
    if (options.domain) node.domain = options.domain;
    const list: AttributeProto[] = [];
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined) list.push(attributeProto(key, value));
    }
    if (list.length > 0) node.attribute = list;
    this.#nodes.push(node);
    return outputs;
  }

  /** Adds an operator with one output. */
  op(op: string, inputs: readonly Value[], attributes?: Attributes, name?: string): Value {
    return this.node(op, inputs, attributes, { name })[0];
  }

  /** Adds a node as it stands, for models that are inlined. Its outputs must come from `uniqueName`. */
  addNode(node: NodeProto): void {
    this.#nodes.push(node);
  }

  /** Adds an initializer as it stands, for models that are inlined. Its name must come from `uniqueName`. */
  addInitializer(proto: TensorProto): void {
    this.#constants.push(proto);
  }

  /** The finished model, without what no output needs. `metadata` is written into it, sorted by key. */
  toProto(metadata: Readonly<Record<string, string>> = {}): ModelProto {
    if (this.#outputs.length === 0) throw new LabelsmithError('UNSUPPORTED', `graph ${this.name} has no outputs`);
    const opsetImport = [{ domain: '', version: BigInt(this.#opset) }];
    for (const [domain, version] of [...this.#domains].sort(([a], [b]) => (a < b ? -1 : 1))) {
      opsetImport.push({ domain, version: BigInt(version) });
    }
    const node = neededNodes(
      this.#nodes,
      this.#outputs.map((output) => output.name as string),
    );
    const read = new Set(node.flatMap(valuesReadBy));
    for (const { name } of this.#outputs) read.add(name as string);
    return {
      irVersion: BigInt(this.#opset >= IR_10_OPSET ? 10 : IR_VERSION),
      producerName: 'labelsmith',
      opsetImport,
      metadataProps: Object.keys(metadata)
        .sort()
        .map((key) => ({ key, value: metadata[key] })),
      graph: {
        name: this.name,
        node,
        initializer: this.#constants.filter(({ name }) => read.has(name as string)),
        input: this.#inputs,
        output: this.#outputs,
      },
    };
  }

  toModel(metadata?: Readonly<Record<string, string>>): Uint8Array {
    return encodeModel(this.toProto(metadata));
  }

  #claim(name: string): void {
    if (this.#names.has(name)) {
      throw new LabelsmithError('UNSUPPORTED', `graph ${this.name} already has a value named ${name}`);
    }
    this.#names.add(name);
  }
}

function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: BigInt(size) } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[dtype], shape: { dim } } } };
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
    if (typeof value[0] === 'string') {
      return { name, type: ATTRIBUTE_TYPES.strings, strings: value.map((text) => Buffer.from(String(text))) };
    }
    const numbers = value as readonly number[];
    return numbers.every(Number.isInteger)
      ? { name, type: ATTRIBUTE_TYPES.ints, ints: numbers.map(BigInt) }
      : { name, type: ATTRIBUTE_TYPES.floats, floats: [...numbers] };
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
