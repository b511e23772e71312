/** Runs a graph over a matrix, a block of rows at a time, on the inference threads. */

import { Graph } from '../onnx/ops.ts';
import type { InferencePool, PoolModel } from '../onnx/pool.ts';
import type { Tensors } from '../onnx/session.ts';
import { type Matrix, matrixTensor, rowsOf } from './matrix.ts';

/** Runs `model` on every block of rows; `use` gets the results in order of the rows. */
export async function overBlocks(
  pool: InferencePool,
  model: PoolModel,
  { rows, step }: { readonly rows: number; readonly step: number },
  feeds: (start: number, end: number) => Tensors,
  use: (result: Tensors, start: number, end: number) => void,
): Promise<void> {
  const waiting: Promise<Tensors>[] = [];
  let used = 0;
  const useNext = async () => {
    const start = step * used++;
    use(await (waiting.shift() as Promise<Tensors>), start, Math.min(rows, start + step));
  };
  for (let start = 0; start < rows; start += step) {
    const run = pool.run(model, feeds(start, Math.min(rows, start + step)));
    run.catch(() => undefined); // it is awaited later, and fails there
    waiting.push(run);
    if (waiting.length > pool.capacity + 2) await useNext();
  }
  while (waiting.length > 0) await useNext();
}

/** The mean of each column, shape [columns], in double precision over blocks. */
export async function columnMeans(pool: InferencePool, points: Matrix): Promise<Float64Array> {
  const model = await pool.load(columnSumGraph(), { key: 'column-sum' });
  const means = new Float64Array(points.columns);
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step: 1024 },
    (start, end) => ({ x: matrixTensor(rowsOf(points, start, end)) }),
    (result) => {
      const { data } = result.sum;
      for (let j = 0; j < means.length; j++) means[j] = means[j] + Number(data[j]);
    },
  );
  for (let j = 0; j < means.length; j++) means[j] = means[j] / points.rows;
  return means;
}

/** `x` [rows, d] → `sum` [d]. */
function columnSumGraph(): Uint8Array {
  const g = new Graph('column-sum');
  g.output(g.reduceSum(g.input('x', 'float32', ['rows', 'd']), [0], { keepDims: false }), 'sum');
  return g.toModel();
}
