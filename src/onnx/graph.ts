/**
 * Builds ONNX graphs in TypeScript.
 *
 * A builder owns a graph's inputs, constants, nodes and outputs, and names every value itself, so that the same calls
 * always make the same bytes. Operators with a fixed number of outputs have a method in `ops.ts`; `node` takes any
 * operator. Every value has a type: element type and shape, as far as `infer/` knows them; a node that does not fit its
 * inputs is refused when it is added.
 */
import { LabelsmithError } from '../errors.ts';
import { type Attributes, type AttributeValues, attributeProtos, attributeValues } from './attributes.ts';
import { type DType, ELEMENT_TYPES } from './element-types.ts';
import { typeOfConstant } from './infer/arrangement.ts';
import { inferNode } from './infer/infer.ts';
import { neededNodes, valuesReadBy } from './node-graph.ts';
import { encodeModel, type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from './proto.ts';
import { float32, int64, type Tensor, tensor, tensorFromProto, tensorToProto } from './tensor.ts';
import type { Dim, Value, ValueType } from './value.ts';

export interface NodeOptions {
  /** Number of outputs (default 1); more than the operator has makes the session fail. */
  readonly outputs?: number;
  /** The node's name; its values are named after it (default: operator and a running number). */
  readonly name?: string;
  /** Operator domain (default ONNX's own; `com.microsoft` for ONNX Runtime's). */
  readonly domain?: string;
}

/** A node with what it reads and makes; undefined is an optional value that is not given or not wanted. */
export interface TypedNode {
  readonly node: NodeProto;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  readonly attributes: AttributeValues;
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
  readonly #values = new Map<string, Value>();
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
  uniqueName(wanted: string): string {
    let name = wanted;
    while (this.#names.has(name)) name = `${wanted}_${this.#counter++}`;
    this.#names.add(name);
    return name;
  }

  /** An input of the graph. `shape` may hold names for sizes known only at run time. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Value {
    this.#claim(name);
    this.#inputs.push(valueInfo(name, dtype, shape));
    return this.#register(name, { dtype, shape });
  }

  /** Makes a value an output of the graph, under `name` when it is given. Types follow from the graph. */
  output(value: Value, name: string = value.name): void {
    if (name !== value.name) {
      this.#claim(name);
      this.addNode({ opType: 'Identity', name, input: [value.name], output: [name] });
    }
    if (this.#outputs.some((output) => output.name === name)) {
      throw new LabelsmithError('UNSUPPORTED', `graph ${this.name} already has an output named ${name}`);
    }
    this.#outputs.push({ name });
  }

  /** A constant of the graph. */
  constant(value: Tensor, name = 'constant'): Value {
    const unique = this.uniqueName(name);
    return this.addInitializer(tensorToProto(unique, value));
  }

  /** A scalar constant, stored once however often it is asked for. */
  scalar(value: number, dtype: 'float32' | 'float64' | 'int64' | 'int32' | 'uint8' | 'bool' = 'float32'): Value {
    return this.#once(`scalar:${dtype}:${Object.is(value, -0) ? '-0' : value}`, () => {
      if (dtype === 'int64') return int64([value], []);
      if (dtype === 'int32') return tensor('int32', Int32Array.of(value), []);
      if (dtype === 'float32') return float32([value], []);
      if (dtype === 'float64') return tensor('float64', Float64Array.of(value), []);
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

  /** Adds an operator; an undefined input is an optional one that is not given. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    options: NodeOptions = {},
  ): Value[] {
    const name = this.uniqueName(options.name ?? `${op}_${this.#counter++}`);
    const output: string[] = [];
    for (let i = 0; i < (options.outputs ?? 1); i++) output.push(i === 0 ? name : this.uniqueName(`${name}:${i}`));
    const node: NodeProto = { opType: op, name, input: inputs.map((value) => value?.name ?? ''), output };
    if (options.domain) node.domain = options.domain;
    const list = attributeProtos(attributes);
    if (list.length > 0) node.attribute = list;
    this.addNode(node);
    return output.map((one) => this.value(one));
  }

  /** Adds an operator with one output. */
  op(op: string, inputs: readonly (Value | undefined)[], attributes?: Attributes, name?: string): Value {
    return this.node(op, inputs, attributes, { name })[0];
  }

  /** Adds a node as it stands, for models that are inlined. Its outputs must come from `uniqueName`. */
  addNode(node: NodeProto): void {
    const types = inferNode(
      node,
      (node.input ?? []).map((name) => (name ? this.#values.get(name) : undefined)),
    );
    this.#nodes.push(node);
    (node.output ?? []).forEach((name, i) => {
      const type = types[i];
      if (name && type) this.#register(name, type);
    });
  }

  /** Adds an initializer as it stands, for models that are inlined. Its name must come from `uniqueName`. */
  addInitializer(proto: TensorProto): Value {
    this.#constants.push(proto);
    return this.#register(proto.name as string, typeOfConstant(proto));
  }

  /** The value of that name. */
  value(name: string): Value {
    const value = this.#values.get(name);
    if (value) return value;
    throw new LabelsmithError('UNSUPPORTED', `graph ${this.name} has no value named ${name}`);
  }

  /** The numbers of a constant, or undefined for a value that is computed. */
  constantOf({ name }: Value): Tensor | undefined {
    const proto = this.#constants.find((constant) => constant.name === name);
    return proto && tensorFromProto(proto);
  }

  /** The nodes in an order in which each comes behind those that it reads, with the types of what they read and make. */
  typedNodes(): TypedNode[] {
    const typed = (name: string) => (name ? this.#values.get(name) : undefined);
    return this.#nodes.map((node) => ({
      node,
      inputs: (node.input ?? []).map(typed),
      outputs: (node.output ?? []).map(typed),
      attributes: attributeValues(node.attribute),
    }));
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

  #register(name: string, type: ValueType): Value {
    const value = { ...type, name };
    this.#values.set(name, value);
    return value;
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
