/**
 * The ranges of the values between the layers of EfficientNet-Lite, for its form in 8-bit integers: least and most over a few
 * photographs of every set, no labels needed. What it prints is written to `models/convert/efficientnet-lite-ranges.ts`. It
 * also says how far the features in 8 bits are from those in 32 on photographs that were not looked at for the ranges.
 */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../src/fetch/cache.ts';
import { decodeCovered } from '../src/images/decode.ts';
import { efficientNetLiteToOnnx } from '../src/models/convert/efficientnet-lite.ts';
import type { Ranges } from '../src/models/convert/eight-bits.ts';
import { EFFICIENTNET_LITE } from '../src/models/efficientnet-lite.ts';
import { sourcesInCache } from '../src/models/prepare.ts';
import { pixelsToModelInput } from '../src/onnx/compose.ts';
import { Graph } from '../src/onnx/ops.ts';
import { prepareRuntime } from '../src/onnx/runtime.ts';
import { Session } from '../src/onnx/session.ts';
import { float32Data, type Tensor, uint8 } from '../src/onnx/tensor.ts';
import { setsHere } from './backbones/embedded.ts';
import { DATA } from './photos.ts';

const IMAGES_A_SET = 8;
const MEAN = [127, 127, 127];
const STD = [128, 128, 128];
/** All that a pixel can be. */
const IMAGE_RANGE = [-127 / 128, 1] as const;

export async function run(): Promise<unknown> {
  await prepareRuntime({});
  const results: Record<string, unknown> = {};
  for (const { id, source, input } of EFFICIENTNET_LITE) {
    const cached = await sourcesInCache({ ...EFFICIENTNET_LITE[0]!, id, source }, cacheDirectory());
    if (!cached || source.converter !== 'efficientnet-lite') continue;
    const file = new Uint8Array(await readFile(cached[0]!.path));
    const ranges = await rangesOf(file, input.width);
    results[id] = { ranges, featureCosine: await likeness(file, ranges, input.width) };
  }
  return results;
}

/** Photographs of every set, evenly from the list of its files. */
function photographs(offset: number): string[] {
  return setsHere().flatMap((set) => {
    const files = globSync(join(DATA, set, '**/*.{jpg,jpeg,png,JPG}')).sort();
    const step = Math.max(1, Math.floor(files.length / IMAGES_A_SET));
    return files.filter((_, i) => i % step === offset % step).slice(0, IMAGES_A_SET);
  });
}

async function inputOf(path: string, size: number, pixelsOf: Session): Promise<Tensor> {
  const { pixels } = await decodeCovered(await readFile(path), size, { kernel: 'linear' });
  return (await pixelsOf.run({ pixels: uint8(pixels, [1, size, size, 3]) })).input;
}

async function preprocessing(size: number): Promise<Session> {
  const graph = new Graph('input');
  const pixels = graph.input('pixels', 'uint8', [1, size, size, 3]);
  graph.output(pixelsToModelInput(graph, pixels, { mean: MEAN, std: STD }), 'input');
  return Session.create(graph.toModel());
}

async function rangesOf(file: Uint8Array, size: number): Promise<Ranges> {
  const pixelsOf = await preprocessing(size);
  const network = await Session.create(efficientNetLiteToOnnx(file, { observed: true }));
  const found = new Map<string, [number, number]>();
  for (const path of photographs(0)) {
    const outputs = await network.run({ input: await inputOf(path, size, pixelsOf) });
    for (const [name, value] of Object.entries(outputs)) {
      if (!name.startsWith('range/')) continue;
      const range = found.get(name.slice('range/'.length)) ?? [0, 0];
      for (const number of float32Data(value, name)) {
        if (number < range[0]) range[0] = number;
        if (number > range[1]) range[1] = number;
      }
      found.set(name.slice('range/'.length), range);
    }
  }
  await network.close();
  await pixelsOf.close();
  const rounded = [...found].map(([name, [least, most]]) => [name, [round(least), round(most)]] as const);
  return { ...Object.fromEntries(rounded), image: IMAGE_RANGE };
}

const round = (value: number) => Math.round(value * 1e4) / 1e4;

async function likeness(file: Uint8Array, ranges: Ranges, size: number): Promise<number> {
  const pixelsOf = await preprocessing(size);
  const plain = await Session.create(efficientNetLiteToOnnx(file));
  const whole = await Session.create(efficientNetLiteToOnnx(file, { ranges }));
  let sum = 0;
  const paths = photographs(3);
  for (const path of paths) {
    const input = await inputOf(path, size, pixelsOf);
    const [a, b] = [await plain.run({ input }), await whole.run({ input })].map(({ features }) =>
      float32Data(features, 'features'),
    ) as [Float32Array, Float32Array];
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((total, value, i) => total + value * y[i], 0);
    sum += dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }
  for (const session of [pixelsOf, plain, whole]) await session.close();
  return round(sum / paths.length);
}
