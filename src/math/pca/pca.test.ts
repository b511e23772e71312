/** Expected values: scikit-learn 1.2.1 `PCA(5, svd_solver="full")` and `LedoitWolf` on the same points in double precision. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from '../../../test/properties.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { Session } from '../../onnx/session.ts';
import { float32 } from '../../onnx/tensor.ts';
import { matrix, rowsOf } from '../matrix.ts';
import { symmetricEigen } from './eigen.ts';
import { addLengthNorm, addPowerNorm, addProjection, fitPca, project } from './pca.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

const D = 16;

/** The points of `kmeans.test.ts`, column j scaled by 0.2 + 0.12 j. */
function points() {
  const x = new Float32Array(600 * D);
  for (let i = 0; i < 600; i++) {
    for (let j = 0; j < D; j++) {
      const value = ((i * 7919 + j * 104729 + i * j * 31) % 997) / 997 + (((i % 7) * (j + 3)) % 5) * 0.5;
      x[i * D + j] = value * (0.2 + 0.12 * j);
    }
  }
  return matrix(x, 600, D);
}

const VARIANCES = [6.78249957, 2.54799838, 2.20055722, 0.26686057, 0.22410347];
/** Signs differ between implementations, so magnitudes are compared. */
const FIRST = [
  4.48172048e-2, 7.64751509e-2, 4.45053652e-5, 1.05750873e-1, 1.28485972e-1, 1.88208944e-1, 2.22519837e-1,
  5.83041417e-4, 2.1929468e-1, 2.5214627e-1, 3.34977572e-1, 3.79554168e-1, 2.22009305e-3, 3.55133069e-1, 3.76913878e-1,
  4.93340973e-1,
];
const PROJECTED = [3.98013145, 0.21442051, 0.17183158, 0.29241453, 0.03477835];
const WHITENED = [1.52827859, 0.13432806, 0.11583416, 0.56605254, 0.0734657];

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(Math.abs(actual[i]) - value) < tolerance, `${i}: ${actual[i]}, expected ${value}`);
  }
}

test('components, variances and Ledoit–Wolf shrinkage are those of scikit-learn', async () => {
  const pca = await fitPca(pool, points(), { components: 5 });
  near(pca.variances, VARIANCES, 2e-5);
  near(pca.components.data, FIRST, 2e-5);
  assert.ok(Math.abs(pca.ledoitWolf - 0.0046922033693085445) < 1e-7, `${pca.ledoitWolf}`);
});

test('projections, whitened or not, are those of scikit-learn', async () => {
  const x = points();
  const pca = await fitPca(pool, x, { components: 5 });
  near((await project(pool, rowsOf(x, 0, 1), pca)).data, PROJECTED, 1e-4);
  near((await project(pool, rowsOf(x, 0, 1), pca, { whiten: true })).data, WHITENED, 2e-4);
});

test('whitening with shrinkage: variance λ becomes λ / ((1 − s) λ + s mean)', async () => {
  const x = points();
  const pca = await fitPca(pool, x, { components: 3 });
  const y = await project(pool, x, pca, { whiten: true, shrinkage: 0.25 });
  for (let c = 0; c < 3; c++) {
    let square = 0;
    for (let i = 0; i < 600; i++) square += y.data[i * 3 + c] ** 2;
    const variance = VARIANCES[c];
    const expected = variance / (0.75 * variance + 0.25 * pca.meanVariance);
    assert.ok(Math.abs(square / 599 - expected) < 1e-4);
  }
});

test('as a graph: projection, power and length', async () => {
  const x = rowsOf(points(), 0, 4);
  const pca = await fitPca(pool, points(), { components: 5 });
  const g = new Graph('recipe');
  const y = addLengthNorm(g, addPowerNorm(g, addProjection(g, g.input('x', 'float32', ['n', D]), pca), 0.5));
  g.output(y, 'y');
  const session = await Session.create(g.toModel());
  const { y: result } = await session.run({ x: float32(x.data, [4, D]) });
  await session.close();
  const plain = await project(pool, x, pca);
  for (let r = 0; r < 4; r++) {
    const row = [...plain.data.subarray(r * 5, (r + 1) * 5)].map((v) => Math.sign(v) * Math.sqrt(Math.abs(v)));
    const length = Math.hypot(...row);
    for (let c = 0; c < 5; c++) {
      assert.ok(Math.abs(Number(result?.data[r * 5 + c]) - row[c] / length) < 1e-5);
    }
  }
});

/** Fewer points than columns: scikit-learn 1.9.1, `PCA(5, svd_solver="full")` and `LedoitWolf` on the same points. */
const WIDE = {
  variances: [152.3849208, 59.82352743, 48.92866997, 7.65165774, 5.77721088],
  first: [1.04415773e-2, 1.85792774e-2, 1.66671e-5, 2.17890913e-2, 2.85472612e-2, 4.08763694e-2],
  projected: [17.178677, 0.16004475, 1.08091021, 2.04089139, 2.09489218],
  ledoitWolf: 0.11979957718943299,
};

function widePoints(from = (i: number) => i) {
  const [n, d] = [20, 48];
  const x = new Float32Array(n * d);
  for (let r = 0; r < n; r++) {
    const i = from(r);
    for (let j = 0; j < d; j++) {
      const value = ((i * 7919 + j * 104729 + i * j * 31) % 997) / 997 + (((i % 7) * (j + 3)) % 5) * 0.5;
      x[r * d + j] = value * (0.2 + 0.12 * j);
    }
  }
  return matrix(x, n, d);
}

test('of fewer vectors than columns too, by the products of the vectors', async () => {
  const x = widePoints();
  const pca = await fitPca(pool, x, { components: 5 });
  near(pca.variances, WIDE.variances, 1e-3);
  near(pca.components.data, WIDE.first, 2e-5);
  near((await project(pool, rowsOf(x, 0, 1), pca)).data, WIDE.projected, 1e-3);
  assert.ok(Math.abs(pca.ledoitWolf - WIDE.ledoitWolf) < 1e-5, `${pca.ledoitWolf}`);
});

test('components stay orthonormal where vectors repeat and no variance is left', async () => {
  for (const distinct of [1, 10]) {
    const { components, variances } = await fitPca(
      pool,
      widePoints((i) => i % distinct),
    );
    assert.equal(components.rows, 19);
    for (let a = 0; a < 19; a++) {
      for (let b = 0; b <= a; b++) {
        let dot = 0;
        for (let j = 0; j < 48; j++) dot += components.data[a * 48 + j] * components.data[b * 48 + j];
        assert.ok(Math.abs(dot - (a === b ? 1 : 0)) < 1e-5, `${a}, ${b}: ${dot}`);
      }
    }
    for (const variance of variances.slice(distinct)) assert.ok(variance < 1e-3, `${variance}`);
  }
});

test('eigenvectors of any symmetric matrix are orthonormal and give it back', () => {
  const sized = fc
    .integer({ min: 1, max: 12 })
    .chain((n) =>
      fc.tuple(
        fc.constant(n),
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: n * n, maxLength: n * n }),
        fc.boolean(),
      ),
    );
  fc.assert(
    fc.property(sized, ([n, values, sparse]) => {
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          const value = sparse && (i + j) % 3 > 0 ? 0 : values[i * n + j];
          a[i * n + j] = value;
          a[j * n + i] = value;
        }
      }
      const { values: lambda, vectors } = symmetricEigen(a, n);
      for (let i = 0; i < n; i++) {
        if (i > 0) assert.ok(lambda[i] <= lambda[i - 1]);
        for (let j = 0; j < n; j++) {
          let back = 0;
          let dot = 0;
          for (let k = 0; k < n; k++) {
            back += lambda[k] * vectors[k * n + i] * vectors[k * n + j];
            dot += vectors[i * n + k] * vectors[j * n + k];
          }
          assert.ok(Math.abs(back - a[i * n + j]) < 1e-10 * (1 + n * 100));
          assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-11);
        }
      }
    }),
  );
});

test('too few vectors and wrong shrinkage are refused', async () => {
  await assert.rejects(fitPca(pool, matrix(new Float32Array(4), 1, 4)), /at least 2 vectors/);
  const pca = await fitPca(pool, points(), { components: 2 });
  await assert.rejects(project(pool, points(), pca, { whiten: true, shrinkage: 1.5 }), /from 0 to 1, not 1.5/);
});
