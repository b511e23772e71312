/**
 * Grounding DINO (Liu et al. 2023, arXiv 2303.05499): every query has a box and, a token of the sentence, how well that token
 * says what is in it. A class is the tokens of its name; it scores what its best token scores, as in Python's transformers.
 */
import { boxesFromCentres } from '../../onnx/boxes-graph.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';

type Phrases = Extract<Decoder, { kind: 'phrases' }>;

/** The input that says which tokens are a class: [classes, tokens of the longest], shorter ones filled up with their own. */
export const PHRASE_TOKENS = 'phrase_tokens';

export function decodePhrases({ graph: g, decoder, outputs, width, height }: DecodeContext<Phrases>): Candidates {
  const size = g.constant(float32([width, height, width, height], [1, 4]), 'size');
  const boxes = g.mul(boxesFromCentres(g, g.reshape(outputs[decoder.boxes], [-1, 4])), size);
  const tokens = g.gather(g.squeeze(outputs[decoder.logits], [0]), outputs[PHRASE_TOKENS], 1);
  const [best, classes] = g.topK(g.reduceMax(tokens, [2], { keepDims: false }), 1, 1);
  return {
    boxes,
    scores: g.sigmoid(g.reshape(best, [-1])),
    classes: g.cast(g.reshape(classes, [-1]), 'int32'),
  };
}
