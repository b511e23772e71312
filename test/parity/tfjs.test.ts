/**
 * Converted networks against TensorFlow.js (4.22, WebAssembly) on the same weights and the same photographs: raw heads,
 * before any threshold. The bound is 1e-3 on scores; what is reached is printed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { cacheDirectory } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { tfjsToOnnx } from '../../src/models/convert/tfjs.ts';
import { sourcesInCache } from '../../src/models/prepare.ts';
import { Session } from '../../src/onnx/session.ts';
import { type Tensor, tensor } from '../../src/onnx/tensor.ts';
import { thorough } from '../thorough.ts';
import { openReference } from './tfjs-reference.ts';

const DATA = process.env.LABELSMITH_BENCH_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const PHOTOGRAPHS = join(DATA, 'coco-train128', 'images');

/** A model's json and weights, from the cache or from a folder that holds them; undefined where neither has them. */
async function weightsOf(id: string): Promise<[json: Uint8Array, weights: Uint8Array] | undefined> {
  const entry = CATALOGUE.find((one) => one.id === id);
  assert.ok(entry, `no model ${id} in the catalogue`);
  const cached = await sourcesInCache(entry, cacheDirectory());
  const folder = process.env.LABELSMITH_TEST_WEIGHTS;
  if (!cached && !folder) return undefined;
  const names = entry.source.files.map(({ reference }) => basename(reference.split('#')[1] ?? reference));
  const paths = cached?.map(({ path }) => path) ?? names.map((name) => join(folder ?? '', name));
  if (!paths.every((path) => existsSync(path))) return undefined;
  return paths.map((path) => new Uint8Array(readFileSync(path))) as [Uint8Array, Uint8Array];
}

/** The first photographs, scaled into the top left of a black square, RGB. */
async function photographs(count: number, size: number): Promise<Uint8Array[]> {
  const files = readdirSync(PHOTOGRAPHS).sort().slice(0, count);
  const square = { width: size, height: size, fit: 'contain', position: 'left top', background: 'black' } as const;
  return Promise.all(
    files.map(async (file) => {
      const image = sharp(join(PHOTOGRAPHS, file)).resize(square).removeAlpha().toColourspace('srgb');
      return new Uint8Array(await image.raw().toBuffer());
    }),
  );
}

const BGR_MEAN = [103.53, 116.28, 123.675];
const BGR_STD = [57.375, 57.12, 58.395];

interface Case {
  readonly model: string;
  readonly size: number;
  readonly count: number;
  readonly input: string;
  readonly prepare: (pixels: Uint8Array, size: number) => Tensor;
  /** The largest difference allowed, by output; in the output's own unit. */
  readonly outputs: Readonly<Record<string, number>>;
}

const nhwc = (pixels: Uint8Array, size: number) => tensor('float32', Float32Array.from(pixels), [1, size, size, 3]);

const CASES: readonly Case[] = [
  {
    model: 'centernet',
    size: 512,
    count: thorough(8, 20),
    input: 'tower_0/images',
    prepare: nhwc,
    // Scores; then box sides in pixels; then activations of the backbone, which are up to 20 or so.
    outputs: { 'tower_0/Sigmoid': 1e-3, 'tower_0/mul': 0.1, 'tower_0/MobilenetV3/Conv/hard_swish/mul_1': 1e-2 },
  },
  {
    model: 'nanodet',
    size: 416,
    count: thorough(8, 20),
    input: 'input_1:0',
    prepare: (pixels, size) => {
      const planes = new Float32Array(pixels.length);
      const area = size * size;
      for (let i = 0; i < pixels.length; i++) {
        const channel = 2 - (i % 3);
        const mean = BGR_MEAN[channel];
        planes[channel * area + Math.floor(i / 3)] = (pixels[i] - mean) / BGR_STD[channel];
      }
      return tensor('float32', planes, [1, 3, size, size]);
    },
    outputs: Object.fromEntries(
      ['', '_1', '_2', '_3', '_4', '_5'].map((n, i) => [`Identity${n}:0`, i < 3 ? 1e-3 : 1e-2]),
    ),
  },
  ...(['lightning', 'thunder'] as const).map((kind) => ({
    model: `movenet-${kind}`,
    size: kind === 'lightning' ? 192 : 256,
    count: 8,
    input: 'input:0',
    prepare: (pixels: Uint8Array, size: number) => tensor('int32', Int32Array.from(pixels), [1, size, size, 3]),
    outputs: { 'Identity:0': 1e-3 },
  })),
];

for (const { model, size, count, input, prepare, outputs } of CASES) {
  test(`${model} converted to ONNX agrees with tfjs on ${count} photographs`, async (t: TestContext) => {
    const files = await weightsOf(model);
    if (!files) {
      t.skip(`the weights of ${model} are neither in the model cache nor in LABELSMITH_TEST_WEIGHTS`);
      return;
    }
    if (!existsSync(PHOTOGRAPHS)) {
      t.skip(`no photographs at ${PHOTOGRAPHS}`);
      return;
    }
    const names = Object.keys(outputs);
    const onnx = tfjsToOnnx(...files, { outputs: names });
    assert.deepEqual(tfjsToOnnx(...files, { outputs: names }), onnx, 'the same files make the same bytes');
    const session = await Session.create(onnx);
    const reference = await openReference(...files);
    const worst: Record<string, number> = {};
    for (const pixels of await photographs(count, size)) {
      const given = prepare(pixels, size);
      const ours = await session.run({ [input]: given });
      const theirs = reference.run(given.data as Float32Array, [...given.dims], names);
      names.forEach((name, i) => {
        const [a, b] = [ours[name], theirs[i]];
        assert.deepEqual([...a.dims], b.shape, name);
        const values = a.data as Float32Array;
        for (let k = 0; k < values.length; k++) {
          const difference = Math.abs(values[k] - b.data[k]);
          if (!(difference <= (worst[name] ?? 0))) worst[name] = difference;
        }
      });
    }
    t.diagnostic(
      `largest difference: ${Object.entries(worst)
        .map(([name, d]) => `${name} ${d.toExponential(1)}`)
        .join(', ')}`,
    );
    for (const name of names) assert.ok(worst[name] <= outputs[name], `${name}: ${worst[name]}`);
    reference.close();
    await session.close();
  });
}
