/** Expected vectors are worked out by hand from the formula of the file. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { nuisanceFor, nuisanceOf, packed, unpacked, withoutNuisance } from './nuisance.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

const matrix = (rows: readonly (readonly number[])[]): Matrix => {
  const made = newSharedMatrix(rows.length, rows[0]?.length ?? 0);
  made.data.set(rows.flat());
  return made;
};

test('what lies along a direction is divided by √(1 + share / usual share), and the length is 1 again', async () => {
  // Shares of three times and no times the usual one divide by 2 and by 1.
  const nuisance = nuisanceOf(
    matrix([
      [1, 0, 0],
      [0, 1, 0],
    ]),
    [(3 * 0.3) / 384, 0],
  );
  const { data } = await withoutNuisance(pool, matrix([[0.6, 0.8, 0]]), nuisance);
  const length = Math.hypot(0.3, 0.8);
  for (const [j, expected] of [0.3 / length, 0.8 / length, 0].entries()) {
    assert.ok(Math.abs(data[j] - expected) < 1e-6, `${data[j]} is not ${expected}`);
  }
});

test('vectors of embedders that nothing was learnt for stay what they are', async () => {
  const vectors = matrix([[0.6, 0.8]]);
  assert.equal(await withoutNuisance(pool, vectors, nuisanceFor({ model: 'somebodys', blocks: [] })), vectors);
  assert.equal(nuisanceFor({ model: '../clustering', blocks: [] }), undefined);
});

test('a file keeps directions to a 254th of their largest number', () => {
  const nuisance = nuisanceOf(matrix([[0.6, -0.8, 0.001]]), [0.01]);
  const back = unpacked(packed(nuisance), 3);
  for (const [j, value] of nuisance.directions.data.entries()) {
    assert.ok(Math.abs((back?.directions.data[j] ?? 9) - value) <= 0.8 / 254 + 1e-6);
    assert.ok(Math.abs((back?.taken.data[j] ?? 9) - nuisance.taken.data[j]) <= 0.8 / 254 + 1e-6);
  }
  assert.equal(unpacked(packed(nuisance), 4), undefined);
});

test('the file that is shipped fits its embedder, and holds directions of length 1 at right angles', () => {
  const columns = { 'mobilenetv3-small': [576, 576, 96] };
  for (const [model, blocks] of Object.entries(columns)) {
    const found = nuisanceFor({ model, blocks: blocks.map((count) => ({ columns: count, weight: 1 })) });
    assert.ok(found, model);
    const { rows, columns: width, data } = found.directions;
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b <= a; b++) {
        let inner = 0;
        for (let j = 0; j < width; j++) inner += data[a * width + j] * data[b * width + j];
        assert.ok(Math.abs(inner - (a === b ? 1 : 0)) < 0.02, `${model}: ${a} · ${b} = ${inner}`);
      }
    }
  }
});
