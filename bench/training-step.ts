/**
 * A training step, forward, back and AdamW, of 32 images of 224 pixels, all weights trained, against PyTorch on the same
 * networks with their batch norms folded, the same batch and cores, in turns. MobileNetV3-Small is that of the catalogue,
 * ResNet-18 (He et al., CVPR 2016) has random weights. PyTorch's figure is the better of its two memory layouts. Beside the
 * time on the clock stands that of the processors, all threads together, which other work on the machine changes less.
 *
 * Needs a Python with torch and torchvision: LABELSMITH_BENCH_PYTHON.
 */
import { seededRandom } from '../src/core/random.ts';
import { oneHot } from '../src/math/heads/linear-head.ts';
import { matrix } from '../src/math/matrix.ts';
import { type TunableEmbedder, tunableEmbedder } from '../src/models/tuning/tunable-embedder.ts';
import { type TunableNetwork, tunableNetwork } from '../src/models/tuning/tunable-network.ts';
import { type TuneOptions, tuneNetwork } from '../src/models/tuning/tune.ts';
import type { PixelOptions } from '../src/onnx/compose.ts';
import { Graph } from '../src/onnx/ops.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { decodeModel, type ModelProto } from '../src/onnx/proto.ts';
import { float32, sizeOf } from '../src/onnx/tensor.ts';
import type { Value } from '../src/onnx/value.ts';
import { rounded } from './process.ts';
import { runPython } from './python.ts';

export const THREADS = 2;
export const SIDE = 224;
export const BATCH = 32;
export const CLASSES = 10;
const ROUNDS = 3;
/** Steps a round; the first warms up. */
const STEPS = 5;

/** The least of some steps. */
export interface StepTime {
  readonly stepMs: number;
  /** Of all threads together. */
  readonly cpuMs: number;
}

interface Peer extends Partial<StepTime> {
  readonly absent?: string;
}

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const { network, pixels } = await networkOf('mobilenetv3-small');
    const { network: resNet } = await networkOf('resnet-18');
    return {
      'mobilenetv3-small': await inTurns(pool, network, pixels, 'mobilenet_v3_small'),
      'resnet-18': await inTurns(pool, resNet, pixels, 'resnet18'),
    };
  } finally {
    await pool.close();
  }
}

export const NETWORKS = ['mobilenetv3-small', 'resnet-18'] as const;

/** The pixels of both are read alike. */
export async function networkOf(name: (typeof NETWORKS)[number]): Promise<Pick<TunableEmbedder, 'network' | 'pixels'>> {
  const { network, pixels } = await tunableEmbedder('mobilenetv3-small');
  if (name === 'mobilenetv3-small') return { network, pixels };
  const ports = { input: 'input', inputShape: [3, SIDE, SIDE], features: 'features', dimensions: 512 };
  return { network: tunableNetwork(resNet18(), ports), pixels };
}

const NEVER: StepTime = { stepMs: Number.POSITIVE_INFINITY, cpuMs: Number.POSITIVE_INFINITY };

async function inTurns(pool: InferencePool, network: TunableNetwork, pixels: PixelOptions, peer: string) {
  let [own, theirs] = [NEVER, NEVER];
  let absent: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    own = least(own, await stepTime(pool, network, { pixels, side: SIDE }));
    const settings = { network: peer, batch: BATCH, side: SIDE, classes: CLASSES, steps: STEPS, threads: THREADS };
    const found = runPython('training_peers', {}, settings, THREADS) as Peer;
    absent = found.absent;
    theirs = least(theirs, { ...NEVER, ...found });
    process.stderr.write(`  ${peer}: ${textOf(own)}, PyTorch ${absent ?? textOf(theirs)}\n`);
  }
  if (absent) return { ...own, pyTorch: { absent } };
  const ratio = (one: keyof StepTime) => rounded(theirs[one] / own[one], 2);
  return { ...own, pyTorch: theirs, ratio: ratio('stepMs'), ratioOfCpu: ratio('cpuMs') };
}

function least(one: StepTime, other: StepTime): StepTime {
  return { stepMs: Math.min(one.stepMs, other.stepMs), cpuMs: Math.min(one.cpuMs, other.cpuMs) };
}

function textOf({ stepMs, cpuMs }: StepTime): string {
  return `${rounded(stepMs, 1)} ms (${rounded(cpuMs, 1)} ms of processors)`;
}

interface StepSettings extends Pick<TuneOptions, 'keptBytes'> {
  readonly pixels: PixelOptions;
  readonly side: number;
}

/** The fastest step of a short training on made-up pictures. */
export async function stepTime(
  pool: InferencePool,
  network: TunableNetwork,
  { pixels, side, keptBytes }: StepSettings,
): Promise<StepTime> {
  const [cut] = network.cuts;
  if (!cut) throw new Error('a network without a cut');
  const random = seededRandom(0, 'training-step');
  const values = new Uint8Array(new SharedArrayBuffer(BATCH * side * side * 3)).map(() => 256 * random());
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const weights = Float32Array.from({ length: CLASSES * network.dimensions }, () => random() - 0.5);
  const head = { weights: matrix(weights, CLASSES, network.dimensions), bias: new Float32Array(CLASSES) };
  const times: StepTime[] = [];
  let [last, lastCpu] = [performance.now(), process.cpuUsage()];
  await tuneNetwork(
    pool,
    network,
    {
      cut,
      values,
      pixels,
      views: 1,
      classes: CLASSES,
      targets: oneHot(labels, CLASSES).data,
      weights: new Float32Array(BATCH).fill(1),
    },
    head,
    {
      trains: 'all',
      samples: STEPS * BATCH,
      learningRate: 1e-4,
      headRate: 1e-4,
      seed: 0,
      keptBytes,
      onStep() {
        const { user, system } = process.cpuUsage(lastCpu);
        times.push({ stepMs: performance.now() - last, cpuMs: (user + system) / 1000 });
        [last, lastCpu] = [performance.now(), process.cpuUsage()];
      },
    },
  );
  return times.slice(1).reduce(least, NEVER);
}

/** With batch norms folded: a convolution has a bias. */
function resNet18(): ModelProto {
  const g = new Graph('resnet-18');
  let made = 0;
  const constant = (dims: readonly number[], scale: number) => {
    const random = seededRandom(made++, 'resnet-18');
    const numbers = Array.from({ length: sizeOf(dims) }, () => scale * (2 * random() - 1));
    return g.constant(float32(numbers, dims), `weights.${made}`);
  };
  const conv = (x: Value, from: number, to: number, kernel: number, stride: number) => {
    const half = (kernel - 1) / 2;
    const weights = constant([to, from, kernel, kernel], Math.sqrt(3 / (from * kernel * kernel)));
    return g.conv(x, weights, constant([to], 0), { pads: [half, half, half, half], strides: [stride, stride] });
  };
  const block = (x: Value, from: number, to: number, stride: number) => {
    const inner = g.relu(conv(x, from, to, 3, stride));
    const around = stride === 1 ? x : conv(x, from, to, 1, stride);
    return g.relu(g.add(conv(inner, to, to, 3, 1), around));
  };
  let x = g.relu(conv(g.input('input', 'float32', ['n', 3, SIDE, SIDE]), 3, 64, 7, 2));
  x = g.maxPool(x, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const to of [64, 128, 256, 512]) {
    x = block(block(x, channels, to, to === 64 ? 1 : 2), to, to, 1);
    channels = to;
  }
  g.output(g.op('Flatten', [g.globalAveragePool(x)], { axis: 1 }, 'features'));
  return decodeModel(g.toModel());
}
