/** Three heaps of points with some that are far from everything; the heaps are the truth. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { type Matrix, matrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { centreAndNormalise, meanOf } from '../embed/recipe.ts';
import { cutHierarchy, hierarchyOf } from './hierarchy.ts';

const pool = await InferencePool.create({ threads: 1 });
after(() => pool.close());

const COLUMNS = 24;
const HEAP = 30;
const STRANGE = 6;

/** @returns vectors of length 1; those of the last {@link STRANGE} rows have nothing in common with any. */
function heaps(): Matrix {
  const random = seededRandom(4);
  const any = () => Array.from({ length: COLUMNS }, () => random() - 0.5);
  const common = any().map((value) => 4 * value);
  const centres = [any(), any(), any()];
  const rows = [
    ...centres.flatMap((centre) =>
      Array.from({ length: HEAP }, () => any().map((noise, j) => common[j] + centre[j] + 0.4 * noise)),
    ),
    ...Array.from({ length: STRANGE }, any),
  ];
  const unit = rows.map((row) => row.map((value) => value / Math.hypot(...row)));
  return matrix(Float32Array.from(unit.flat()), unit.length, COLUMNS);
}

test('what is strange makes no clusters, and goes where the nearest goes', async () => {
  const vectors = heaps();
  const fromMean = centreAndNormalise(vectors, { blocks: [{ columns: COLUMNS, weight: 1 }] }, meanOf(vectors));
  const hierarchy = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0, fromMean });
  assert.equal(hierarchy.tree.points, 3 * HEAP, 'the tree is of the heaps alone');
  const clusters = cutHierarchy(hierarchy, 3);
  const heapOf = [0, 1, 2].map((heap) => new Set(clusters.subarray(heap * HEAP, (heap + 1) * HEAP)));
  assert.deepEqual(
    heapOf.map(({ size }) => size),
    [1, 1, 1],
  );
  assert.equal(new Set(clusters).size, 3);
  const again = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0, fromMean });
  assert.deepEqual(again.leafOf, hierarchy.leafOf);
});
