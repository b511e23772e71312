import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { softmaxRows } from '../../math/calibration.ts';
import { type Head, headLogits } from '../../math/heads/head.ts';
import type { LinearHead } from '../../math/heads/linear-head.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { centreAndNormalise } from '../embed/recipe.ts';
import { type ClassifierInfo, classifierInfo, classifierModel } from './classifier-file.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** The pixels of a 2 × 2 image as they are. */
function pixelEmbedder(): Uint8Array {
  const g = new Graph('pixel-embedder');
  const pixels = g.input('pixels', 'uint8', [1, 2, 2, 3]);
  g.output(g.reshape(g.cast(pixels, 'float32'), [1, 12]), 'embedding');
  return g.toModel();
}

const random = seededRandom(3);
function layer(rows: number, columns: number): LinearHead {
  const weights = newSharedMatrix(rows, columns);
  for (let i = 0; i < weights.data.length; i++) weights.data[i] = 3 * (random() - 0.5);
  return { weights, bias: Float32Array.from({ length: rows }, () => random() - 0.5) };
}

const INFO: ClassifierInfo = {
  version: 1,
  task: 'class',
  items: 'images',
  classNames: ['a', 'ünï "b"', 'c'],
  input: { width: 2, height: 2, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
  margin: null,
  embedder: 'pixels@1',
  space: 'pixels@1',
  temperature: 0.7,
  threshold: 0.8,
  training: {},
};

const HEADS: readonly Head[] = [
  { kind: 'linear', ...layer(3, 12) },
  { kind: 'mlp', hidden: layer(5, 12), output: layer(3, 5) },
];

for (const head of HEADS) {
  test(`${head.kind} head: the file says what head, recipe and temperature say one after the other`, async () => {
    const recipe = {
      blocks: [
        { columns: 8, weight: 1 },
        { columns: 4, weight: 0.5 },
      ],
    };
    const mean = Float32Array.from({ length: 12 }, (_, i) => 100 + i);
    const bytes = classifierModel({ info: INFO, recipe, mean, head, embedder: pixelEmbedder() });
    assert.deepEqual(classifierInfo(bytes, 'it'), INFO);
    const data = Uint8Array.from({ length: 12 }, (_, i) => (i * 53) % 256);
    const model = await pool.load(bytes, { key: `classifier-test ${head.kind}` });
    const feeds = { pixels: { dtype: 'uint8', data, dims: [1, 2, 2, 3] } } as const;
    const { probabilities } = await pool.run(model, feeds, ['probabilities']);
    const vector = newSharedMatrix(1, 12);
    vector.data.set(data);
    centreAndNormalise(vector, recipe, mean);
    const expected = softmaxRows(await headLogits(pool, head, vector), INFO.temperature).data;
    for (const [i, p] of expected.entries()) assert.ok(Math.abs(p - Number(probabilities?.data[i])) < 1e-5);
  });
}
