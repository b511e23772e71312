/**
 * The graphs of a training: `below` from pixels to the value where the network is cut, and `step` from there to the loss
 * and its gradients, with a linear classifier on the features scaled to length 1.
 */
import { LabelsmithError } from '../../errors.ts';
import { addLengthNorm } from '../../math/pca/pca.ts';
import { inlineModel, type PixelOptions, pixelsToModelInput } from '../../onnx/compose.ts';
import { crossEntropy } from '../../onnx/gradients/cross-entropy.ts';
import { addGradients, type Obstacle } from '../../onnx/gradients/gradients.ts';
import { bytesOf, segmentsOf } from '../../onnx/gradients/recompute.ts';
import type { TypedNode } from '../../onnx/graph.ts';
import { Graph } from '../../onnx/ops.ts';
import { subgraphOf } from '../../onnx/subgraph.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { type Cut, parametersIn, type Trainable, type TunableNetwork } from './tunable-network.ts';

export const HEAD_WEIGHTS = 'head/weights';
export const HEAD_BIAS = 'head/bias';

/** The output with a parameter's gradient. */
export function gradientOf(parameter: string): string {
  return `d:${parameter}`;
}

export interface StepGraphOptions {
  readonly cut: Cut;
  /** Constants of the network that are trained; the classifier always is. */
  readonly trained: readonly Trainable[];
  readonly classes: number;
  /** Added to the logits under the loss, shape [classes] (default: nothing is). */
  readonly margins?: Float32Array;
  /** Items of a run. */
  readonly items: number;
  /** Where the network is trained from its input on: how pixels become it, so that `x` are bytes, a fourth of the memory. */
  readonly pixels?: PixelOptions;
  /**
   * Keep little of the forward pass, and compute the rest a second time: the same gradients but for their last bits, in less memory
   * and more time.
   */
  readonly recompute?: boolean;
}

export interface BuiltStepGraph {
  readonly model: Uint8Array;
  /** Those of `trained` that gradients reach. */
  readonly trained: readonly Trainable[];
  /** Where gradients end before the cut is reached. */
  readonly obstacles: readonly Obstacle[];
  /** What the backward pass reads of the forward pass: held at the same time in each run. */
  readonly keptBytes: number;
}

/**
 * `x` [items, …cut], `targets` [items, classes], `weights` [items, 1], each parameter under its name → `loss` and
 * `correct`, sums, and the gradient of each parameter.
 */
export function stepGraph(network: TunableNetwork, options: StepGraphOptions): BuiltStepGraph {
  const { trained } = options;
  const graph = new Graph('training-step');
  const { x, logits, loss, targets, weights, parameters } = lossIn(graph, network, options);
  const wanted = Object.values(parameters);
  const forward = graph.typedNodes();
  const twice = options.recompute ? segmentsOf(forward, x) : [];
  const { of, obstacles: missing, flat } = addGradients(graph, loss, wanted, twice);
  graph.output(loss, 'loss');
  graph.output(correctIn(graph, logits, targets, weights), 'correct');
  for (const { name } of wanted) {
    const gradient = of.get(name);
    if (gradient) graph.output(gradient, gradientOf(name));
  }
  const obstacles = [...missing, ...flat];
  const keptBytes = bytesKept(forward, graph.typedNodes().slice(forward.length));
  return { model: graph.toModel(), trained: trained.filter(({ name }) => of.has(name)), obstacles, keptBytes };
}

/** What gradients reach of a network, as one of its steps would train it. */
export interface NetworkReach {
  /** Of the numbers that can be trained at all, the share that gradients reach: 0 to 1. */
  readonly share: number;
  /** Where gradients end, from the features down; what lies below such a node, and nowhere else, stays as it is. */
  readonly obstacles: readonly Obstacle[];
}

export function reachOf(network: TunableNetwork): NetworkReach {
  const [cut] = network.cuts;
  if (!cut) throw new RangeError('a network without a cut');
  const { trained, obstacles } = stepGraph(network, { cut, trained: cut.trainables, classes: 2, items: 1 });
  return { share: parametersIn({ ...cut, trainables: trained }) / parametersIn(cut), obstacles };
}

/** Inputs as in {@link stepGraph} → `loss` alone: the forward pass of a step. */
export function lossGraph(network: TunableNetwork, options: StepGraphOptions): Uint8Array {
  const graph = new Graph('training-loss');
  graph.output(lossIn(graph, network, options).loss, 'loss');
  return graph.toModel();
}

interface LossIn {
  readonly x: Value;
  readonly logits: Value;
  readonly loss: Value;
  readonly targets: Value;
  readonly weights: Value;
  /** Inputs, by name. */
  readonly parameters: Readonly<Record<string, Value>>;
}

function lossIn(graph: Graph, network: TunableNetwork, options: StepGraphOptions): LossIn {
  const { cut, trained, classes, items, margins } = options;
  const x = valuesAtCut(graph, options);
  const targets = graph.input('targets', 'float32', [items, classes]);
  const weights = graph.input('weights', 'float32', [items, 1]);
  const inputs = Object.fromEntries(trained.map(({ name, dims }) => [name, graph.input(name, 'float32', dims)]));
  const headWeights = graph.input(HEAD_WEIGHTS, 'float32', [classes, network.dimensions]);
  const headBias = graph.input(HEAD_BIAS, 'float32', [classes]);
  const features = featuresOf(graph, network, { cut, x, items, parameters: inputs });
  const logits = graph.gemm(features, headWeights, headBias, { transB: 1 });
  const asked = margins ? graph.add(logits, graph.constant(float32(margins, [1, classes]))) : logits;
  const loss = crossEntropy(graph, asked, targets, weights);
  const parameters = { ...inputs, [HEAD_WEIGHTS]: headWeights, [HEAD_BIAS]: headBias };
  return { x, logits, loss, targets, weights, parameters };
}

function bytesKept(forward: readonly TypedNode[], backward: readonly TypedNode[]): number {
  const read = new Set(backward.flatMap(({ inputs }) => inputs.map((value) => value?.name)));
  const made = forward.flatMap(({ outputs }) => outputs.filter((value) => value !== undefined));
  return made.reduce((sum, value) => sum + (read.has(value.name) ? bytesOf(value) : 0), 0);
}

/** The weight of the items whose likeliest class is that of their target. */
function correctIn(graph: Graph, logits: Value, targets: Value, weights: Value): Value {
  const isClass = graph.op('Equal', [graph.argMax(logits, 1, true), graph.argMax(targets, 1, true)]);
  return graph.reduceSum(graph.mul(graph.cast(isClass, 'float32'), weights), [0, 1], { keepDims: false });
}

function valuesAtCut(graph: Graph, { cut, items, pixels }: Omit<StepGraphOptions, 'trained' | 'classes'>): Value {
  if (!pixels) return graph.input('x', 'float32', [items, ...cut.shape]);
  const [height = 1, width = 1] = pixels.layout === 'NHWC' ? cut.shape : cut.shape.slice(1);
  return pixelsToModelInput(graph, graph.input('x', 'uint8', [items, height, width, 3]), pixels);
}

interface FeatureRequest {
  readonly cut: Cut;
  readonly x: Value;
  readonly items: number;
  readonly parameters: Readonly<Record<string, Value>>;
}

/** What the network makes of the values at the cut: [items, dimensions], rows of length 1. */
function featuresOf(graph: Graph, network: TunableNetwork, { cut, x, items, parameters }: FeatureRequest): Value {
  const above = subgraphOf(network.model, { from: [cut.value], to: [network.features] });
  const feeds = { [cut.value]: x, ...parameters };
  const results = inlineModel(graph, above, { prefix: 'network', feeds, outputs: [network.features] });
  const features = results[network.features];
  if (!features) throw new LabelsmithError('BAD_MODEL', `the network has no value ${network.features}`);
  return addLengthNorm(graph, graph.reshape(features, [items, network.dimensions]));
}

/** `x` as in {@link stepGraph} → `features` [items, dimensions], rows of length 1, of the network as it is. */
export function featureGraph(
  network: TunableNetwork,
  options: Omit<StepGraphOptions, 'trained' | 'classes'>,
): Uint8Array {
  const { cut, items } = options;
  const graph = new Graph('training-features');
  const x = valuesAtCut(graph, options);
  graph.output(featuresOf(graph, network, { cut, x, items, parameters: {} }), 'features');
  return graph.toModel();
}

/** `pixels` uint8 [1, height, width, 3] → `x` [1, …cut]. */
export function graphBelow(
  network: TunableNetwork,
  cut: Cut,
  { height, width, ...pixels }: PixelOptions & { readonly height: number; readonly width: number },
): Uint8Array {
  const graph = new Graph('training-below');
  const input = pixelsToModelInput(graph, graph.input('pixels', 'uint8', [1, height, width, 3]), pixels);
  const [first] = network.cuts;
  if (!first) throw new RangeError('a network without a cut');
  if (first.value === cut.value) graph.output(input, 'x');
  else {
    const below = subgraphOf(network.model, { from: [first.value], to: [cut.value] });
    const results = inlineModel(graph, below, {
      prefix: 'network',
      feeds: { [first.value]: input },
      outputs: [cut.value],
    });
    graph.output(results[cut.value] as Value, 'x');
  }
  return graph.toModel();
}
