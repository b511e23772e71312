/**
 * Fits the rows of further classes on points of images, with the focal loss of heatmaps.
 *
 * A row is not free: those of the classes that the detector has say what rows look like. It is m + L z, with m their mean
 * and L Lᵀ their covariance, and a half of |z|² is added to the loss: the row that is likeliest with a normal prior (as in
 * hierarchical models; "Meta-Learning Probabilistic Inference", Gordon et al., ICLR 2019, has the same with a network).
 * So a class is learned from tens of objects, and one of which there are thousands goes where they lead.
 *
 * The same points, options and seed give the same bytes, with any number of threads. Resident: the points, twice.
 */
import { sha256Hex } from '../../../core/ids.ts';
import { LabelsmithError } from '../../../errors.ts';
import { sharedFloats } from '../../../math/matrix.ts';
import type { Parameter } from '../../../math/training/optimiser.ts';
import { type MicroBatch, type TrainOptions, train } from '../../../math/training/train.ts';
import { addGradients } from '../../../onnx/gradients/gradients.ts';
import { Graph } from '../../../onnx/ops.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { float32 } from '../../../onnx/tensor.ts';
import type { Value } from '../../../onnx/value.ts';
import { gradientOf } from '../training-graph.ts';
import { heatmapLoss } from './heatmap.ts';
import { priorOf, type RowPrior } from './row-prior.ts';
import type { TaughtPoints } from './taught-points.ts';
import type { HeatmapHead } from './tunable-detector.ts';

export interface TuneDetectorOptions extends Pick<TrainOptions, 'signal' | 'onStep'> {
  readonly classes: number;
}

export interface TunedHead {
  readonly head: HeatmapHead;
  readonly losses: readonly number[];
}

const ROWS_A_RUN = 8192;
/**
 * What a point where an object is counts in the loss, against 1 of one where none is: chosen by AP50 on sixteen classes of COCO
 * with some ten boxes each. At 1 few boxes are outweighed by all that is no object, and by the prior.
 */
const OBJECT_WEIGHT = 3;
const LEARNING_RATE = 0.1;
const STEPS = 200;
const HINT = 'Take another detector with --model: its features of these images are no numbers.';

/** @param known the rows of the classes that the detector has */
export async function tuneDetector(
  pool: InferencePool,
  known: HeatmapHead,
  points: TaughtPoints,
  { classes, signal, onStep }: TuneDetectorOptions,
): Promise<TunedHead> {
  const prior = priorOf(known);
  const { channels } = prior;
  const built = stepGraph(prior, classes);
  const parameters: Parameter[] = [
    { name: 'z', dims: [classes, channels], data: sharedFloats(classes * channels) },
    { name: 'bias', dims: [classes], data: sharedFloats(classes).fill(prior.bias) },
  ];
  const runs = runsOf(points, classes, channels);
  const model = await pool.load(built, { key: `heatmap-head:${sha256Hex(built)}` });
  try {
    const { losses, stopped } = await train(pool, { model, gradientOf }, parameters, () => runs, {
      optimiser: { kind: 'adamw', weightDecay: 0 },
      schedule: 'one-cycle',
      learningRate: LEARNING_RATE,
      steps: STEPS,
      signal,
      onStep,
    });
    if (stopped) throw new LabelsmithError('BAD_MODEL', 'the loss of the points came to no number', { hint: HINT });
    const [z, bias] = parameters.map(({ data }) => Float32Array.from(data)) as [Float32Array, Float32Array];
    return { head: { weights: prior.rows(z), bias }, losses };
  } finally {
    await pool.unload(model);
  }
}

/** `points`, `objects`, `background`, `share` of the prior, `z`, `bias` → `loss` and its gradients. */
function stepGraph({ channels, mean, factor }: RowPrior, classes: number): Uint8Array {
  const graph = new Graph('heatmap-head');
  const points = graph.input('points', 'float32', [ROWS_A_RUN, channels]);
  const objects = graph.input('objects', 'float32', [ROWS_A_RUN, classes]);
  const background = graph.input('background', 'float32', [ROWS_A_RUN, classes]);
  const share = graph.input('share', 'float32', []);
  const z = graph.input('z', 'float32', [classes, channels]);
  const bias = graph.input('bias', 'float32', [classes]);
  const rows = graph.add(
    graph.gemm(z, graph.constant(float32(factor, [channels, channels]), 'factor'), undefined, { transB: 1 }),
    graph.constant(float32(mean, [1, channels]), 'mean'),
  );
  const logits = graph.gemm(points, rows, bias, { transB: 1 });
  const size = graph.reduceSum(graph.mul(z, z), [0, 1], { keepDims: false });
  const weighted = graph.mul(objects, graph.scalar(OBJECT_WEIGHT));
  const loss = graph.add(heatmapLoss(graph, logits, weighted, background), graph.mul(size, share));
  const { of } = addGradients(graph, loss, [z, bias]);
  graph.output(loss, 'loss');
  for (const { name } of [z, bias]) graph.output(of.get(name) as Value, gradientOf(name));
  return graph.toModel();
}

/** Every step sees all points: some thousand of them a run. Places beyond the last one weigh nothing. */
function runsOf(points: TaughtPoints, classes: number, channels: number): MicroBatch[] {
  const count = points.features.length / channels;
  const runs = Math.ceil(count / ROWS_A_RUN);
  const part = (values: Float32Array, columns: number, run: number) => {
    const data = sharedFloats(ROWS_A_RUN * columns);
    data.set(values.subarray(run * ROWS_A_RUN * columns, (run + 1) * ROWS_A_RUN * columns));
    return float32(data, [ROWS_A_RUN, columns]);
  };
  // The loss is a sum over everything, and so its gradient: the prior is measured against it.
  return Array.from({ length: runs }, (_, run) => ({
    feeds: {
      points: part(points.features, channels, run),
      objects: part(points.objects, classes, run),
      background: part(points.background, classes, run),
      share: float32([1 / 2 / runs], []),
    },
    weight: 1 / runs,
  }));
}
