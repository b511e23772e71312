/**
 * Joins what surrounds a network to it, so that a model is one graph from bytes to results: colour order, scaling and
 * layout before, decoding or pooling behind.
 *
 * Every composed model has the input `pixels` (uint8, or float32 where its processor does not round; [n, height, width, 3],
 * RGB) with n fixed by the recipe, and by role:
 * - detector: `boxes` [k, 4] xyxy in input pixels, `scores` [k], `classes` [k] int32; n is 1. Where classes are words, they are
 *   inputs too (`compose-words.ts`)
 * - embedder: `embedding` [n, dimensions]: the network's own, then the recipe's layers side by side in the same rows; or,
 *   with views, a block of length 1 a pool: the sum of what each size gave, each scaled to length 1; and where the network
 *   also classifies, `votes` [n, 2 · VOTES]: the numbers of its best classes, the best first, then their probabilities
 * - classifier: `probabilities` [n, classes]
 * - segmenter: what the network makes of the image, by its own names; n is 1
 * - reader: `map` [1, 1, height, width], the network's; n is 1, and the image has any size
 * - pose: `keypoints` [count, 3]: x and y in input pixels, score; n is 1
 */
import { pixelTypeOf } from '../core/pillow.ts';
import { LabelsmithError } from '../errors.ts';
import { addLengthNorm } from '../math/pca/pca.ts';
import { inlineModel, pixelsToModelInput } from '../onnx/compose.ts';
import { Graph } from '../onnx/ops.ts';
import { decodeModel } from '../onnx/proto.ts';
import { float32 } from '../onnx/tensor.ts';
import type { Value } from '../onnx/value.ts';
import type { EmbedderEntry, InputSpec, ModelEntry, ViewRecipe, VotesSpec } from './bundle.ts';
import { wholeImageMask } from './compose-mask.ts';
import { addWordInputs } from './compose-words.ts';
import { decode, outputsOf, sizeInputsOf } from './detectors/decoders.ts';
import { inspectNetwork } from './inspect.ts';

/** Grows whenever the same entry would be composed to another graph, so that cached models are made again. */
export const COMPOSER_VERSION = 2;

/** Classes that are kept of what a network says of an image: at 40 bytes an image, nearly all of what it says. */
export const VOTES = 5;

export interface Recipe {
  /** Images a run; only embedders and classifiers take more than 1. */
  readonly batch: number;
  /** For an embedder: inner values [n, channels, height, width] that are averaged over places and set behind the embedding. */
  readonly layers?: readonly string[];
  /** For an embedder that takes any size: several looks at an image, instead of its own embedding. */
  readonly views?: ViewRecipe;
}

/**
 * One image a run, so that a result depends on that image alone: in a batch, the rows of a matrix product can differ in
 * their last bits by where they stand. A batch of 8 saved a tenth of the time of the small embedder.
 */
export const SINGLE: Recipe = { batch: 1 };

/** The recipe that a model is used with when nothing else is asked for. */
export function defaultRecipe(entry: ModelEntry): Recipe {
  return entry.role === 'embedder' && entry.views ? { ...SINGLE, views: entry.views } : SINGLE;
}

/** What of an image an embedder sees: the entry's input, or the largest of its views. */
export function inputOf(entry: ModelEntry, { views }: Recipe): InputSpec {
  if (!views) return entry.input;
  const side = Math.max(...views.sizes);
  return { ...entry.input, width: side, height: side };
}

/** Whether the network takes images of any size: then boxes come in shares of the input's sides. */
export function isOpen({ role, input }: Pick<ModelEntry, 'role' | 'input'>): boolean {
  return role === 'reader' || input.pillow?.size.kind === 'open';
}

/** The network's values that a composed model is made of. */
export function networkOutputs(entry: ModelEntry): readonly string[] {
  switch (entry.role) {
    case 'detector':
      return outputsOf(entry.decoder);
    case 'segmenter':
      return entry.values;
    case 'reader':
      return [entry.map];
    default:
      return [entry.output];
  }
}

/** Composes an entry's network (ONNX bytes) to a whole model. */
export function composeModel(entry: ModelEntry, network: Uint8Array, recipe: Recipe): Uint8Array {
  if (recipe.batch !== 1 && entry.role !== 'embedder' && entry.role !== 'classifier') {
    throw new LabelsmithError('UNSUPPORTED', `${entry.role} ${entry.id} takes one image a run, not ${recipe.batch}`);
  }
  const graph = new Graph(entry.id);
  const { name } = entry.input;
  const { width, height, fit, pad, kernel, pillow } = inputOf(entry, recipe);
  // Networks that take any size are fed each image in its own.
  const sides = isOpen(entry) ? ['height', 'width'] : [height, width];
  const pixels = graph.input('pixels', pixelTypeOf(pillow), [recipe.batch, ...sides, 3]);
  // How images are brought to the input's size changes results too, so it is part of the content that `key` stands for.
  const metadata = {
    model: entry.id,
    licence: entry.licence,
    preprocessing: JSON.stringify(pillow ? { pillow, pad } : { fit, pad, kernel }),
  };
  if (recipe.views) {
    addViews(graph, entry, network, recipe, pixels);
    return graph.toModel(metadata);
  }
  const input = pixelsToModelInput(graph, pixels, entry.input);
  const layers = recipe.layers ?? [];
  if (layers.length > 0 && entry.role !== 'embedder') {
    throw new LabelsmithError('UNSUPPORTED', `${entry.role} ${entry.id} gives no layers; only embedders do`);
  }
  const votes = entry.role === 'embedder' ? entry.votes : undefined;
  const wanted = [...new Set([...networkOutputs(entry), ...layers, ...(votes ? [votes.output] : [])])];
  const words = entry.role === 'detector' ? addWordInputs(graph, entry, network, input) : undefined;
  const seen =
    entry.role === 'detector' && !entry.words ? wholeImageMask(graph, inspectNetwork(network).inputs, input) : {};
  const feeds = { [name]: input, ...sizeFeeds(graph, entry, network), ...seen, ...words?.feeds };
  const given = inlineModel(graph, network, { prefix: 'network', feeds, outputs: wanted });
  // A segmenter's other graph takes them as they are.
  const outputs = entry.role === 'segmenter' ? given : inSingles(graph, given);
  addResults(graph, entry, { ...outputs, ...words?.decoded }, layers);
  if (votes) addVotes(graph, votes, graph.reshape(outputs[votes.output], [recipe.batch, -1]));
  return graph.toModel(metadata);
}

/** What a network of 16-bit floats gives, in 32 bits, which is what all that comes after it takes. */
function inSingles(graph: Graph, values: Readonly<Record<string, Value>>): Record<string, Value> {
  const entries = Object.entries(values).map(([name, value]) => {
    return [name, value.dtype === 'float16' ? graph.cast(value, 'float32') : value] as const;
  });
  return Object.fromEntries(entries);
}

/** For a detector that wants to be told the image's size: that of its input, in the type that it takes. */
function sizeFeeds(graph: Graph, entry: ModelEntry, network: Uint8Array): Record<string, Value> {
  const names = entry.role === 'detector' ? sizeInputsOf(entry.decoder) : [];
  if (names.length === 0) return {};
  const { inputs } = inspectNetwork(network);
  const size = graph.constant(float32([entry.input.height, entry.input.width], [1, 2]), 'imageSize');
  return Object.fromEntries(
    names.map((name) => [name, graph.cast(size, inputs.find((port) => port.name === name)?.dtype ?? 'float32')]),
  );
}

/** The network once a size, on the decoded pixels made smaller; one block of length 1 a part, [n, channels] each. */
function addViews(graph: Graph, entry: ModelEntry, network: Uint8Array, recipe: Recipe, pixels: Value): void {
  const { sizes, parts } = recipe.views as ViewRecipe;
  if (entry.role !== 'embedder' || recipe.layers?.length) {
    throw new LabelsmithError('UNSUPPORTED', `${entry.role} ${entry.id} has no views, or both views and layers`);
  }
  const { votes } = entry;
  const blocks = parts.map((): Value[] => []);
  const said: Value[] = [];
  const proto = decodeModel(network);
  const wanted = [...new Set([...parts.map(({ layer }) => layer), ...(votes ? [votes.output] : [])])];
  const inputAt = sizedInputs(graph, entry, recipe, pixels);
  for (const size of sizes) {
    const feeds = { [entry.input.name]: inputAt(size) };
    const layers = inlineModel(graph, proto, { prefix: `network${size}`, feeds, outputs: wanted });
    for (const [i, { layer, channels, pool }] of parts.entries()) {
      const value = layers[layer];
      const mean = graph.reduceMean(value, [2, 3]);
      const pooled = pool === 'mean' ? mean : deviation(graph, value, mean);
      blocks[i]?.push(addLengthNorm(graph, graph.reshape(pooled, [-1, channels])));
    }
    if (votes) said.push(graph.reshape(layers[votes.output], [recipe.batch, -1]));
  }
  const sum = (values: readonly Value[]) => values.reduce((total, value) => graph.add(total, value));
  const embedding = graph.concat(
    blocks.map((views) => addLengthNorm(graph, sum(views))),
    1,
  );
  graph.output(embedding, 'embedding');
  if (votes) addVotes(graph, votes, graph.div(sum(said), graph.scalar(said.length)));
}

/** @param said shape [n, classes]. */
function addVotes(graph: Graph, { outputKind }: VotesSpec, said: Value): void {
  const probabilities = outputKind === 'logits' ? graph.softmax(said) : said;
  const [best, classes] = graph.topK(probabilities, VOTES, 1);
  graph.output(graph.concat([graph.cast(classes, 'float32'), best], 1), 'votes');
}

/**
 * The network's input at a size: the decoded pixels, made smaller where there is a larger view. Bilinear. A wider triangle
 * costs an eighth of the whole pass and changed no result at these ratios (up to 1.3).
 */
function sizedInputs(graph: Graph, entry: EmbedderEntry, recipe: Recipe, pixels: Value): (size: number) => Value {
  const { width } = inputOf(entry, recipe);
  const { layout = 'NCHW', dtype = 'float32' } = entry.input;
  if (dtype !== 'float32') {
    throw new LabelsmithError('UNSUPPORTED', `views of ${entry.id} need an input of 32-bit floats, not ${dtype}`);
  }
  // Planes are made smaller, whatever the network takes: ONNX Runtime's `Resize` is quick on them alone.
  const planes = pixelsToModelInput(graph, pixels, { ...entry.input, layout: 'NCHW' });
  return (size) => {
    const shape = [recipe.batch, 3, size, size];
    const sized = size === width ? planes : graph.resize(planes, shape, { mode: 'linear', coordinates: 'half_pixel' });
    return layout === 'NCHW' ? sized : graph.transpose(sized, [0, 2, 3, 1]);
  };
}

/** Standard deviation over places, from the squares of what is left of the mean. */
function deviation(graph: Graph, layer: Value, mean: Value): Value {
  const rest = graph.sub(layer, mean);
  return graph.sqrt(graph.reduceMean(graph.mul(rest, rest), [2, 3]));
}

/** One row an image; a network whose rows are of another length than its entry says is refused. */
function rowsOf(graph: Graph, { id, output, dimensions, tokens }: EmbedderEntry, given: Value): Value {
  const value = tokens === undefined ? given : ofTokens(graph, given, tokens);
  const sizes = value.shape?.slice(1).filter((size) => size !== 1);
  if (sizes?.every((size) => typeof size === 'number') && sizes.reduce((a, b) => a * b, 1) !== dimensions) {
    throw new LabelsmithError(
      'BAD_MODEL',
      `${output} of ${id} is [${value.shape}], not ${dimensions} numbers an image`,
    );
  }
  return graph.reshape(value, [-1, dimensions]);
}

/** @param tokens shape [n, tokens, dimensions] */
function ofTokens(graph: Graph, tokens: Value, which: 'first' | 'mean'): Value {
  if (which === 'mean') return graph.reduceMean(tokens, [1], { keepDims: false });
  return graph.squeeze(graph.gather(tokens, graph.ints([0]), 1), [1]);
}

function addResults(
  graph: Graph,
  entry: ModelEntry,
  outputs: Readonly<Record<string, Value>>,
  layers: readonly string[],
): void {
  switch (entry.role) {
    case 'detector': {
      const { width, height } = isOpen(entry) ? { width: 1, height: 1 } : entry.input;
      const classCount = entry.classNames.length;
      const found = decode({ graph, decoder: entry.decoder, outputs, width, height, classCount });
      graph.output(found.boxes, 'boxes');
      graph.output(found.scores, 'scores');
      graph.output(found.classes, 'classes');
      return;
    }
    case 'embedder': {
      const embedding = rowsOf(graph, entry, outputs[entry.output]);
      const parts = layers.map((layer) => graph.reduceMean(outputs[layer], [2, 3], { keepDims: false }));
      graph.output(parts.length > 0 ? graph.concat([embedding, ...parts], 1) : embedding, 'embedding');
      return;
    }
    case 'classifier': {
      const scores = graph.reshape(outputs[entry.output], [-1, entry.classNames.length]);
      graph.output(entry.outputKind === 'logits' ? graph.softmax(scores) : scores, 'probabilities');
      return;
    }
    case 'segmenter': {
      for (const name of entry.values) graph.output(outputs[name], name);
      return;
    }
    case 'reader':
      graph.output(outputs[entry.map], 'map');
      return;
    case 'pose': {
      const { width, height } = entry.input;
      const points = graph.reshape(outputs[entry.output], [entry.keypointNames.length, 3]);
      const [y, x, score] = graph.split(points, [1, 1, 1], 1);
      const size = graph.constant(float32([width, height], [1, 2]), 'size');
      graph.output(graph.concat([graph.mul(graph.concat([x, y], 1), size), score], 1), 'keypoints');
      return;
    }
    default:
      entry satisfies never;
  }
}
