/**
 * A process that has what costs most of the tree done: `node sample-work.program.ts LOCATION`, a workspace in a folder. Prints the
 * SHA-256 of the neighbour graph and of the labels of k-means.
 */
import { createHash } from 'node:crypto';
import { seededRandom } from '../../src/core/random.ts';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { matrix, normalisedRows } from '../../src/math/matrix.ts';
import { withSpreadWork } from '../../src/stages/discover/sample-work.ts';
import { startRun } from '../contracts/store/fixtures.ts';

/** Three parts of the graph. */
const ROWS = 2500;
const COLUMNS = 24;

const random = seededRandom(8);
const numbers = Float32Array.from({ length: ROWS * COLUMNS }, () => random() - 0.5);
const vectors = normalisedRows(matrix(numbers, ROWS, COLUMNS));
const workspace = await openWorkspace(process.argv[2] ?? '', { create: true });
try {
  const runId = await startRun(workspace.store, 'discover');
  const job = { workspace, runId, seed: 0, threads: 1 };
  const digest = createHash('sha256');
  await workspace.engine.withInference(job, (pool) =>
    withSpreadWork(job, pool, { count: ROWS, spreadFrom: ROWS }, async (work) => {
      if (work === undefined) throw new Error('it is not spread');
      const { indices, similarities } = await work.neighbours(vectors);
      digest.update(indices).update(similarities);
      digest.update(await work.kmeans(vectors, { k: 40, seed: 3 }));
    }),
  );
  process.stdout.write(digest.digest('hex'));
} finally {
  await workspace.close();
}
