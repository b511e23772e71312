/**
 * Which families of networks can be fine-tuned, as the table of docs/teach.md: small networks of each family with random
 * weights, 32 pixels a side, trained from the pixels on. Whether gradients reach everything that can be trained, what a step
 * of 32 images takes, and the bytes of all values that half of a step computes, a run of 16 images, which is the most that a
 * thread can hold of them at once.
 */
import { inspectNetwork } from '../src/models/inspect.ts';
import { ITEMS_A_RUN } from '../src/models/tuning/batches.ts';
import { stepGraph } from '../src/models/tuning/training-graph.ts';
import { parametersIn } from '../src/models/tuning/tunable-network.ts';
import { inlineModel } from '../src/onnx/compose.ts';
import { Graph } from '../src/onnx/ops.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { sizeOf } from '../src/onnx/tensor.ts';
import { FAMILIES, FAMILY_SIDE, tunableFamily } from '../test/fixtures/families/families.ts';
import { rounded } from './process.ts';
import { CLASSES, stepTime } from './training-step.ts';

const THREADS = 2;
const PIXELS = { scale: 1 / 255 };

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: THREADS });
  const lines = [
    '| family | trained numbers | gradients | a step, ms | values, MB |',
    '| --- | --- | --- | --- | --- |',
  ];
  try {
    for (const name of Object.keys(FAMILIES)) {
      const { network, cut } = tunableFamily(name);
      const request = { cut, classes: CLASSES, items: ITEMS_A_RUN, pixels: PIXELS };
      const { model, trained, obstacles } = stepGraph(network, { ...request, trained: cut.trainables });
      const missing = [...new Set(obstacles.map(({ operator }) => operator))];
      const gradients = missing.length > 0 ? `none through ${missing.join(', ')}` : 'complete';
      const { stepMs: ms } = await stepTime(pool, network, { pixels: PIXELS, side: FAMILY_SIDE });
      const numbers = parametersIn({ ...cut, trainables: trained });
      lines.push(
        `| ${name} | ${numbers} | ${gradients} | ${rounded(ms, 1)} | ${rounded(valueBytes(model) / 1e6, 1)} |`,
      );
    }
  } finally {
    await pool.close();
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  return { table: lines };
}

/** Of all values that a run computes, as numbers of four bytes, which nearly all of them are. */
function valueBytes(model: Uint8Array): number {
  const graph = new Graph('values');
  const feeds = Object.fromEntries(
    inspectNetwork(model).inputs.map(({ name, dtype, shape = [] }) => [name, graph.input(name, dtype, shape)]),
  );
  inlineModel(graph, model, { prefix: 'step', feeds });
  let bytes = 0;
  for (const { node, outputs } of graph.typedNodes()) {
    for (const value of outputs) {
      if (!value?.shape) throw new Error(`the shape of what ${node.opType} makes is not known`);
      bytes += 4 * sizeOf(value.shape.map(Number));
    }
  }
  return bytes;
}
