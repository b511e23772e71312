import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from '../../../test/properties.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { argMaxRows } from '../calibration.ts';
import { gatherRows, type Matrix, newSharedMatrix, rowsOf } from '../matrix.ts';
import { addedStatistics, type ClassStatistics, classStatistics, discriminantHead } from './discriminant.ts';
import { logitsOf } from './linear-head.ts';

let pools: readonly InferencePool[];
before(async () => {
  pools = await Promise.all([1, 2].map((threads) => InferencePool.create({ threads })));
});
after(() => Promise.all(pools.map((pool) => pool.close())));

const CLASSES = 3;
const LABELS = Int32Array.from({ length: 40 }, (_, i) => i % CLASSES);

/** As `test/oracles/discriminant.py` makes them. */
function items(): Matrix {
  const made = newSharedMatrix(LABELS.length, 4);
  for (const [i, label] of LABELS.entries()) {
    for (let j = 0; j < 4; j++) {
      made.data[4 * i + j] = ((7 * i + 13 * j + ((i * j) % 5)) % 11) / 10 + (j === label ? 0.6 : 0);
    }
  }
  return made;
}

/** Weights and biases by shrinkage, from scikit-learn: `test/oracles/discriminant.py`. */
const EXPECTED = [
  [
    0.1,
    [
      17.856136, 7.564332, 15.004818, 8.404997, 10.838805, 14.705371, 7.427011, 9.161847, 11.644261, 6.083682,
      17.016831, 7.407905,
    ],
    [-19.989126, -16.030447, -15.514337],
  ],
  [
    0.5,
    [
      14.392323, 6.374418, 10.325627, 7.034937, 8.116464, 13.062012, 5.811873, 7.130896, 7.99487, 5.754959, 12.969958,
      6.340243,
    ],
    [-15.881773, -13.545042, -12.34791],
  ],
] as const;
/** Rows: the true class. */
const EXPECTED_CONFUSIONS = [
  [9, 1, 4],
  [1, 11, 1],
  [3, 4, 6],
];

test("weights and biases are scikit-learn's", async () => {
  const statistics = await classStatistics(pools[0], items(), LABELS, CLASSES);
  for (const [shrinkage, weights, bias] of EXPECTED) {
    const head = discriminantHead(statistics, shrinkage);
    for (const [i, value] of weights.entries()) assert.ok(Math.abs(head.weights.data[i] - value) < 2e-4, `${i}`);
    for (const [i, value] of bias.entries()) assert.ok(Math.abs(head.bias[i] - value) < 2e-4, `${i}`);
  }
});

test("heads from the sums of the other folds confuse the classes that scikit-learn's confuse", async () => {
  const features = items();
  const foldOf = (i: number) => Math.floor(i / 10) % 3;
  const rows = [...LABELS.keys()];
  const ofFolds = await Promise.all(
    [0, 1, 2].map((fold) => {
      const own = rows.filter((i) => foldOf(i) === fold);
      const labels = own.map((i) => LABELS[i]);
      return classStatistics(pools[0], gatherRows(features, own), labels, CLASSES);
    }),
  );
  const counts = Array.from({ length: CLASSES }, () => Array<number>(CLASSES).fill(0));
  for (const fold of [0, 1, 2]) {
    const head = discriminantHead(ofFolds.filter((_, other) => other !== fold).reduce(addedStatistics), 0.1);
    const own = rows.filter((i) => foldOf(i) === fold);
    const best = argMaxRows(await logitsOf(pools[0], head, gatherRows(features, own)));
    for (const [at, i] of own.entries()) counts[LABELS[i]][best[at]]++;
  }
  assert.deepEqual(counts, EXPECTED_CONFUSIONS);
});

/** Added up in order, from rows cut at these places. */
async function inParts(pool: InferencePool, cuts: readonly number[]): Promise<ClassStatistics> {
  const features = items();
  const edges = [0, ...cuts, features.rows];
  const parts: ClassStatistics[] = [];
  for (const [i, from] of edges.slice(0, -1).entries()) {
    const to = edges[i + 1];
    parts.push(await classStatistics(pool, rowsOf(features, from, to), LABELS.subarray(from, to), CLASSES));
  }
  return parts.reduce(addedStatistics);
}

test('however the items are cut, one thread or two give the same bits, and what the items give as a whole', async () => {
  const whole = await inParts(pools[0], []);
  const places = fc.uniqueArray(fc.integer({ min: 1, max: LABELS.length - 1 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(places, async (unsorted) => {
      const cuts = unsorted.toSorted((a, b) => a - b);
      const [one, two] = [await inParts(pools[0], cuts), await inParts(pools[1], cuts)];
      assert.deepEqual(two, one);
      assert.deepEqual(one.mass, whole.mass);
      for (const what of ['sums', 'scatter'] as const) {
        for (const [i, value] of one[what].entries()) assert.ok(Math.abs(value - whole[what][i]) < 1e-4);
      }
    }),
    { numRuns: 40 },
  );
});
