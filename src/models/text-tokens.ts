/** From a text to the token ids that a network takes. */
import type { EmbedderEntry } from './bundle.ts';
import { lowerCased, type TextTokenizer } from './hub/tokenizer-files.ts';

export type TextProcessor = Extract<
  NonNullable<EmbedderEntry['graphs']>[string]['takes'],
  { kind: 'text' }
>['processor'];

/** A text as token ids: cut before its end token, ended, and filled up where the network wants that. */
export function tokensOf(
  text: string,
  tokenizer: Pick<TextTokenizer, 'idsOf'>,
  { maxTokens, padId, endId, lowerCase }: TextProcessor,
): number[] {
  const ids = tokenizer.idsOf(lowerCase ? lowerCased(text) : text);
  const whole = endId === undefined || ids.at(-1) === endId ? ids : [...ids, endId];
  const last = whole.at(-1);
  const cut = whole.length <= maxTokens || last === undefined ? [...whole] : [...whole.slice(0, maxTokens - 1), last];
  if (padId === null) return cut;
  return [...cut, ...Array.from({ length: maxTokens - cut.length }, () => padId)];
}
