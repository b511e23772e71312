import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InferencePool } from '../../onnx/pool.ts';
import { softmaxRows } from '../calibration.ts';
import { type Matrix, matrix, newSharedMatrix } from '../matrix.ts';
import { balancedWeights, fitLinearHead, logitsOf, oneHot, type TrainingSet } from './linear-head.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

const N = 60;
const D = 5;
const LABELS = Int32Array.from({ length: N }, (_, i) => i % 3);

/** xᵢⱼ = sin(1.7 i + 2.3 j (1 + i / 100)) + 0.8 [i mod 3 = j mod 3]: made the same way in Python. */
function features(): Matrix {
  const result = newSharedMatrix(N, D);
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < D; j++) {
      result.data[i * D + j] = Math.sin(1.7 * i + 2.3 * j * (1 + 0.01 * i)) + (i % 3 === j % 3 ? 0.8 : 0);
    }
  }
  return result;
}

function trainingSet(labels = LABELS, weights: Float32Array = new Float32Array(N).fill(1)): TrainingSet {
  return { features: features(), targets: oneHot(labels, 3), weights };
}

function assertNear(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i] - value) < tolerance, `at ${i}: ${actual[i]}, expected ${value}`);
  }
}

async function probabilities(given: TrainingSet, C: number): Promise<ArrayLike<number>> {
  const head = await fitLinearHead(pool, given, { C, tolerance: 1e-5 });
  return softmaxRows(await logitsOf(pool, head, features())).data;
}

// scikit-learn 1.2.1, LogisticRegression(C, tol=1e-10, max_iter=10000) on the same numbers.
test('coefficients, intercepts and probabilities are those of scikit-learn', async () => {
  const head = await fitLinearHead(pool, trainingSet(), { C: 0.1, tolerance: 1e-5 });
  const coefficients = [
    0.43207, -0.23159, -0.27938, 0.45085, 0.01505, -0.01965, 0.45242, -0.25693, -0.2595, 0.46129, -0.41242, -0.22082,
    0.53631, -0.19135, -0.47634,
  ];
  assertNear(head.weights.data, coefficients, 5e-4);
  // The intercepts are known but for a constant, which the penalty does not see.
  const mean = head.bias.reduce((sum, b) => sum + b, 0) / 3;
  assertNear(
    head.bias.map((b) => b - mean),
    [-0.10227, -0.12432, 0.22659],
    5e-4,
  );
  assertNear(
    await probabilities(trainingSet(), 0.1),
    [0.63383, 0.2919, 0.07428, 0.55303, 0.1983, 0.24868, 0.07193, 0.11651, 0.81156],
    2e-4,
  );
  assertNear(
    await probabilities(trainingSet(), 10),
    [0.92386, 0.07612, 0.00001, 0.63732, 0.32917, 0.03351, 0.00002, 0.00005, 0.99992],
    2e-3,
  );
});

test('weights of rows and of classes are those of scikit-learn', async () => {
  const weights = Float32Array.from({ length: N }, (_, i) => 1 + (i % 4) / 4);
  assertNear(
    await probabilities(trainingSet(LABELS, weights), 1),
    [0.84879, 0.14992, 0.00129, 0.73386, 0.17024, 0.0959, 0.00122, 0.00265, 0.99613],
    1e-3,
  );
  const uneven = Int32Array.from({ length: N }, (_, i) => (i % 6 === 0 ? 0 : i % 3 === 0 ? 1 : 2));
  assertNear(
    await probabilities(trainingSet(uneven, balancedWeights(uneven, 3)), 1),
    [0.5575, 0.42313, 0.01937, 0.41382, 0.43527, 0.1509, 0.00741, 0.01212, 0.98048],
    1e-3,
  );
});

test('a soft target is the same as rows that are split', async () => {
  const soft = newSharedMatrix(N, 3);
  for (let i = 0; i < N; i++) {
    soft.data[i * 3 + LABELS[i]] = 0.75;
    soft.data[i * 3 + ((LABELS[i] + 1) % 3)] = 0.25;
  }
  const once = await fitLinearHead(pool, { ...trainingSet(), targets: soft }, { C: 1, tolerance: 1e-5 });
  const x = features();
  const twice = matrix(Float32Array.from([...x.data, ...x.data]), 2 * N, D);
  const labels = Int32Array.from([...LABELS, ...LABELS.map((label) => (label + 1) % 3)]);
  const weights = Float32Array.from({ length: 2 * N }, (_, i) => (i < N ? 0.75 : 0.25));
  const split = { features: twice, targets: oneHot(labels, 3), weights };
  const other = await fitLinearHead(pool, split, { C: 1, tolerance: 1e-5 });
  assertNear(once.weights.data, [...other.weights.data], 1e-3);
});

test('the same bytes with any number of threads, and the same head from a warm start', async () => {
  const one = await InferencePool.create({ threads: 1 });
  try {
    const a = await fitLinearHead(one, trainingSet(), { C: 3 });
    const b = await fitLinearHead(pool, trainingSet(), { C: 3 });
    assert.deepEqual(a, b);
    const warm = await fitLinearHead(pool, trainingSet(), { C: 3, start: a, tolerance: 1e-5 });
    const cold = await fitLinearHead(pool, trainingSet(), { C: 3, tolerance: 1e-5 });
    assertNear(warm.weights.data, [...cold.weights.data], 1e-2);
  } finally {
    await one.close();
  }
});

test('few rows of many columns: the head is the one that all columns give', async () => {
  // As many columns of nothing beside, the rows stand in coordinates of their own span.
  const small = features();
  const padded = newSharedMatrix(N, 2 * N);
  for (let i = 0; i < N; i++) padded.data.set(small.data.subarray(i * D, (i + 1) * D), i * 2 * N);
  const options = { C: 0.1, tolerance: 1e-5 };
  const plain = await fitLinearHead(pool, trainingSet(), options);
  const spanned = await fitLinearHead(pool, { ...trainingSet(), features: padded }, options);
  const cut = Array.from({ length: 3 }, (_, k) => [...spanned.weights.data.subarray(k * 2 * N, k * 2 * N + D)]).flat();
  assertNear(cut, [...plain.weights.data], 1e-3);
  assertNear(spanned.bias, [...plain.bias], 1e-3);
});
