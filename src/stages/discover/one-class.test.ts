import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix, normalisedRows } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { hierarchyOf } from './hierarchy.ts';
import { suggestedRange } from './levels.ts';
import { mayBeOneClass, oneClassFeatures } from './one-class.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

function treeOf(rows: readonly (readonly number[])[]) {
  const vectors = normalisedRows(matrix(Float32Array.from(rows.flat()), rows.length, rows[0]?.length ?? 0));
  return hierarchyOf(pool, vectors, { method: 'graph', seed: 0 });
}

/** About normally distributed, of variance 1. */
function normalPlaces(count: number, columns: number): number[][] {
  const random = seededRandom(2);
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  return Array.from({ length: count }, () => Array.from({ length: columns }, normal));
}

test('what speaks for one class: few items, and a best cut that parts the graph badly', () => {
  // The third of the eight measures of a cut is its modularity.
  const measures = Float64Array.of(0, 0, 0.1, 0, 0, 0, 0, 0, 0, 0, 0.4, 0, 0, 0, 0, 0, 0, 0, 0.3, 0, 0, 0, 0, 0);
  const features = oneClassFeatures({ ks: [1, 2, 3], measures }, 100);
  // ln 100 = 4.60517, from a table.
  for (const [j, expected] of [4.60517, 0.4].entries()) {
    assert.ok(Math.abs(features[j] - expected) < 1e-5, `${features[j]}`);
  }
  const counts = { ks: [1, 2, 3], chances: [0.01, 0.5, 0.49] };
  // By hand: −4.60517 − 10 · .4 = −8.60517, and the bias.
  assert.equal(mayBeOneClass(features, counts, [8.606, -1, -10]), true);
  assert.equal(mayBeOneClass(features, counts, [8.605, -1, -10]), false);
  assert.equal(mayBeOneClass(features, { ks: [1, 2], chances: [0.00009, 0.99991] }, [100, -1, -10]), false);
});

test('items around one place may be of one class, whatever is shown', async () => {
  const one = await treeOf(normalPlaces(40, 5));
  assert.equal(suggestedRange(one)?.least, 1);
  // Not those of which people say that there are two, nor those of two places far apart.
  const ofTwo = Int32Array.from({ length: 40 }, (_, item) => (item < 4 ? item % 2 : -1));
  assert.notEqual(suggestedRange(one, ofTwo)?.least, 1);
  const around = normalPlaces(80, 32).map((row, item) => row.map((value, j) => 0.3 * value + (j === item % 2 ? 9 : 0)));
  assert.equal(suggestedRange(await treeOf(around))?.least, 2);
});
