/**
 * Families of image networks with random weights: each can be trained from its pixels on with no operator in the way, and
 * loss and gradients of a training step are those of PyTorch in 64-bit floats (`test/oracles/families.py`).
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gradientOf, HEAD_BIAS, HEAD_WEIGHTS, stepGraph } from '../src/models/tuning/training-graph.ts';
import { parametersOf } from '../src/models/tuning/tunable-network.ts';
import { Session, type Tensors } from '../src/onnx/session.ts';
import { float32, sizeOf } from '../src/onnx/tensor.ts';
import { FAMILIES, FAMILY_SIDE, tunableFamily } from './fixtures/families/families.ts';

interface Expected {
  readonly loss: number;
  /** Of each constant's gradient, its length and its product with cos(i). */
  readonly gradients: Readonly<Record<string, readonly [length: number, along: number]>>;
}

const IMAGES = 4;
const CLASSES = 5;

const { torch, ...expected } = JSON.parse(
  await readFile(new URL('fixtures/families.json', import.meta.url), 'utf8'),
) as Record<string, Expected> & { readonly torch: string };

const madeUp = (dims: readonly number[], shift: number) =>
  float32(
    Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(1.3 * i + shift)),
    dims,
  );

async function resultsOf(model: Uint8Array, feeds: Tensors): Promise<Tensors> {
  const session = await Session.create(model);
  const results = await session.run(feeds);
  await session.close();
  return results;
}

/** ONNX Runtime joins some operators, of layer norms say, where it finds them side by side: the last bits may differ. */
function assertNear(found: Tensors, expected: Tensors): void {
  const numbersOf = (tensors: Tensors, name: string) => Array.from(tensors[name]?.data ?? [], Number);
  const largestOf = (name: string) => Math.max(...numbersOf(expected, name).map(Math.abs));
  const largest = Math.max(...Object.keys(expected).map(largestOf));
  for (const name of Object.keys(expected)) {
    const one = numbersOf(found, name);
    const most = Math.max(...numbersOf(expected, name).map((value, i) => Math.abs(value - (one[i] ?? Number.NaN))));
    assert.ok(most <= 2e-6 * largestOf(name) + 1e-7 * largest, `${name}: off by ${most}`);
  }
}

test('every family is compared', () => {
  assert.ok(torch);
  assert.deepEqual(Object.keys(FAMILIES), Object.keys(expected));
});

for (const [name, { loss, gradients }] of Object.entries(expected)) {
  test(`${name}: a step's loss and gradients are those of PyTorch`, async () => {
    const { network, cut } = tunableFamily(name);
    const { trainables } = cut;
    const { model, trained, obstacles, keptBytes } = stepGraph(network, {
      cut,
      trained: trainables,
      classes: CLASSES,
      items: IMAGES,
    });
    assert.deepEqual(obstacles, []);
    assert.deepEqual(trained, trainables);
    const feeds: Record<string, Tensors[string]> = {
      x: madeUp([IMAGES, 3, FAMILY_SIDE, FAMILY_SIDE], 0.7),
      targets: float32(
        Array.from({ length: IMAGES * CLASSES }, (_, i) => Number(i % CLASSES === Math.floor(i / CLASSES) % CLASSES)),
        [IMAGES, CLASSES],
      ),
      weights: float32([1, 1, 1, 1], [IMAGES, 1]),
      [HEAD_WEIGHTS]: madeUp([CLASSES, network.dimensions], 1.4),
      [HEAD_BIAS]: float32(new Float32Array(CLASSES)),
    };
    const numbers = parametersOf(network, trainables);
    for (const { name: parameter, dims } of trainables) {
      feeds[parameter] = float32(numbers.get(parameter) ?? [], dims);
    }
    const results = await resultsOf(model, feeds);
    // With what lies between borders computed a second time.
    const again = stepGraph(network, {
      cut,
      trained: trainables,
      classes: CLASSES,
      items: IMAGES,
      recompute: true,
    });
    assert.ok(again.keptBytes <= keptBytes);
    assertNear(await resultsOf(again.model, feeds), results);
    assert.ok(Math.abs(Number(results.loss?.data[0]) - loss) < 1e-4 * loss, `loss ${results.loss?.data[0]}, ${loss}`);
    const largest = Math.max(...Object.values(gradients).map(([length]) => length));
    for (const { name: parameter, dims } of trainables) {
      const [length = Number.NaN, along = Number.NaN] = gradients[parameter] ?? [];
      const found = Array.from(results[gradientOf(parameter)]?.data ?? [], Number);
      assert.equal(found.length, sizeOf(dims));
      // What 32-bit floats leave of it: by the tensor's own length, and for those that nearly vanish by the largest.
      const tolerance = 2e-3 * length + 1e-5 * largest;
      assert.ok(
        Math.abs(Math.hypot(...found) - length) < tolerance,
        `${parameter}: ${Math.hypot(...found)}, ${length}`,
      );
      const product = found.reduce((sum, value, i) => sum + value * Math.cos(i), 0);
      assert.ok(Math.abs(product - along) < tolerance, `${parameter} along cos: ${product}, ${along}`);
    }
  });
}
