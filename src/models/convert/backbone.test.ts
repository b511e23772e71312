/** Where the last layer is found in made-up classifiers of every form, and in a file of the model zoo. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inlineModel } from '../../onnx/compose.ts';
import { Graph } from '../../onnx/ops.ts';
import { decodeModel } from '../../onnx/proto.ts';
import { Session } from '../../onnx/session.ts';
import { float32, type Tensor, tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { backboneOf } from './backbone.ts';

/** Two channels of 2 × 2: their means are 2.5 and 10. */
const X = float32([1, 2, 3, 4, 10, 10, 10, 10], [1, 2, 2, 2]);
const MEANS = [2.5, 10];

async function run(build: (graph: Graph, x: Value) => Value): Promise<Record<string, Tensor>> {
  const graph = new Graph('classifier');
  graph.output(build(graph, graph.input('x', 'float32', X.dims)), 'scores');
  const bytes = backboneOf(graph.toModel(), 'scores');
  const whole = new Graph('whole');
  const names = decodeModel(bytes).graph?.node?.flatMap(({ output }) => output ?? []) ?? [];
  const outputs = ['features', 'map'].filter((name) => names.includes(name));
  const feeds = { x: whole.input('x', 'float32', X.dims) };
  for (const [name, value] of Object.entries(inlineModel(whole, bytes, { prefix: 'n', feeds, outputs }))) {
    whole.output(value, name);
  }
  const session = await Session.create(whole.toModel());
  try {
    return await session.run({ x: X });
  } finally {
    await session.close();
  }
}

const weights = (g: Graph) => g.constant(float32([1, 0, 2, 0, 1, 2], [2, 3]), 'weights');

test('a matrix product after pooling: its input, and the map that is pooled', async () => {
  const { features, map } = await run((g, x) => {
    const pooled = g.flatten(g.globalAveragePool(x));
    return g.softmax(g.add(g.matmul(pooled, weights(g)), g.constant(float32([1, 2, 3], [3]))));
  });
  assert.deepEqual([...(features?.data ?? [])], MEANS);
  assert.deepEqual(map?.dims, [1, 2, 2, 2]);
});

test('a convolution as the last layer is pooled before, as in SqueezeNet', async () => {
  const { features, map } = await run((g, x) => {
    const kernel = g.constant(float32([1, 0, 0, 1, 1, 1], [3, 2, 1, 1]));
    return g.softmax(g.flatten(g.globalAveragePool(g.relu(g.conv(x, kernel)))));
  });
  assert.deepEqual([...(features?.data ?? [])], MEANS);
  assert.deepEqual([...(map?.data ?? [])], [...X.data]);
});

test('a convolution over what is pooled already, as in DenseNet', async () => {
  const { features, map } = await run((g, x) =>
    g.conv(g.globalAveragePool(x), g.constant(float32([1, 0, 0, 1, 1, 1], [3, 2, 1, 1]))),
  );
  assert.deepEqual([...(features?.data ?? [])], MEANS);
  assert.deepEqual(map?.dims, [1, 2, 2, 2]);
});

test('fully connected layers have no map', async () => {
  const { features, map } = await run((g, x) => {
    const first = g.relu(g.gemm(g.flatten(x), g.constant(float32(new Float32Array(16).fill(1), [8, 2]))));
    return g.gemm(first, weights(g));
  });
  assert.deepEqual([...(features?.data ?? [])], [50, 50]);
  assert.equal(map, undefined);
});

test('operators of whole numbers give their input in plain numbers', async () => {
  const { features } = await run((g, x) => {
    const [scale, zero] = [g.scalar(0.25), g.scalar(0, 'uint8')];
    const quantised = g.op('QuantizeLinear', [g.flatten(g.globalAveragePool(x)), scale, zero]);
    const whole = g.constant(tensor('uint8', Uint8Array.of(1, 0, 2, 0, 1, 2), [2, 3]));
    const product = g.op('QLinearMatMul', [quantised, scale, zero, whole, scale, zero, scale, zero]);
    return g.op('DequantizeLinear', [product, scale, zero]);
  });
  assert.deepEqual([...(features?.data ?? [])], MEANS);
});

test('a graph with no such layer is refused', () => {
  const graph = new Graph('none');
  graph.output(graph.relu(graph.input('x', 'float32', [1, 2])), 'scores');
  assert.throws(() => backboneOf(graph.toModel(), 'scores'), /stands no layer that could be a classifier's last one/);
});

const FILE = new URL('../../../../shared/models/mobilenetv2-12-qdq.onnx', import.meta.url);
const skip = existsSync(FILE) ? false : 'mobilenetv2-12-qdq.onnx is not at ../shared/models';
test('the zoo’s MobileNetV2: 1,280 features, and the map behind them', { skip }, async () => {
  const bytes = backboneOf(new Uint8Array(await readFile(FILE)), 'output');
  const graph = new Graph('whole');
  const feeds = { input: graph.input('input', 'float32', [1, 3, 224, 224]) };
  // 464: what GlobalAveragePool gives, read off the file.
  const outputs = ['features', 'map', '464_Reshape_103_dequantized'];
  const values = inlineModel(graph, bytes, { prefix: 'n', feeds, outputs });
  for (const name of outputs) graph.output(values[name]!, name);
  const session = await Session.create(graph.toModel());
  const input = float32(
    Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)),
    [1, 3, 224, 224],
  );
  const { features, map, [outputs[2]!]: pooled } = await session.run({ input });
  await session.close();
  assert.deepEqual(features?.dims, [1, 1280]);
  assert.deepEqual(map?.dims, [1, 1280, 7, 7]);
  assert.deepEqual(features.data, pooled?.data);
});
