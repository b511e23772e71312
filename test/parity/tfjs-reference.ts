/** TensorFlow.js as the independent implementation: runs a graph model from its files, on the WebAssembly backend. */
import { fileURLToPath } from 'node:url';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';

let ready: Promise<void> | undefined;

function start(): Promise<void> {
  ready ??= (async () => {
    // SIMD kernels, one thread: results then do not depend on the machine's cores.
    setWasmPaths(fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
    setThreadsCount(1);
    await tf.setBackend('wasm');
    await tf.ready();
  })();
  return ready;
}

export interface Reference {
  /** Runs on one input, handing back the named nodes' values in the model's own layout. */
  run(
    data: Float32Array | Int32Array,
    shape: number[],
    outputs: readonly string[],
  ): { data: Float32Array; shape: number[] }[];
  close(): void;
}

export async function openReference(json: Uint8Array, weights: Uint8Array): Promise<Reference> {
  await start();
  const parsed = JSON.parse(Buffer.from(json).toString()) as tf.io.ModelJSON;
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: parsed.modelTopology,
    signature: parsed.signature,
    weightSpecs: parsed.weightsManifest.flatMap((group) => group.weights),
    weightData: new Uint8Array(weights).buffer,
  };
  const model: GraphModel = await loadGraphModel({ load: async () => artifacts });
  return {
    run: (data, shape, outputs) => {
      const input = tf.tensor(data, shape, data instanceof Int32Array ? 'int32' : 'float32');
      const results = model.execute(input, [...outputs]);
      const list = Array.isArray(results) ? results : [results];
      const values = list.map((one) => ({ data: Float32Array.from(one.dataSync()), shape: one.shape }));
      tf.dispose([input, ...list]);
      return values;
    },
    close: () => model.dispose(),
  };
}
