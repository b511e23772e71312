/**
 * The reference: CenterNet's own graph and weights under tfjs, WASM backend with SIMD and as many threads as there are
 * cores. Reads images one after the other as a tfjs program does: decode, resize, execute, take the heads apart.
 *
 *     node bench/tfjs-detector.ts FOLDER [COUNT]     →  JSON: images, seconds, imagesPerSecond, candidates by file
 *
 * Run as a process of its own, so that neither runtime's threads or memory weigh on the other.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { cacheDirectory } from '../src/fetch/cache.ts';
import { fetchFiles } from '../src/fetch/fetch.ts';
import { decodeLetterboxed } from '../src/images/decode.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';

const [folder, count = '128'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bench/tfjs-detector.ts FOLDER [COUNT]');

const entry = CATALOGUE.find(({ id }) => id === 'centernet');
if (entry?.role !== 'detector') throw new Error('no centernet in the catalogue');
const [graph, weights] = await fetchFiles(entry.source.files, { cacheDir: cacheDirectory() });
if (!graph || !weights) throw new Error('CenterNet has two files');

const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
setWasmPaths(join(dirname(wasm), 'wasm-out/'));
setThreadsCount(availableParallelism());
await tf.setBackend('wasm');
await tf.ready();

const { modelTopology, weightsManifest } = JSON.parse(readFileSync(graph.path, 'utf8')) as {
  modelTopology: object;
  weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
};
const weightBytes = readFileSync(weights.path);
const model = loadGraphModelSync({
  load: () => ({
    modelTopology,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: weightBytes.buffer.slice(weightBytes.byteOffset, weightBytes.byteOffset + weightBytes.byteLength),
  }),
});

const SIDE = 512;
const { kernel } = entry.input;
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .sort()
  .slice(0, Number(count));
const candidates: Record<string, number[][]> = {};

async function detect(name: string): Promise<void> {
  const bytes = readFileSync(join(folder, name));
  const image = await decodeLetterboxed(bytes, { width: SIDE, height: SIDE, kernel });
  const input = tf.tensor4d(image.pixels, [1, SIDE, SIDE, 3], 'float32');
  const [found] = [model.execute(input, ['tower_0/detections'])].flat() as [tf.Tensor];
  const rows = (await found.array()) as number[][][];
  tf.dispose([input, found]);
  candidates[name] = rows[0]
    .filter((row) => row[4] >= 0.05)
    .map(([x1, y1, x2, y2, score, index]) => [
      x1 / image.scaleX,
      y1 / image.scaleY,
      x2 / image.scaleX,
      y2 / image.scaleY,
      score,
      index,
    ]);
}

for (const name of names.slice(0, 3)) await detect(name); // compiles and warms up
const startedAt = performance.now();
for (const name of names) await detect(name);
const seconds = (performance.now() - startedAt) / 1000;

process.stdout.write(
  JSON.stringify({
    images: names.length,
    seconds,
    imagesPerSecond: names.length / seconds,
    threads: getThreadsCount(),
    candidates,
  }),
);
