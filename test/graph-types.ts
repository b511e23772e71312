/**
 * What the types of a graph's values are compared with: ONNX Runtime, which infers them itself when it makes a session,
 * and gives the real sizes when it runs.
 */
import assert from 'node:assert/strict';
import { inlineModel } from '../src/onnx/compose.ts';
import { dtypeOf } from '../src/onnx/element-types.ts';
import { Graph } from '../src/onnx/ops.ts';
import { decodeModel, encodeModel } from '../src/onnx/proto.ts';
import { onnxRuntime } from '../src/onnx/runtime.ts';
import { Session, type Tensors } from '../src/onnx/session.ts';
import { newArray, sizeOf } from '../src/onnx/tensor.ts';
import type { Dim, Value } from '../src/onnx/value.ts';

export interface Compared {
  /** Values whose element type and shape the runtime was asked for. */
  readonly values: number;
  /** Of them, those of which the runtime knew a size before it ran that is not known here. */
  readonly weaker: readonly string[];
}

/** Every value's type must be the runtime's, and every size that is known here the one that comes out of a run. */
export async function compareTypes(graph: Graph, feeds: Tensors): Promise<Compared> {
  const proto = graph.toProto();
  const outputs = new Set((proto.graph?.output ?? []).map(({ name }) => name));
  const names = (proto.graph?.node ?? []).flatMap(({ output }) => output ?? []).filter(Boolean);
  for (const name of names) if (!outputs.has(name)) proto.graph?.output?.push({ name });
  const model = encodeModel(proto);
  const weaker: string[] = [];
  const native = await onnxRuntime().InferenceSession.create(model, { logSeverityLevel: 3 });
  for (const told of native.outputMetadata) {
    const { dtype, shape } = graph.value(told.name);
    if (!told.isTensor || dtype === undefined) continue;
    assert.equal(dtype, told.type, `element type of ${told.name}`);
    if (!shape) continue;
    assert.equal(shape.length, told.shape.length, `axes of ${told.name}: [${shape}] here, [${told.shape}] there`);
    told.shape.forEach((size, axis) => {
      if (typeof size !== 'number') return;
      if (typeof shape[axis] === 'number') assert.equal(shape[axis], size, `size ${axis} of ${told.name}`);
      else weaker.push(`${told.name}: [${shape}] here, [${told.shape}] there`);
    });
  }
  await native.release();
  await checkRun(graph, model, feeds, names);
  return { values: names.length, weaker };
}

async function checkRun(graph: Graph, model: Uint8Array, feeds: Tensors, names: readonly string[]): Promise<void> {
  const session = await Session.create(model);
  const results = { ...feeds, ...(await session.run(feeds, names)) };
  await session.close();
  const sizes = new Map<Dim, number>();
  for (const [name, { dims, dtype, data }] of Object.entries(results)) {
    const value: Value = graph.value(name);
    if (value.dtype) assert.equal(value.dtype, dtype, `element type of ${name} in a run`);
    const meets = (dim: Dim | undefined, size: number, what: string) => {
      if (dim === undefined) return;
      const expected = typeof dim === 'number' ? dim : (sizes.get(dim) ?? size);
      assert.equal(expected, size, `${what} of ${name}: ${dim}`);
      if (typeof dim === 'string') sizes.set(dim, size);
    };
    if (value.shape) assert.equal(value.shape.length, dims.length, `axes of ${name} in a run`);
    dims.forEach((size, axis) => {
      meets(value.shape?.[axis], size, `size ${axis}`);
    });
    value.elements?.forEach((element, i) => {
      meets(element, Number(data[i]), `element ${i}`);
    });
  }
}

/** A model as a graph with types, by the pass that models take when they are joined with others. */
export function graphOf(bytes: Uint8Array): Graph {
  const model = decodeModel(bytes);
  const graph = new Graph(model.graph?.name);
  const constants = new Set(model.graph?.initializer?.map(({ name }) => name));
  const feeds: Record<string, Value> = {};
  for (const { name = '', type } of model.graph?.input ?? []) {
    if (constants.has(name)) continue;
    const dims = (type?.tensorType?.shape?.dim ?? []).map(
      ({ dimValue, dimParam }) => dimParam || Number(dimValue ?? 0),
    );
    feeds[name] = graph.input(name, dtypeOf(type?.tensorType?.elemType, name), dims);
  }
  for (const value of Object.values(inlineModel(graph, model, { prefix: 'model', feeds }))) graph.output(value);
  return graph;
}

/** Feeds of all kinds of numbers; sizes that are open are `open`. */
export function someFeeds(graph: Graph, open = 2): Tensors {
  const feeds: Record<string, Tensors[string]> = {};
  for (const { name = '' } of graph.toProto().graph?.input ?? []) {
    const { dtype, shape } = graph.value(name);
    if (!shape || !dtype || dtype === 'string') throw new Error(`${name} has no type`);
    const dims = shape.map((size) => (typeof size === 'number' ? size : open));
    const data = newArray(dtype, sizeOf(dims));
    for (let i = 0; i < data.length; i++) {
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt((i * 7919) % 251);
      else data[i] = (i * 7919) % 251;
    }
    feeds[name] = { dtype, dims, data };
  }
  return feeds;
}
