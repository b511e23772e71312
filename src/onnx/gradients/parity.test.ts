/** Gradients of small networks against those of PyTorch in 64-bit floats (`test/oracles/gradients.py`). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Graph } from '../ops.ts';
import { Session, type Tensors } from '../session.ts';
import { float32, sizeOf } from '../tensor.ts';
import type { Value } from '../value.ts';
import { crossEntropy } from './cross-entropy.ts';
import { addGradients } from './gradients.ts';

interface Expected {
  readonly loss: number;
  readonly shapes: readonly (readonly number[])[];
  readonly gradients: readonly (readonly number[] | null)[];
}

type Network = (g: Graph, inputs: readonly Value[]) => Value;

const times = (g: Graph, x: Value | undefined, factor: number) => g.mul(x as Value, g.scalar(factor));

/** Σ yᵢ cos i. */
function weighted(g: Graph, y: Value): Value {
  const dims = (y.shape ?? []).map(Number);
  const cosines = Float32Array.from({ length: sizeOf(dims) }, (_, i) => Math.cos(i));
  return g.reduceSum(g.mul(y, g.constant(float32(cosines, dims))), [...dims.keys()], { keepDims: false });
}

const conv =
  (attributes: Readonly<Record<string, number | readonly number[]>>): Network =>
  (g, inputs) =>
    weighted(g, g.op('Conv', inputs, attributes));

const squeezeExcite: Network = (g, [x, w1, b1, w2, b2]) => {
  const squeezed = g.relu(g.conv(g.globalAveragePool(x as Value), w1 as Value, b1));
  return weighted(g, g.mul(x as Value, g.hardSigmoid(g.conv(squeezed, w2 as Value, b2), 1 / 6, 0.5)));
};

const invertedResidual: Network = (g, [x, w1, w2, w3]) => {
  const wide = g.hardSwish(g.conv(x as Value, w1 as Value));
  const deep = g.hardSwish(g.conv(wide, w2 as Value, undefined, { pads: [2, 2, 2, 2], group: 12 }));
  return weighted(g, g.add(g.conv(deep, w3 as Value), x as Value));
};

const attention: Network = (g, [x, ...matrices]) => {
  const heads = matrices.map((w) => {
    const rows = g.matmul(x as Value, g.transpose(w, [1, 0]));
    return g.transpose(g.reshape(rows, [2, 4, 2, 3]), [0, 2, 1, 3]);
  });
  const [q, k, v] = heads as [Value, Value, Value];
  const scores = g.div(g.matmul(q, g.transpose(k, [0, 1, 3, 2])), g.scalar(Math.sqrt(3)));
  const joined = g.transpose(g.matmul(g.softmax(scores), v), [0, 2, 1, 3]);
  return weighted(g, g.reshape(joined, [2, 4, 6]));
};

const meanCrossEntropy: Network = (g, [logits, targets]) => {
  const soft = g.softmax(times(g, targets, 3), 1);
  const weights = g.constant(float32(new Float32Array(5).fill(1 / 5), [5, 1]));
  return crossEntropy(g, logits as Value, soft, weights);
};

const batchNormalisation: Network = (g, inputs) => {
  const statistics = [
    [-1, 0, 1],
    [0.5, 1.25, 2],
  ].map((numbers) => g.constant(float32(numbers)));
  return weighted(g, g.op('BatchNormalization', [...inputs, ...statistics], { epsilon: 1e-3 }));
};

const gelu: Network = (g, [x]) => {
  g.raiseOpset(20);
  return weighted(g, g.op('Gelu', [times(g, x, 2)]));
};

const silu: Network = (g, [x]) => {
  const four = times(g, x, 4);
  return weighted(g, g.mul(four, g.sigmoid(four)));
};

const pools: Network = (g, [x]) => {
  const largest = g.maxPool(x as Value, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  return weighted(g, g.averagePool(largest, { kernel: [2, 2], strides: [1, 1] }));
};

const NETWORKS: Readonly<Record<string, Network>> = {
  convolution: conv({ pads: [1, 1, 1, 1], strides: [2, 2] }),
  'dilated convolution': conv({ pads: [2, 2, 2, 2], dilations: [2, 2] }),
  'grouped convolution': conv({ pads: [1, 1, 1, 1], group: 2 }),
  'depthwise convolution': conv({ pads: [2, 2, 2, 2], strides: [2, 2], group: 4 }),
  'squeeze and excite': squeezeExcite,
  'inverted residual': invertedResidual,
  'batch normalisation': batchNormalisation,
  'layer normalisation': (g, inputs) => weighted(g, g.op('LayerNormalization', inputs, { axis: -1 })),
  'instance normalisation': (g, inputs) => weighted(g, g.op('InstanceNormalization', inputs)),
  'local response normalisation': (g, inputs) =>
    weighted(g, g.op('LRN', inputs, { size: 5, alpha: { float: 2 }, beta: 0.75, bias: 1.5 })),
  attention,
  GELU: gelu,
  ReLU6: (g, [x]) => weighted(g, g.clip(times(g, x, 8), 0, 6)),
  SiLU: silu,
  pools,
  resize: (g, [x]) => weighted(g, g.resize(x as Value, [1, 2, 7, 9], { mode: 'linear', coordinates: 'half_pixel' })),
  'cross-entropy': meanCrossEntropy,
};

const { torch, ...expected } = JSON.parse(
  await readFile(new URL('../../../test/fixtures/gradients.json', import.meta.url), 'utf8'),
) as Record<string, Expected> & { readonly torch: string };

test('every network of the fixture is compared', () => {
  assert.ok(torch);
  assert.deepEqual(Object.keys(NETWORKS), Object.keys(expected));
});

for (const [name, network] of Object.entries(NETWORKS)) {
  test(`${name}: loss and gradients are those of PyTorch`, async () => {
    const { loss: expectedLoss, shapes, gradients } = expected[name] as Expected;
    const g = new Graph();
    const inputs = shapes.map((dims, k) => g.input(`x${k}`, 'float32', dims));
    const loss = network(g, inputs);
    const { of } = addGradients(g, loss, inputs);
    g.output(loss, 'loss');
    for (const input of inputs) g.output(of.get(input.name) as Value, `d${input.name}`);
    const feeds: Record<string, Tensors[string]> = {};
    for (const [k, dims] of shapes.entries()) {
      const numbers = Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(1.3 * i + 0.7 * (k + 1)));
      feeds[`x${k}`] = float32(numbers, dims);
    }
    const session = await Session.create(g.toModel());
    const results = await session.run(feeds);
    await session.close();
    assertNear(Number(results.loss?.data[0]), expectedLoss, Math.abs(expectedLoss) + 1, 'loss');
    for (const [k, numbers] of gradients.entries()) {
      // PyTorch was not asked for those of the targets.
      if (!numbers) continue;
      const largest = Math.max(...numbers.map(Math.abs));
      const found = results[`dx${k}`]?.data ?? [];
      assert.equal(found.length, numbers.length);
      for (const [i, number] of numbers.entries()) assertNear(Number(found[i]), number, largest, `dx${k}[${i}]`);
    }
  });
}

/** Within what 32-bit floats can do. */
function assertNear(found: number, wanted: number, scale: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= 1e-5 * scale, `${what} is ${found}, by PyTorch ${wanted}`);
}
