/** What a network that was trained by connectionist temporal classification says (Graves et al. 2006). */

export interface ReadText {
  readonly text: string;
  /** Mean probability of its signs, 0 to 1; 0 of no text. */
  readonly confidence: number;
}

/**
 * The best path: at each step the most probable sign, of repeated ones the first, without blanks.
 *
 * @param probabilities shape [steps, signs]
 * @param signs by their numbers; the first is the blank, whatever it is
 */
export function bestPath(probabilities: Float32Array, signs: readonly string[]): ReadText {
  let text = '';
  let sum = 0;
  let count = 0;
  let before = 0;
  for (let start = 0; start < probabilities.length; start += signs.length) {
    let best = 0;
    for (let i = 1; i < signs.length; i++) if (probabilities[start + i] > probabilities[start + best]) best = i;
    if (best !== 0 && best !== before) {
      text += signs[best];
      sum += probabilities[start + best];
      count++;
    }
    before = best;
  }
  return { text, confidence: count === 0 ? 0 : sum / count };
}
