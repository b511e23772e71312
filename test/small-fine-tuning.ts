/** A fine-tuning of made-up images, with a small network of random weights. */
import sharp from 'sharp';
import { seededRandom } from '../src/core/random.ts';
import { newSharedMatrix } from '../src/math/matrix.ts';
import type { EmbedderEntry } from '../src/models/bundle.ts';
import { type TunableEmbedder, tunableOf } from '../src/models/tuning/tunable-embedder.ts';
import { Graph } from '../src/onnx/ops.ts';
import type { FineTuneRequest } from '../src/stages/teach/fine-tune/fine-tune.ts';
import { STEPS, type TuningStep } from '../src/stages/teach/fine-tune/steps.ts';
import { wholeImage } from '../src/stages/teach/fine-tune/tuning-image.ts';
import type { Problem } from '../src/stages/teach/problem.ts';
import { randomTensor } from './random-tensor.ts';

export const SIDE = 16;
export const IMAGES = 48;
export const LABELLED = 30;

/** Stripes that lie or stand, of any two colours. */
export async function stripes(image: number): Promise<Uint8Array> {
  const random = seededRandom(image, 'stripes');
  const colours = [0, 1].map((i) => [0, 1, 2].map(() => Math.floor(100 * random()) + 150 * i));
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const colour = colours[Math.floor((image % 2 === 0 ? x : y) / 2) % 2] ?? [];
      pixels.set(colour, (y * SIDE + x) * 3);
    }
  }
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toBuffer();
}

const ENTRY: EmbedderEntry = {
  id: 'small',
  role: 'embedder',
  licence: 'MIT',
  description: 'two convolutions of random weights',
  source: { files: [{ reference: 'file:small.onnx' }], converter: 'onnx' },
  input: {
    name: 'input',
    width: SIDE,
    height: SIDE,
    fit: 'cover',
    pad: [0, 0, 0],
    kernel: 'linear',
    layout: 'NCHW',
    scale: 1 / 255,
    mean: [0.5, 0.5, 0.5],
  },
  output: 'features',
  dimensions: 8,
};

export function smallEmbedder(): TunableEmbedder {
  const g = new Graph('small');
  const random = (dims: readonly number[], stream: string) => g.constant(randomTensor(dims, stream, 0.5), stream);
  const conv = (x: ReturnType<Graph['value']>, name: string, dims: readonly number[]) =>
    g.relu(g.conv(x, random(dims, name), random(dims.slice(0, 1), `${name}/b`), { pads: [1, 1, 1, 1] }));
  const low = conv(g.input('input', 'float32', ['n', 3, SIDE, SIDE]), 'low', [6, 3, 3, 3]);
  const high = conv(low, 'high', [8, 6, 3, 3]);
  g.output(g.op('Flatten', [g.globalAveragePool(high)], { axis: 1 }, 'features'));
  return tunableOf(ENTRY, g.toModel());
}

/** Frozen vectors that say little: the class with a good deal of noise. */
export function frozenProblem(): Problem {
  const random = seededRandom(7, 'frozen');
  const features = newSharedMatrix(IMAGES, 4);
  for (let i = 0; i < features.data.length; i++) {
    features.data[i] = random() - 0.5 + (i % 4 === 0 && Math.floor(i / 4) % 2 === 0 ? 0.4 : 0);
  }
  const labelled = Int32Array.from({ length: LABELLED }, (_, i) => i);
  return {
    features,
    groups: Array.from({ length: IMAGES }, (_, i) => `${i}`),
    labelled,
    labels: labelled.map((row) => row % 2),
    classes: 2,
  };
}

export const STEP: TuningStep = { ...STEPS.all, samples: 600, learningRate: 0.02, headRate: 0.05, shares: [1] };

export function request(changes: Partial<FineTuneRequest> = {}): FineTuneRequest {
  return {
    embedder: smallEmbedder(),
    problem: frozenProblem(),
    blocks: [{ columns: 8, weight: 1 }],
    ids: Array.from({ length: IMAGES }, (_, i) => `image ${i}`),
    open: async (row) => wholeImage(await stripes(row)),
    teacher: { method: 'base', head: 'linear', C: 10, classWeights: 'even', augment: false },
    step: STEP,
    folds: 2,
    seed: 0,
    ...changes,
  };
}
