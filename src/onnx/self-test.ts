/** Does the numeric engine work on this machine, and on the device that is asked for? */

import type { Device } from './device.ts';
import { Graph } from './ops.ts';
import { Runner } from './session.ts';
import { float32 } from './tensor.ts';

/** Builds one small graph, runs it on a device and compares it with a calculation by hand; fails with what differed. */
export async function engineSelfTest(device: Device = 'cpu'): Promise<void> {
  const g = new Graph('self-test');
  const product = g.matmul(g.input('a', 'float32', [2, 3]), g.input('b', 'float32', [3, 2]));
  g.output(product, 'product');
  const runner = new Runner({ threads: 1, device });
  try {
    const a = float32([1, 2, 3, 4, 5, 6], [2, 3]);
    const b = float32([7, 8, 9, 10, 11, 12], [3, 2]);
    const { product: found } = await runner.run('self-test', () => g.toModel(), { a, b });
    const expected = [58, 64, 139, 154];
    const numbers = Array.from(found?.data as Float32Array);
    if (numbers.join() !== expected.join()) throw new Error(`a matrix product gave ${numbers}, expected ${expected}`);
  } finally {
    await runner.close();
  }
}
