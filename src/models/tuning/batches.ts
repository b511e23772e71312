/**
 * The runs of each step of a training: which images, which of their views, and how these are mixed. All of it follows from the
 * seed and the step's number, so a training that goes on sees what it would have seen.
 */
import { type Random, seededRandom, shuffled } from '../../core/random.ts';
import { cutInto, mixInto, mixupShare } from '../../math/training/mixing.ts';
import type { MicroBatch } from '../../math/training/train.ts';
import type { PixelOptions } from '../../onnx/compose.ts';
import { float32, sizeOf, type Tensor, uint8 } from '../../onnx/tensor.ts';
import type { Cut } from './tunable-network.ts';

/** Items of one run. Two runs make a step of 32, one a core of a small machine. */
export const ITEMS_A_RUN = 16;

export type Mixing = 'mixup' | 'cutmix';

export interface BatchOptions {
  readonly seed: number;
  readonly stepsAnEpoch: number;
  readonly mixing?: Mixing;
  /** Of every target, the share that is spread over all classes (default 0). */
  readonly smoothing?: number;
}

/** Values at the cut of several views of each image, those of one image behind each other. */
export interface TuningSet {
  readonly cut: Cut;
  /** Shape [images · views, …cut], in shared memory; bytes [images · views, height, width, 3] with `pixels`. */
  readonly values: Float32Array | Uint8Array;
  /** How bytes become the network's input, where the cut is that. */
  readonly pixels?: PixelOptions;
  readonly views: number;
  /** Shape [images, classes], rows sum to 1. */
  readonly targets: Float32Array;
  /** How much each image counts, shape [images]. */
  readonly weights: Float32Array;
  readonly classes: number;
  /** Those that are trained on (default all). */
  readonly members?: readonly number[];
  /** Images with labels that are not trained on: their loss says when a training has gone far enough. */
  readonly heldOut?: HeldOut;
}

export interface HeldOut {
  readonly images: readonly number[];
  /** Class of each. */
  readonly labels: readonly number[];
}

export function membersOf({ members, weights }: TuningSet): readonly number[] {
  return members ?? [...weights.keys()];
}

/** The runs of a step: an epoch has every image once, in an order and with views that follow from its number. */
export function batches(set: TuningSet, options: BatchOptions): (step: number) => MicroBatch[] {
  const { views } = set;
  const { seed, stepsAnEpoch } = options;
  const all = membersOf(set);
  const images = all.length;
  let epoch = -1;
  let order: number[] = [];
  let rows: number[] = [];
  return (step) => {
    if (Math.floor(step / stepsAnEpoch) !== epoch) {
      epoch = Math.floor(step / stepsAnEpoch);
      const random = seededRandom(seed, `tuning:${epoch}`);
      order = shuffled(all, random);
      rows = Array.from(set.weights, (_, image) => image * views + Math.floor(random() * views));
    }
    const at = step % stepsAnEpoch;
    const members = order.slice(
      Math.round((at * images) / stepsAnEpoch),
      Math.round(((at + 1) * images) / stepsAnEpoch),
    );
    const runs: MicroBatch[] = [];
    const random = seededRandom(seed, `mixing:${step}`);
    for (let i = 0; i < members.length; i += ITEMS_A_RUN) {
      const some = members.slice(i, i + ITEMS_A_RUN);
      const seen = some.map((image) => rows[image] ?? 0);
      runs.push(microBatch(set, { images: some, rows: seen, random }, options));
    }
    return runs;
  };
}

/** The runs that give the loss of the held-out images, each as it is. */
export function heldOutRuns(set: TuningSet, { images, labels }: HeldOut): MicroBatch[] {
  const targets = new Float32Array(set.targets.length);
  for (const [i, image] of images.entries()) targets[image * set.classes + (labels[i] ?? 0)] = 1;
  const labelled = { ...set, targets, weights: new Float32Array(set.weights.length).fill(1) };
  const random = seededRandom(0, 'held-out');
  const runs: MicroBatch[] = [];
  for (let i = 0; i < images.length; i += ITEMS_A_RUN) {
    const some = images.slice(i, i + ITEMS_A_RUN);
    runs.push(microBatch(labelled, { images: some, rows: some.map((image) => image * set.views), random }, {}));
  }
  return runs;
}

interface Seen {
  readonly images: readonly number[];
  /** The view of each image. */
  readonly rows: readonly number[];
  readonly random: Random;
}

/** Places beyond the last item weigh nothing. */
function microBatch(
  set: TuningSet,
  { images, rows, random }: Seen,
  { mixing, smoothing = 0 }: Pick<BatchOptions, 'mixing' | 'smoothing'>,
): MicroBatch {
  const { classes, targets, weights: counts } = set;
  const target = new Float32Array(ITEMS_A_RUN * classes).fill(1 / classes);
  const weights = new Float32Array(ITEMS_A_RUN);
  for (const [i, image] of images.entries()) {
    weights[i] = counts[image];
    target.set(targets.subarray(image * classes, (image + 1) * classes), i * classes);
  }
  if (smoothing > 0)
    for (let i = 0; i < target.length; i++) target[i] = (1 - smoothing) * target[i] + smoothing / classes;
  const x = gathered(set, rows);
  if (mixing) mixInPairs({ x, target, weights, images: images.length, classes }, mixing, random);
  return {
    feeds: { x, targets: float32(target, [ITEMS_A_RUN, classes]), weights: float32(weights, [ITEMS_A_RUN, 1]) },
    weight: weights.reduce((sum, one) => sum + one, 0),
  };
}

interface Mixed {
  readonly x: Tensor;
  readonly target: Float32Array;
  readonly weights: Float32Array;
  readonly images: number;
  readonly classes: number;
}

/** Each image with the next one as it was; what the two count is mixed as their pictures are. */
function mixInPairs({ x, target, weights, images, classes }: Mixed, mixing: Mixing, random: Random): void {
  const { data, dims } = x;
  if (!(data instanceof Uint8Array || data instanceof Float32Array)) throw new RangeError(`${x.dtype} is not mixed`);
  const size = sizeOf(dims.slice(1));
  const before = { data: data.slice(), target: target.slice(), weights: weights.slice() };
  for (let i = 0; i < images; i++) {
    const other = (i + 1) % images;
    const into = data.subarray(i * size, (i + 1) * size);
    const from = before.data.subarray(other * size, (other + 1) * size);
    let share: number;
    if (mixing === 'mixup') {
      share = mixupShare(random);
      mixInto(into, from, share);
    } else share = cutInto(into, from, planesOf(dims), random);
    const [own, others] = [share * (before.weights[i] ?? 0), (1 - share) * (before.weights[other] ?? 0)];
    weights[i] = own + others;
    if (own + others === 0) continue;
    const row = target.subarray(i * classes, (i + 1) * classes);
    mixInto(row, before.target.subarray(other * classes, (other + 1) * classes), own / (own + others));
  }
}

/** Pixels [n, height, width, 3]; only these can be cut into. */
function planesOf(dims: readonly number[]): readonly [number, number, number] {
  const [, height, width, channels] = dims;
  if (height === undefined || width === undefined || channels !== 3) {
    throw new RangeError(`only pixels can be cut into, and these values have the shape ${dims.join(' × ')}`);
  }
  return [height, width, channels];
}

function gathered({ cut, pixels, values }: TuningSet, rows: readonly number[]): Tensor {
  const shape = pixels && pixels.layout !== 'NHWC' ? [...cut.shape.slice(1), ...cut.shape.slice(0, 1)] : cut.shape;
  const size = sizeOf(shape);
  const dims = [ITEMS_A_RUN, ...shape];
  const into = values instanceof Uint8Array ? new Uint8Array(ITEMS_A_RUN * size) : new Float32Array(ITEMS_A_RUN * size);
  // What weighs nothing still goes through the network: an image of zeros may have no gradient there, and 0 times that is no number.
  for (let i = 0; i < ITEMS_A_RUN; i++) {
    const row = rows[i] ?? rows[0] ?? 0;
    into.set(values.subarray(row * size, (row + 1) * size), i * size);
  }
  return into instanceof Uint8Array ? uint8(into, dims) : float32(into, dims);
}
