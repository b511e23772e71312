/**
 * Joins what surrounds a network to it, so that a model is one graph from bytes to results: colour order, scaling and
 * layout before, decoding or pooling behind.
 *
 * Every composed model has the input `pixels` (uint8, [n, height, width, 3], RGB) with n fixed by the recipe, and by role:
 * - detector: `boxes` [k, 4] xyxy in input pixels, `scores` [k], `classes` [k] int32; n is 1
 * - embedder: `embedding` [n, dimensions], then the recipe's layers side by side in the same rows
 * - classifier: `probabilities` [n, classes]
 * - pose: `keypoints` [count, 3]: x and y in input pixels, score; n is 1
 */
import { LabelsmithError } from '../errors.ts';
import { inlineModel, pixelsToModelInput } from '../math/compose.ts';
import type { Value } from '../math/graph.ts';
import { Graph } from '../math/ops.ts';
import { float32 } from '../math/tensor.ts';
import type { ModelEntry } from './catalogue.ts';
import { decode, outputsOf } from './detectors/decoders.ts';

/** Grows whenever the same entry would be composed to another graph, so that cached models are made again. */
export const COMPOSER_VERSION = 1;

export interface Recipe {
  /** Images a run; only embedders and classifiers take more than 1. */
  readonly batch: number;
  /** For an embedder: inner values [n, channels, height, width] that are averaged over places and set behind the embedding. */
  readonly layers?: readonly string[];
}

export const SINGLE: Recipe = { batch: 1 };

/** Small enough that a batch of decoded images stays in the processor's cache, large enough to hide the call. */
const DEFAULT_BATCH = 8;

/** The recipe that a model is used with when nothing else is asked for. */
export function defaultRecipe(entry: ModelEntry): Recipe {
  return entry.role === 'embedder' || entry.role === 'classifier' ? { batch: DEFAULT_BATCH } : SINGLE;
}

/** The network's values that a composed model is made of. */
export function networkOutputs(entry: ModelEntry): readonly string[] {
  return entry.role === 'detector' ? outputsOf(entry.decoder) : [entry.output];
}

/** Composes an entry's network (ONNX bytes) to a whole model. */
export function composeModel(entry: ModelEntry, network: Uint8Array, recipe: Recipe): Uint8Array {
  if (recipe.batch !== 1 && (entry.role === 'detector' || entry.role === 'pose')) {
    throw new LabelsmithError('UNSUPPORTED', `${entry.role} ${entry.id} takes one image a run, not ${recipe.batch}`);
  }
  const graph = new Graph(entry.id);
  const { name, width, height } = entry.input;
  const pixels = graph.input('pixels', 'uint8', [recipe.batch, height, width, 3]);
  const input = pixelsToModelInput(graph, pixels, entry.input);
  const layers = recipe.layers ?? [];
  if (layers.length > 0 && entry.role !== 'embedder') {
    throw new LabelsmithError('UNSUPPORTED', `${entry.role} ${entry.id} gives no layers; only embedders do`);
  }
  const wanted = [...networkOutputs(entry), ...layers];
  const outputs = inlineModel(graph, network, { prefix: 'network', feeds: { [name]: input }, outputs: wanted });
  addResults(graph, entry, outputs, layers);
  // How images are brought to the input's size changes results too, so it is part of the content that `key` stands for.
  const { fit, pad, kernel } = entry.input;
  return graph.toModel({
    model: entry.id,
    licence: entry.licence,
    preprocessing: JSON.stringify({ fit, pad, kernel }),
  });
}

function addResults(
  graph: Graph,
  entry: ModelEntry,
  outputs: Readonly<Record<string, Value>>,
  layers: readonly string[],
): void {
  switch (entry.role) {
    case 'detector': {
      const { width, height } = entry.input;
      const classCount = entry.classNames.length;
      const found = decode({ graph, decoder: entry.decoder, outputs, width, height, classCount });
      graph.output(found.boxes, 'boxes');
      graph.output(found.scores, 'scores');
      graph.output(found.classes, 'classes');
      return;
    }
    case 'embedder': {
      const embedding = graph.reshape(outputs[entry.output] as string, [-1, entry.dimensions]);
      const parts = layers.map((layer) => graph.reduceMean(outputs[layer] as string, [2, 3], { keepDims: false }));
      graph.output(parts.length > 0 ? graph.concat([embedding, ...parts], 1) : embedding, 'embedding');
      return;
    }
    case 'classifier': {
      const scores = graph.reshape(outputs[entry.output] as string, [-1, entry.classNames.length]);
      graph.output(entry.outputKind === 'logits' ? graph.softmax(scores) : scores, 'probabilities');
      return;
    }
    case 'pose': {
      const { width, height } = entry.input;
      const points = graph.reshape(outputs[entry.output] as string, [entry.keypointNames.length, 3]);
      const [y, x, score] = graph.split(points, [1, 1, 1], 1) as [Value, Value, Value];
      const size = graph.constant(float32([width, height], [1, 2]), 'size');
      graph.output(graph.concat([graph.mul(graph.concat([x, y], 1), size), score], 1), 'keypoints');
      return;
    }
    default:
      entry satisfies never;
  }
}
