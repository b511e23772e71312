/** Expected values: scikit-learn 1.2.1, `KMeans(k, init=X[:k], n_init=1)` on the same points in double precision. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sampleIndices } from '../../core/random.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { gatherRows, type Matrix, matrix, newSharedMatrix, rowsOf } from '../matrix.ts';
import { nearestCentres } from './blocks.ts';
import { type KMeansOptions, kmeans, seedCentres } from './kmeans.ts';
import { miniBatchKMeans } from './mini-batch.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

/** x[i, j] = ((7919 i + 104729 j + 31 i j) mod 997) / 997 + ((i mod 7)(j + 3) mod 5) / 2 */
function points(n = 600, d = 16): Matrix {
  const x = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++) {
      x[i * d + j] = ((i * 7919 + j * 104729 + i * j * 31) % 997) / 997 + (((i % 7) * (j + 3)) % 5) * 0.5;
    }
  }
  return matrix(x, n, d);
}

function sizes(labels: Int32Array, k: number): number[] {
  const counts = new Array<number>(k).fill(0);
  for (const label of labels) counts[label] = counts[label] + 1;
  return counts;
}

const EXPECTED = [
  { k: 7, iterations: 14, inertia: 766.4247246381553, centre: 0.9971892431724908, checksum: 90543 },
  { k: 23, iterations: 9, inertia: 667.8616727214096, centre: 0.946430203589526, checksum: 336005 },
];

for (const { k, iterations, inertia, centre, checksum } of EXPECTED) {
  test(`Lloyd from given centres is scikit-learn's, k = ${k}`, async () => {
    const x = points();
    const result = await kmeans(pool, x, { k, start: rowsOf(x, 0, k) });
    assert.equal(result.iterations, iterations);
    assert.equal(result.stopped, 'labels');
    assert.ok(Math.abs(result.inertia / inertia - 1) < 1e-6, `inertia ${result.inertia}`);
    assert.ok(Math.abs(result.centres.data[2 * 16 + 5] - centre) < 1e-6);
    let sum = 0;
    for (let i = 0; i < 600; i++) sum += result.labels[i] * (i % 101);
    assert.equal(sum, checksum);
    assert.ok(result.work < 1, 'some comparisons were pruned');
  });
}

test('empty clusters take the points that are farthest off, as in scikit-learn', async () => {
  const x = rowsOf(points(), 0, 50);
  const start = matrix(new Float32Array(5 * 16).fill(100), 5, 16);
  start.data.set(x.data.subarray(0, 3 * 16));
  const result = await kmeans(pool, x, { k: 5, start });
  assert.deepEqual(sizes(result.labels, 5).sort(), [15, 14, 14, 4, 3].sort());
  assert.ok(Math.abs(result.inertia / 78.13671891641704 - 1) < 1e-6);
});

test('pruning changes nothing: the same labels as plain Lloyd, far from the origin too', async () => {
  for (const offset of [0, 4]) {
    const x = points(900, 24);
    for (let i = 0; i < x.data.length; i++) x.data[i] = x.data[i] + offset;
    const k = 40;
    const result = await kmeans(pool, x, { k, start: rowsOf(x, 0, k), tolerance: 0 });
    const plain = plainLloyd(x, rowsOf(x, 0, k));
    assert.deepEqual([...result.labels], plain.labels);
    assert.equal(result.iterations, plain.iterations);
  }
});

/** Lloyd in double precision, as the textbook has it; the test's points leave no cluster empty. */
function plainLloyd({ data, rows, columns }: Matrix, start: Matrix): { labels: number[]; iterations: number } {
  const k = start.rows;
  let centres = Float64Array.from(start.data);
  let labels: number[] = [];
  for (let iterations = 1; ; iterations++) {
    const before = labels;
    labels = [];
    const sums = new Float64Array(k * columns);
    const counts = new Float64Array(k);
    for (let i = 0; i < rows; i++) {
      let best = -1;
      let least = Number.POSITIVE_INFINITY;
      for (let c = 0; c < k; c++) {
        let distance = 0;
        for (let j = 0; j < columns; j++) {
          distance += (data[i * columns + j] - centres[c * columns + j]) ** 2;
        }
        if (distance < least) [best, least] = [c, distance];
      }
      labels.push(best);
      counts[best] = counts[best] + 1;
      for (let j = 0; j < columns; j++) {
        sums[best * columns + j] = sums[best * columns + j] + data[i * columns + j];
      }
    }
    assert.ok(!counts.includes(0));
    centres = sums.map((sum, at) => Math.fround(sum / counts[Math.floor(at / columns)]));
    if (labels.every((label, i) => label === before[i])) return { labels, iterations };
  }
}

test('the same seed gives the same bytes, whatever the threads', async () => {
  const x = points();
  const options: KMeansOptions = { k: 12, seed: 5, restarts: 2 };
  const two = await kmeans(pool, x, options);
  await using single = await InferencePool.create({ threads: 1 });
  const one = await kmeans(single, x, options);
  assert.deepEqual(one.labels, two.labels);
  assert.deepEqual(one.centres.data, two.centres.data);
  assert.equal(one.inertia, two.inertia);
  const other = await kmeans(pool, x, { ...options, seed: 6 });
  assert.notDeepEqual(other.centres.data, two.centres.data);
});

test('k-means++ seeds are different points and spread over blobs', async () => {
  const k = 20;
  const x = newSharedMatrix(2000, 8);
  for (let i = 0; i < 2000; i++) {
    for (let j = 0; j < 8; j++) x.data[i * 8 + j] = (((i % k) * (j + 1)) % k) * 10 + ((i * 7 + j * 13) % 11) * 0.01;
  }
  const centres = await seedCentres(pool, x, k, { seed: 1 });
  const blobs = new Set(await nearestCentres(pool, rowsOf(x, 0, k), centres));
  assert.equal(blobs.size, k, 'one seed in every blob');
});

test('seeding survives points that are all the same', async () => {
  const result = await kmeans(pool, matrix(new Float32Array(40).fill(2), 10, 4), { k: 3, seed: 1 });
  assert.equal(result.inertia, 0);
});

test('spherical: centres have length 1 and scaling a point changes nothing', async () => {
  const x = points();
  const scaled = matrix(x.data.slice(), 600, 16);
  for (let i = 0; i < 600; i++) {
    for (let j = 0; j < 16; j++) scaled.data[i * 16 + j] = scaled.data[i * 16 + j] * 2 ** (i % 5);
  }
  const a = await kmeans(pool, x, { k: 7, seed: 3, spherical: true });
  const b = await kmeans(pool, scaled, { k: 7, seed: 3, spherical: true });
  assert.deepEqual(a.labels, b.labels);
  for (let c = 0; c < 7; c++) {
    const norm = Math.hypot(...a.centres.data.subarray(c * 16, (c + 1) * 16));
    assert.ok(Math.abs(norm - 1) < 1e-6);
  }
});

test('mini-batch comes within 5 % of Lloyd, from the same centres', async () => {
  const x = points();
  const start = await seedCentres(
    pool,
    gatherRows(
      x,
      Int32Array.from({ length: 600 }, (_, i) => i),
    ),
    7,
    { seed: 2 },
  );
  const whole = await kmeans(pool, x, { k: 7, start });
  const batches = function* () {
    for (let at = 0; at < 600; at += 150) yield rowsOf(x, at, at + 150);
  };
  const { centres, counts } = await miniBatchKMeans(pool, batches, { start, passes: 5 });
  const labels = await nearestCentres(pool, x, centres);
  let inertia = 0;
  for (let i = 0; i < 600; i++) {
    for (let j = 0; j < 16; j++) {
      const centre = centres.data[labels[i] * 16 + j];
      inertia += (x.data[i * 16 + j] - centre) ** 2;
    }
  }
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    600,
  );
  assert.ok(inertia < 1.05 * whole.inertia, `${inertia} against ${whole.inertia}`);
});

test('mini-batch moves centres that no point chose to where points are', async () => {
  const x = points();
  const start = matrix(new Float32Array(5 * 16).fill(100), 5, 16);
  start.data.set(x.data.subarray(0, 16));
  const { counts } = await miniBatchKMeans(pool, () => [x], { start, passes: 6 });
  assert.ok(!counts.includes(0), `${counts}`);
});

test('wrong k and wrong starting centres are refused with the numbers', async () => {
  const x = points(10, 4);
  await assert.rejects(kmeans(pool, x, { k: 11 }), /from 1 to the number of points, 10, not 11/);
  await assert.rejects(kmeans(pool, x, { k: 2, start: matrix(new Float32Array(6), 2, 3) }), /2 × 3, expected 2 × 4/);
  await assert.rejects(kmeans(pool, x, { k: 2, restarts: 0 }), /restarts must be at least 1/);
});

test('an aborted signal stops between iterations', async () => {
  await assert.rejects(kmeans(pool, points(), { k: 7, signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('sampling without replacement is ascending and complete', () => {
  assert.deepEqual([...sampleIndices(5, 9, () => 0.5)], [0, 1, 2, 3, 4]);
  let state = 1;
  const random = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const drawn = sampleIndices(1000, 100, random);
  assert.equal(new Set(drawn).size, 100);
  assert.deepEqual(
    [...drawn],
    [...drawn].sort((a, b) => a - b),
  );
});
