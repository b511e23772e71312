/**
 * Trains a head for further classes on the maps of images that were computed before. The same maps, boxes, options and
 * seed give the same bytes, and a training that goes on from a checkpoint ends with those of an undisturbed one.
 *
 * Resident beside the parameters: the maps of the images of two steps.
 */
import { sha256Hex } from '../../../core/ids.ts';
import { seededRandom, shuffled } from '../../../core/random.ts';
import type { Parameter } from '../../../math/training/optimiser.ts';
import { type MicroBatch, type TrainingState, type TrainOptions, train } from '../../../math/training/train.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { float32, sizeOf, tensor } from '../../../onnx/tensor.ts';
import { gradientOf } from '../training-graph.ts';
import { heatmapTargets, type TaughtBox } from './heatmap.ts';
import { HEAD_NAMES, type HeadParameters, type TunableDetector } from './tunable-detector.ts';

/** One look at an image: its map, and the boxes in it. */
export interface TaughtView {
  readonly boxes: readonly TaughtBox[];
  /** The bits of the map, as 16-bit floats. */
  map(): Promise<Uint16Array>;
}

export interface TuneDetectorOptions extends Pick<TrainOptions, 'signal' | 'onStep' | 'checkpoint'> {
  readonly classes: number;
  readonly seed: number;
  /** Images seen (default {@link SAMPLES}), but each at least {@link MIN_EPOCHS} times. */
  readonly samples?: number;
  /** Of the weights, as a share of their root mean square (default .05). */
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly from?: TrainingState;
}

/** Images of one run, and of a step. */
const IMAGES_A_RUN = 2;
const IMAGES_A_STEP = 8;
export const SAMPLES = 3000;
const MIN_EPOCHS = 4;
const CLIP_NORM = 5;
const AVERAGING = 0.98;

export interface TunedHead {
  readonly head: HeadParameters;
  readonly losses: readonly number[];
  readonly stopped: 'not a number' | null;
}

/** @param images of each image its views, of which one is taken an epoch */
export async function tuneDetector(
  pool: InferencePool,
  detector: TunableDetector,
  images: readonly (readonly TaughtView[])[],
  options: TuneDetectorOptions,
): Promise<TunedHead> {
  const { classes, samples = SAMPLES, weightDecay = 0.01, signal, onStep, checkpoint, from } = options;
  const step = detector.step(classes, IMAGES_A_RUN);
  const parameters = parametersOf(detector.start(classes), options.learningRate ?? 0.05);
  const stepsAnEpoch = Math.max(1, Math.round(images.length / IMAGES_A_STEP));
  const epochs = Math.max(MIN_EPOCHS, Math.round(samples / images.length));
  const model = await pool.load(step, { key: `detector-head:${sha256Hex(step)}` });
  try {
    const { losses, stopped } = await train(
      pool,
      { model, gradientOf },
      parameters,
      batches(detector, images, stepsAnEpoch, options),
      {
        optimiser: { kind: 'adamw', weightDecay },
        schedule: 'one-cycle',
        learningRate: 1,
        steps: epochs * stepsAnEpoch,
        clipNorm: CLIP_NORM,
        averaging: AVERAGING,
        ...{ signal, onStep, checkpoint },
      },
      from,
    );
    const [depthwise, pointwise, bias] = parameters.map(({ data, dims }) => float32(Float32Array.from(data), dims));
    return { head: { depthwise, pointwise, bias } as HeadParameters, losses, stopped };
  } finally {
    await pool.unload(model);
  }
}

function parametersOf(start: HeadParameters, learningRate: number): Parameter[] {
  return HEAD_NAMES.map((name) => {
    const { data, dims } = start[name];
    const shared = new Float32Array(new SharedArrayBuffer(4 * data.length));
    shared.set(data as Float32Array);
    const size = Math.sqrt(shared.reduce((sum, one) => sum + one * one, 0) / shared.length);
    return { name, dims, data: shared, rate: learningRate * size, decays: name !== 'bias' };
  });
}

/** The runs of a step: an epoch has every image once, in an order and with views that follow from its number. */
function batches(
  detector: TunableDetector,
  images: readonly (readonly TaughtView[])[],
  stepsAnEpoch: number,
  { seed, classes }: TuneDetectorOptions,
): (step: number) => Promise<MicroBatch[]> {
  let epoch = -1;
  let order: TaughtView[] = [];
  return async (step) => {
    if (Math.floor(step / stepsAnEpoch) !== epoch) {
      epoch = Math.floor(step / stepsAnEpoch);
      const random = seededRandom(seed, `detector:${epoch}`);
      const views = images.map((some) => some[Math.floor(random() * some.length)]);
      order = shuffled(views, random).flatMap((view) => view ?? []);
    }
    const at = step % stepsAnEpoch;
    const place = (n: number) => Math.round((n * order.length) / stepsAnEpoch);
    const members = order.slice(place(at), place(at + 1));
    const runs: MicroBatch[] = [];
    for (let i = 0; i < members.length; i += IMAGES_A_RUN) {
      runs.push(await microBatch(detector, members.slice(i, i + IMAGES_A_RUN), classes));
    }
    return runs;
  };
}

/** Places beyond the last image are background of no weight. A step weighs what objects it has. */
async function microBatch(
  { mapShape, stride }: TunableDetector,
  views: readonly TaughtView[],
  classes: number,
): Promise<MicroBatch> {
  const [, rows, columns] = mapShape;
  const size = sizeOf(mapShape);
  const points = classes * rows * columns;
  const map = new Uint16Array(new SharedArrayBuffer(2 * IMAGES_A_RUN * size));
  const [objects, background] = [0, 0].map(() => new Float32Array(IMAGES_A_RUN * points)) as [
    Float32Array,
    Float32Array,
  ];
  let weight = 0;
  for (const [i, view] of views.entries()) {
    map.set(await view.map(), i * size);
    const targets = heatmapTargets(view.boxes, { classes, rows, columns, stride });
    objects.set(targets.objects, i * points);
    background.set(targets.background, i * points);
    weight += targets.count;
  }
  const dims = [IMAGES_A_RUN, classes, rows, columns];
  return {
    feeds: {
      map: tensor('float16', map, [IMAGES_A_RUN, ...mapShape]),
      objects: float32(objects, dims),
      background: float32(background, dims),
    },
    // Images without objects must not divide by nothing.
    weight: Math.max(weight, 0.5),
  };
}
