import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { argMaxRows } from '../../../math/calibration.ts';
import { type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import { beliefsByFold } from './beliefs.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

const ROWS = 12;
const LABELLED = Int32Array.from([0, 1, 2, 3, 4, 5]);
const LABELS = LABELLED.map((row) => row % 2);

/** Labelled rows lie where their class does, the others where this class does. */
function vectors(others: number): Matrix {
  const matrix = newSharedMatrix(ROWS, 2);
  for (let row = 0; row < ROWS; row++) matrix.data[2 * row + (row < 6 ? row % 2 : others)] = 1;
  return matrix;
}

test('a further round believes for each fold what the vectors of its own network say', async () => {
  const beliefsWithout = beliefsByFold(
    pool,
    {
      frozen: {
        features: vectors(0),
        groups: Array.from({ length: ROWS }, (_, row) => `${row}`),
        labelled: LABELLED,
        labels: LABELS,
        classes: 2,
      },
      taught: Int32Array.from({ length: ROWS }, (_, row) => row),
      folds: { count: 2, of: Int32Array.from([0, 0, 0, 1, 1, 1]) },
      teacher: { method: 'base', head: 'linear', C: 10, classWeights: 'even', augment: false },
      seed: 0,
      featuresWithout: (fold) => vectors(fold === 1 ? 1 : 0),
    },
    new Map(),
  );
  const believed: number[] = [];
  for (const fold of [0, 1, 2]) {
    const { targets, weights } = await beliefsWithout(fold);
    believed.push(...new Set(argMaxRows({ data: targets, rows: ROWS, columns: 2 }).subarray(6)));
    const heldOut = fold === 2 ? [] : LABELLED.filter((_, place) => Math.floor(place / 3) === fold);
    assert.deepEqual(
      Int32Array.from([...LABELLED].filter((row) => weights[row] === 0)),
      Int32Array.from(heldOut),
      'a fold learns nothing from its own labels',
    );
  }
  assert.deepEqual(believed, [0, 1, 0]);
});
