/** What every index of nearest neighbours must do, exact or not. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import type { NeighbourIndex, Neighbours } from '../../src/math/knn/neighbours.ts';
import { recall } from '../../src/math/knn/neighbours.ts';
import { type Matrix, matrix, newSharedMatrix, normalisedRows, rowsOf } from '../../src/math/matrix.ts';
import { InferencePool } from '../../src/onnx/pool.ts';

export const COLUMNS = 40;

/** Unit vectors around `blobs` centres, with noise a third as long. */
export function blobVectors(rows: number, blobs: number, seed = 1): Matrix {
  const random = seededRandom(seed);
  const centres = Float64Array.from({ length: blobs * COLUMNS }, () => random() - 0.5);
  const points = newSharedMatrix(rows, COLUMNS);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      points.data[i * COLUMNS + j] = centres[(i % blobs) * COLUMNS + j] + (random() - 0.5) / 3;
    }
  }
  return normalisedRows(points);
}

/** Nearest by definition, in double precision. */
export function neighboursByDefinition(points: Matrix, queries: Matrix, n: number): Neighbours {
  const indices = new Int32Array(queries.rows * n).fill(-1);
  const similarities = new Float32Array(queries.rows * n).fill(Number.NEGATIVE_INFINITY);
  for (let q = 0; q < queries.rows; q++) {
    const all = Array.from({ length: points.rows }, (_, i) => {
      let similarity = 0;
      for (let j = 0; j < COLUMNS; j++) {
        similarity += points.data[i * COLUMNS + j] * queries.data[q * COLUMNS + j];
      }
      return { i, similarity };
    });
    all.sort((a, b) => b.similarity - a.similarity || a.i - b.i);
    for (const [place, { i, similarity }] of all.slice(0, n).entries()) {
      indices[q * n + place] = i;
      similarities[q * n + place] = similarity;
    }
  }
  return { indices, similarities, n, read: { codes: 0, vectors: 0 } };
}

export interface NeighbourCase {
  /** Least part of the true 10 neighbours that must be found among 3,000 vectors in 30 blobs; 1 for an exact index. */
  readonly recall: number;
  create(pool: InferencePool, points: Matrix): Promise<NeighbourIndex> | NeighbourIndex;
}

export function neighbourContract(name: string, { recall: least, create }: NeighbourCase): void {
  describe(`nearest neighbours: ${name}`, () => {
    const points = blobVectors(3000, 30);
    const queries = rowsOf(blobVectors(3060, 30), 3000, 3060);
    let pool: InferencePool;
    let index: NeighbourIndex;
    before(async () => {
      pool = await InferencePool.create({ threads: 2 });
      index = await create(pool, points);
    });
    after(() => pool.close());

    it('says how many vectors it has and how wide they are', () => {
      assert.deepEqual([index.size, index.columns], [3000, COLUMNS]);
    });

    it('finds the neighbours, nearest first, with their similarities', async () => {
      const found = await index.search(queries, 10);
      const truth = neighboursByDefinition(points, queries, 10);
      assert.ok(recall(found, truth) >= least, `recall ${recall(found, truth)}`);
      for (let q = 0; q < queries.rows; q++) {
        for (let i = q * 10; i < (q + 1) * 10; i++) {
          const at = found.indices[i] * COLUMNS;
          let similarity = 0;
          for (let j = 0; j < COLUMNS; j++) {
            similarity += points.data[at + j] * queries.data[q * COLUMNS + j];
          }
          assert.ok(Math.abs(similarity - found.similarities[i]) < 1e-6);
          if (i > q * 10) assert.ok(found.similarities[i] <= found.similarities[i - 1]);
        }
        assert.equal(new Set(found.indices.subarray(q * 10, (q + 1) * 10)).size, 10, 'none twice');
      }
      assert.ok(found.read.vectors > 0 && found.read.vectors <= 60 * 3000);
    });

    it('a vector is nearest to itself', async () => {
      const found = await index.search(rowsOf(points, 100, 140), 1);
      assert.deepEqual(
        [...found.indices],
        Array.from({ length: 40 }, (_, i) => 100 + i),
      );
    });

    it('one query, few and many give the same answers, whatever the threads', async () => {
      const many = await index.search(queries, 5);
      for (const [start, end] of [
        [0, 1],
        [7, 10],
      ] as const) {
        const few = await index.search(rowsOf(queries, start, end), 5);
        assert.deepEqual(few.indices, many.indices.slice(start * 5, end * 5));
      }
      await using single = await InferencePool.create({ threads: 1 });
      const other = await (await create(single, points)).search(queries, 5);
      assert.deepEqual(other.indices, many.indices);
      assert.deepEqual(other.similarities, many.similarities);
    });

    it('equal vectors come in order of index; fewer than n leave −1', async () => {
      const same = newSharedMatrix(5, COLUMNS);
      for (let i = 0; i < 5; i++) same.data.set(points.data.subarray(0, COLUMNS), i * COLUMNS);
      const found = await (await create(pool, same)).search(rowsOf(points, 0, 1), 7);
      assert.deepEqual([...found.indices], [0, 1, 2, 3, 4, -1, -1]);
      assert.equal(found.similarities[5], Number.NEGATIVE_INFINITY);
    });

    it('refuses queries of another width and n below 1', async () => {
      await assert.rejects(index.search(matrix(new Float32Array(6), 2, 3), 1), /3 numbers each, the index has 40/);
      await assert.rejects(index.search(queries, 0), /n must be a whole number of at least 1, not 0/);
    });
  });
}
