/**
 * Graphs of detectors whose classes are words: words are an input beside the pixels, so that one graph serves any of them, and
 * what an image needs is computed for every image and what words need once.
 */
import { LabelsmithError } from '../errors.ts';
import { inlineModel } from '../onnx/compose.ts';
import { Graph } from '../onnx/ops.ts';
import { float32 } from '../onnx/tensor.ts';
import type { Value } from '../onnx/value.ts';
import type { DetectorEntry } from './bundle.ts';
import { wholeImageMask } from './compose-mask.ts';
import { PHRASE_TOKENS } from './detectors/phrases.ts';
import { inspectNetwork } from './inspect.ts';

/** Inputs of a composed detector besides `pixels`, and of its text graph. */
export const WORD_INPUTS = {
  vectors: 'word_vectors',
  ids: 'input_ids',
  mask: 'attention_mask',
  types: 'token_type_ids',
};

interface WordFeeds {
  /** Values of the network by name. */
  readonly feeds: Readonly<Record<string, Value>>;
  /** What its decoder reads besides the network's outputs. */
  readonly decoded: Readonly<Record<string, Value>>;
}

/** Adds the inputs of words. @param pixels the network's own input of the image, [1, 3, height, width] */
export function addWordInputs(graph: Graph, entry: DetectorEntry, network: Uint8Array, pixels: Value): WordFeeds {
  const { words } = entry;
  if (!words) return { feeds: {}, decoded: {} };
  const { inputs } = inspectNetwork(network);
  const takes = (name: string) => inputs.some((input) => input.name === name);
  const picked = (values: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => takes(name)));
  switch (words.kind) {
    case 'vectors': {
      const vectors = graph.input(WORD_INPUTS.vectors, 'float32', [1, 'words', 'dimensions']);
      // What is left of the ids is how many there are, and that none of them is filling.
      const count = graph.slice(graph.op('Shape', [vectors]), [1], [2], [0]);
      const shape = graph.concat([count, graph.ints([tokensOf(entry)])], 0);
      const ones = graph.expand(graph.scalar(1, 'int64'), shape);
      const feeds = picked({ [WORD_INPUTS.ids]: ones, [WORD_INPUTS.mask]: ones });
      return { feeds: { ...feeds, [words.vectors]: vectors }, decoded: {} };
    }
    case 'sentence': {
      const tokens = () => [1, 'tokens'];
      const given = [WORD_INPUTS.ids, WORD_INPUTS.mask, WORD_INPUTS.types].filter(takes);
      const feeds = Object.fromEntries(given.map((name) => [name, graph.input(name, 'int64', tokens())]));
      const phrases = graph.input(PHRASE_TOKENS, 'int64', ['classes', 'longest']);
      const seen = wholeImageMask(graph, inputs, pixels);
      return { feeds: { ...feeds, ...seen }, decoded: { [PHRASE_TOKENS]: phrases } };
    }
    default:
      return words satisfies never;
  }
}

/**
 * A graph from token ids (`input_ids` and `attention_mask`, [words, tokens]) to `vectors` [words, dimensions], of a network
 * that takes an image too: a black one, whose part the runtime works out when the graph is loaded, if at all.
 */
export function composeWordVectors(entry: DetectorEntry, network: Uint8Array): Uint8Array {
  const { id, words, input } = entry;
  if (words?.kind !== 'vectors') throw new LabelsmithError('UNSUPPORTED', `${id} makes no vectors of words`);
  const graph = new Graph(`${id}:text`);
  const rows = () => ['words', tokensOf(entry)];
  const ids = graph.input(WORD_INPUTS.ids, 'int64', rows());
  const mask = graph.input(WORD_INPUTS.mask, 'int64', rows());
  const { width, height } = input;
  const black = graph.constant(float32(new Float32Array(3 * height * width), [1, 3, height, width]), 'black');
  const feeds = { [input.name]: black, [WORD_INPUTS.ids]: ids, [WORD_INPUTS.mask]: mask };
  const outputs = inlineModel(graph, network, { prefix: 'network', feeds, outputs: [words.vectors] });
  graph.output(graph.squeeze(outputs[words.vectors], [0]), 'vectors');
  return graph.toModel();
}

/** Tokens that a word is filled up to. */
function tokensOf({ id, graphs }: DetectorEntry): number {
  const takes = graphs?.text?.takes;
  if (takes?.kind !== 'text') throw new LabelsmithError('BAD_MODEL', `${id} has no tokenizer`);
  return takes.processor.maxTokens;
}
