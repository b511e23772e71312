/** An embedder of a few thousand weights by chance, imported as a user would import one: what is done with it takes little time. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Graph } from '../src/onnx/ops.ts';
import type { Value } from '../src/onnx/value.ts';
import { runJson } from './cli.ts';
import { randomTensor } from './random-tensor.ts';

export const SMALL_EMBEDDER = 'small';
const SIDE = 48;

/** Imports it as {@link SMALL_EMBEDDER}. @param env with a model cache of the test's own */
export async function importSmallEmbedder(dir: string, env: NodeJS.ProcessEnv): Promise<void> {
  await writeFile(join(dir, 'small.onnx'), smallNetwork());
  const input = ['--input-size', `${SIDE}x${SIDE}`];
  const asked = ['models', 'import', 'small.onnx', '--name', SMALL_EMBEDDER, '--role', 'embedder', ...input];
  await runJson(asked, { cwd: dir, env });
}

/** Three convolutions, of which the last has most of the weights, and the mean over all places. */
function smallNetwork(): Uint8Array {
  const g = new Graph('small');
  const convolved = (x: Value, name: string, [from, to]: readonly [number, number], stride: number) => {
    const spread = Math.sqrt(6 / (9 * from));
    const weights = g.constant(randomTensor([to, from, 3, 3], name, spread), name);
    const bias = g.constant(randomTensor([to], `${name}/b`, 0.1), `${name}/b`);
    return g.relu(g.conv(x, weights, bias, { pads: [1, 1, 1, 1], strides: [stride, stride] }));
  };
  const low = convolved(g.input('input', 'float32', ['n', 3, SIDE, SIDE]), 'low', [3, 8], 2);
  // Trained on 12 × 12 places, a step takes some milliseconds: what waits for its moment does not miss it.
  const high = convolved(convolved(low, 'middle', [8, 16], 2), 'high', [16, 48], 1);
  g.output(g.op('Flatten', [g.globalAveragePool(high)], { axis: 1 }, 'features'));
  return g.toModel();
}
