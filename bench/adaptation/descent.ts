/** What the two ways of adapting have in common: batches of one size, parts of a loss, and going down it on the inference threads. */
import { sha256Hex } from '../../src/core/ids.ts';
import { type Random, sampleIndices } from '../../src/core/random.ts';
import type { Parameter } from '../../src/math/training/optimiser.ts';
import { type MicroBatch, train } from '../../src/math/training/train.ts';
import { addGradients } from '../../src/onnx/gradients/gradients.ts';
import type { Graph } from '../../src/onnx/ops.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import type { Value } from '../../src/onnx/value.ts';

export const BATCH = 512;

/** Rows of a batch; where there are too few, some twice. */
export function batchRows(rows: number, random: Random): Int32Array {
  const some = sampleIndices(rows, Math.min(rows, BATCH), random);
  return Int32Array.from({ length: BATCH }, (_, i) => some[i % some.length] ?? 0);
}

/** Σ m log m of the mean of the rows. */
export function negativeEntropy(g: Graph, shares: Value): Value {
  const mean = g.mul(g.reduceSum(shares, [0], { keepDims: true }), g.scalar(1 / BATCH));
  return g.reduceSum(g.mul(mean, g.log(g.add(mean, g.scalar(1e-8)))), [0, 1], { keepDims: false });
}

export function withGradients(g: Graph, loss: Value, wanted: readonly Value[]): void {
  const { of } = addGradients(g, loss, wanted);
  g.output(loss, 'loss');
  for (const { name } of wanted) g.output(of.get(name) as Value, `d:${name}`);
}

export interface Descent {
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  readonly steps: number;
}

export async function descend(
  pool: InferencePool,
  { graph, parameters, steps }: Descent,
  feedsOf: (step: number) => MicroBatch['feeds'],
): Promise<void> {
  const bytes = graph.toModel();
  const model = await pool.load(bytes, { key: `adaptation:${sha256Hex(bytes)}` });
  const step = { model, gradientOf: (name: string) => `d:${name}` };
  await train(pool, step, parameters, (at) => [{ feeds: feedsOf(at), weight: BATCH }], {
    optimiser: { kind: 'adamw', weightDecay: 0 },
    schedule: 'cosine',
    learningRate: 0.1,
    steps,
  });
  await pool.unload(model);
}
