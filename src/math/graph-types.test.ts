/** Every graph that this folder builds: its values have the types that ONNX Runtime gives them, on data of a real call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTypes, graphOf } from '../../test/graph-types.ts';
import { seededRandom } from '../core/random.ts';
import { InferencePool } from '../onnx/pool.ts';
import type { Tensors } from '../onnx/session.ts';
import { fitLinearHead, logitsOf } from './heads/linear-head.ts';
import { fitMlpHead, mlpLogits } from './heads/mlp-head.ts';
import { withinClassNormalised } from './heads/within-class.ts';
import { kmeans } from './kmeans/kmeans.ts';
import { miniBatchKMeans } from './kmeans/mini-batch.ts';
import { exactIndex } from './knn/exact.ts';
import { LshIndex } from './lsh/lsh-index.ts';
import { type Matrix, newSharedMatrix, rowsOf } from './matrix.ts';
import { fitPca, project } from './pca/pca.ts';

interface Seen {
  readonly model: Uint8Array;
  feeds?: Tensors;
}

/** A pool that keeps the models it is given, and the first feeds of each. */
async function watchedPool(): Promise<{ pool: InferencePool; seen: Map<string, Seen> }> {
  const pool = await InferencePool.create({ threads: 1 });
  const seen = new Map<string, Seen>();
  const [load, run] = [pool.load.bind(pool), pool.run.bind(pool)];
  pool.load = (source, options) => {
    if (typeof source !== 'string' && !seen.has(options.key)) seen.set(options.key, { model: source });
    return load(source, options);
  };
  pool.run = (model, feeds, outputs) => {
    const one = seen.get(model.key);
    if (one) one.feeds ??= feeds;
    return run(model, feeds, outputs);
  };
  return { pool, seen };
}

function randomMatrix(rows: number, columns: number): Matrix {
  const random = seededRandom(0, `matrix ${rows}`);
  const matrix = newSharedMatrix(rows, columns);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = random() - 0.5;
  return matrix;
}

test('graphs of clustering, neighbours, components, hashing and heads', async () => {
  const { pool, seen } = await watchedPool();
  try {
    const points = randomMatrix(200, 12);
    const targets = newSharedMatrix(200, 3);
    for (let i = 0; i < 200; i++) targets.data[3 * i + (i % 3)] = 1;
    const lesson = { features: points, targets, weights: new Float32Array(200).fill(1) };
    await kmeans(pool, points, { k: 25 });
    await miniBatchKMeans(pool, () => [points], { start: rowsOf(points, 0, 5) });
    await exactIndex(pool, points).search(randomMatrix(3, 12), 4);
    await project(pool, points, await fitPca(pool, points, { components: 4 }));
    const lsh = await LshIndex.fit(pool, points);
    await lsh.search(randomMatrix(3, 12), 4);
    await logitsOf(pool, await fitLinearHead(pool, lesson, { C: 1 }), points);
    await mlpLogits(pool, await fitMlpHead(pool, lesson, { C: 1, hidden: 4, seed: 0, maxIterations: 3 }), points);
    await withinClassNormalised(pool, points, targets, { shrinkage: 0.5 });
  } finally {
    await pool.close();
  }
  assert.ok(seen.size >= 12, `graphs that were seen: ${[...seen.keys()].join(', ')}`);
  for (const [key, { model, feeds }] of seen) {
    if (!feeds) continue;
    const graph = graphOf(model);
    const unknown = graph.typedNodes().flatMap(({ node, outputs }) => outputs.flatMap((v) => (v?.shape ? [] : [node])));
    assert.deepEqual(unknown, [], key);
    const { weaker } = await compareTypes(graph, feeds);
    assert.deepEqual(weaker, [], key);
  }
});
