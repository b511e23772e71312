/**
 * Nearest neighbours without a workspace: exactly, and by locality-sensitive hashing, which looks at a few of the vectors
 * only. Prints how many of the true neighbours hashing finds.
 *
 *     node examples/nearest-neighbours.ts
 */
import { exactIndex, InferencePool, LshIndex, matrix, normalisedRows, recall } from 'labelsmith/math';

const [ROWS, COLUMNS, QUERIES, NEIGHBOURS] = [20_000, 64, 100, 10];

/** Vectors around 200 centres, as embeddings lie around the kinds of things in a pile. */
function vectors(seed: number) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const centres = Float32Array.from({ length: 200 * COLUMNS }, () => 3 * random());
  const data = new Float32Array(ROWS * COLUMNS);
  for (let row = 0; row < ROWS; row++) {
    const centre = row % 200;
    for (let i = 0; i < COLUMNS; i++) data[row * COLUMNS + i] = (centres[centre * COLUMNS + i] ?? 0) + random();
  }
  return normalisedRows(matrix(data, ROWS, COLUMNS));
}

const pool = await InferencePool.create({ threads: 2 });
const points = vectors(1);
const queries = matrix(points.data.slice(0, QUERIES * COLUMNS), QUERIES, COLUMNS);

const truth = await exactIndex(pool, points).search(queries, NEIGHBOURS);
const index = await LshIndex.fit(pool, points, { seed: 0 });
const found = await index.search(queries, NEIGHBOURS);
console.log(`found ${(100 * recall(found, truth)).toFixed(1)} % of ${QUERIES} × ${NEIGHBOURS} neighbours`);
await index.close();
await pool.close();
