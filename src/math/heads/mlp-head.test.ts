import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InferencePool } from '../../onnx/pool.ts';
import { argMaxRows, meanCrossEntropy } from '../calibration.ts';
import { type Matrix, newSharedMatrix } from '../matrix.ts';
import { fitLinearHead, logitsOf, oneHot } from './linear-head.ts';
import { fitMlpHead, type MlpHead, mlpLogits } from './mlp-head.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

const N = 60;
const D = 5;

/** xᵢⱼ = sin(1.7 i + 2.3 j (1 + i / 100)) + 0.8 [i mod 3 = j mod 3]: made the same way in Python. */
const FEATURES: Matrix = newSharedMatrix(N, D);
for (let i = 0; i < N; i++) {
  for (let j = 0; j < D; j++) {
    FEATURES.data[i * D + j] = Math.sin(1.7 * i + 2.3 * j * (1 + 0.01 * i)) + (i % 3 === j % 3 ? 0.8 : 0);
  }
}
const x = (i: number, j: number) => FEATURES.data[i * D + j];
/** No plane tells these apart: whether two numbers have the same sign, plus whether a third is above 1. */
const LABELS = Int32Array.from({ length: N }, (_, i) => Number(x(i, 0) * x(i, 1) > 0) + Number(x(i, 2) > 1));
const LESSON = { features: FEATURES, targets: oneHot(LABELS, 3), weights: new Float32Array(N).fill(1) };

function objective({ hidden, output }: MlpHead, logits: Matrix, C: number): number {
  const square = [...hidden.weights.data, ...output.weights.data].reduce((sum, value) => sum + value * value, 0);
  return C * N * meanCrossEntropy(logits, LABELS) + square / 2;
}

// scikit-learn 1.2.1, MLPClassifier((8,), activation='tanh', solver='lbfgs', alpha=1/C, max_iter=5000, tol=1e-10): the
// least objective that 60 seeds found is 29.097 for C = 1 and 70.865 for C = 10, where there are many minima.
for (const { C, least, most } of [
  { C: 1, least: 29.09, most: 29.2 },
  { C: 10, least: 70.8, most: 72 },
]) {
  test(`C = ${C}: a minimum as low as scikit-learn's`, async () => {
    const values: number[] = [];
    for (let seed = 0; seed < 6; seed++) {
      const head = await fitMlpHead(pool, LESSON, { C, hidden: 8, seed, tolerance: 1e-5, maxIterations: 2000 });
      values.push(objective(head, await mlpLogits(pool, head, FEATURES), C));
    }
    assert.ok(Math.min(...values) > least && Math.min(...values) < most, `${values}`);
  });
}

test('what no plane tells apart, it learns; the same numbers with any number of threads', async () => {
  const head = await fitMlpHead(pool, LESSON, { C: 100, hidden: 16, seed: 1 });
  const right = (best: Int32Array) => best.filter((label, i) => label === LABELS[i]).length / N;
  const linear = await fitLinearHead(pool, LESSON, { C: 100 });
  assert.ok(right(argMaxRows(await mlpLogits(pool, head, FEATURES))) > 0.95);
  assert.ok(right(argMaxRows(await logitsOf(pool, linear, FEATURES))) < 0.75);
  const one = await InferencePool.create({ threads: 1 });
  try {
    assert.deepEqual(await fitMlpHead(one, LESSON, { C: 100, hidden: 16, seed: 1 }), head);
  } finally {
    await one.close();
  }
});
