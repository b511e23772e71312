/**
 * The converted MobileNetV3-Small against PyTorch 1.13 in double precision: the same GGUF file, the layers written
 * out with torch.nn.functional (conv2d, batch_norm with ε = 1e-3, hardswish, hardsigmoid) after table 2 of the paper, on
 * the input x[i] = 1.5 · sin(0.37 i) + cos(0.0011 i), shape [1, 3, 224, 224]. The numbers below are what it printed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cacheDirectory } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { mobileNetV3ToOnnx } from '../../src/models/convert/mobilenetv3.ts';
import { sourcesInCache } from '../../src/models/prepare.ts';
import { Session } from '../../src/onnx/session.ts';
import { float32 } from '../../src/onnx/tensor.ts';

const FEATURES = [-0.009162, -0.009159, 0, 1.381938, 1.663032, -0.136123, -0.044053, -0.136154];
const FEATURES_SUM = 17.89082573919239;
const FEATURES_SUM_OF_SQUARES = 130.9335860486957;
const LAYERS: Readonly<Record<string, { first: number[]; mean: number; meanOfSquares: number }>> = {
  'features.0': {
    first: [5.196266, 5.666765, 5.547236, 5.082403],
    mean: 2.1276450799862645,
    meanOfSquares: 19.335582520649847,
  },
  'features.3': {
    first: [2.866738, 2.284084, 2.300432, 2.110004],
    mean: 0.8032562119729894,
    meanOfSquares: 13.612241601110275,
  },
  'features.8': {
    first: [1.255755, 0.976331, 0.383771, -1.372749],
    mean: 0.16190136617814765,
    meanOfSquares: 9.070467389522488,
  },
  'features.12': { first: [0, -0.116732, 0, 0], mean: 0.031060461352764558, meanOfSquares: 0.3622449166478689 },
};

async function weights(): Promise<Uint8Array | undefined> {
  const entry = CATALOGUE.find(({ id }) => id === 'mobilenetv3-small');
  assert.ok(entry);
  const cached = (await sourcesInCache(entry, cacheDirectory()))?.[0]?.path;
  const folder = process.env.LABELSMITH_TEST_WEIGHTS;
  const path = cached ?? (folder && join(folder, 'mobilenetv3_3class_v3_fp16.gguf'));
  return path && existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
}

function assertNear(actual: number, expected: number, what: string): void {
  const tolerance = 2e-4 * Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

test('MobileNetV3-Small from GGUF agrees with PyTorch, layer by layer', async (t: TestContext) => {
  const file = await weights();
  if (!file) {
    t.skip('the weights of mobilenetv3-small are neither in the model cache nor in LABELSMITH_TEST_WEIGHTS');
    return;
  }
  const layers = Object.keys(LAYERS);
  const onnx = mobileNetV3ToOnnx(file, { layers });
  assert.deepEqual(mobileNetV3ToOnnx(file, { layers }), onnx, 'the same file makes the same bytes');
  const session = await Session.create(onnx);
  const one = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => 1.5 * Math.sin(i * 0.37) + Math.cos(i * 0.0011));
  const two = new Float32Array(2 * one.length);
  two.set(one, one.length);
  const result = await session.run({ input: float32(one, [1, 3, 224, 224]) });
  const features = result.features;
  assert.deepEqual(features.dims, [1, 576]);
  const values = Array.from(features.data as Float32Array);
  FEATURES.forEach((expected, i) => {
    assertNear(values[i], expected, `feature ${i}`);
  });
  assertNear(
    values.reduce((sum, x) => sum + x, 0),
    FEATURES_SUM,
    'sum',
  );
  assertNear(
    values.reduce((sum, x) => sum + x * x, 0),
    FEATURES_SUM_OF_SQUARES,
    'sum of squares',
  );
  for (const [name, { first, mean, meanOfSquares }] of Object.entries(LAYERS)) {
    const layer = Array.from(result[name]?.data as Float32Array);
    first.forEach((expected, i) => {
      assertNear(layer[i], expected, `${name}[${i}]`);
    });
    assertNear(layer.reduce((sum, x) => sum + x, 0) / layer.length, mean, `mean of ${name}`);
    assertNear(layer.reduce((sum, x) => sum + x * x, 0) / layer.length, meanOfSquares, `mean of squares of ${name}`);
  }
  const batch = await session.run({ input: float32(two, [2, 3, 224, 224]) });
  assert.deepEqual(batch.features?.dims, [2, 576]);
  Array.from(batch.features?.data as Float32Array)
    .slice(576)
    .forEach((value, i) => {
      assert.ok(Math.abs(value - values[i]) < 1e-4, `feature ${i} in a batch: ${value}, alone ${values[i]}`);
    });
  await session.close();
});
