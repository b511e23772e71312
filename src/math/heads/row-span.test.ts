import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { seededRandom } from '../../core/random.ts';
import { type Matrix, newSharedMatrix } from '../matrix.ts';
import { rowSpan } from './row-span.ts';

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = seededRandom(seed, 'row-span');
  const result = newSharedMatrix(rows, columns);
  for (let i = 0; i < result.data.length; i++) result.data[i] = random() - 0.5;
  return result;
}

/** a · bᵀ in double precision. */
function product(a: Matrix, b: Matrix): number[] {
  return Array.from({ length: a.rows * b.rows }, (_, at) => {
    const [i, j] = [Math.floor(at / b.rows), at % b.rows];
    let sum = 0;
    for (let c = 0; c < a.columns; c++) {
      sum += a.data[i * a.columns + c] * b.data[j * b.columns + c];
    }
    return sum;
  });
}

test('inner products stay, and weights say of every row what they said of its coordinates', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(1000), fc.boolean(), (rows, seed, twins) => {
      const features = randomMatrix(rows, 40, seed);
      // Two rows that are the same, and one of nothing, must not break it.
      if (twins && rows > 2) {
        features.data.copyWithin(0, 40, 80);
        features.data.fill(0, 80, 120);
      }
      const { coordinates, back } = rowSpan(features);
      const wanted = product(features, features);
      for (const [i, value] of product(coordinates, coordinates).entries()) {
        assert.ok(Math.abs(value - wanted[i]) < 1e-5, `${value}, not ${wanted[i]}`);
      }
      // What a penalised fit gives is a sum of the coordinates' rows.
      const mix = randomMatrix(3, rows, seed + 1);
      const weights = newSharedMatrix(3, rows);
      for (let k = 0; k < 3; k++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < rows; j++) {
            weights.data[k * rows + j] =
              weights.data[k * rows + j] + mix.data[k * rows + i] * coordinates.data[i * rows + j];
          }
        }
      }
      const said = product(weights, coordinates);
      for (const [i, value] of product(back(weights), features).entries()) {
        assert.ok(Math.abs(value - said[i]) < 1e-3, `${value}, not ${said[i]}`);
      }
    }),
  );
});
