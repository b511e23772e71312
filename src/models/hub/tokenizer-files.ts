/** A tokenizer from the files that define it. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { type FetchOptions, fetchFiles } from '../../fetch/fetch.ts';
import type { Listing } from '../../fetch/hub-listing.ts';
import { fileNamed, sourceOf } from './configs.ts';

export interface TextTokenizer {
  /** Ids of a text with whatever the tokenizer puts around it. */
  idsOf(text: string): readonly number[];
  /** Undefined where it has no such token. */
  idOf(token: string): number | undefined;
}

/** Of a listing that has `tokenizer.json` and `tokenizer_config.json`. */
export async function tokenizerOf(listing: Listing, options: FetchOptions): Promise<TextTokenizer> {
  const files = ['tokenizer.json', 'tokenizer_config.json'].flatMap((name) => fileNamed(listing, name) ?? []);
  const [tokenizer, config] = await fetchFiles(files.map(sourceOf), options);
  return readTokenizer(tokenizer?.path ?? '', config?.path ?? '');
}

const STEP = z.looseObject({ type: z.string(), lowercase: z.boolean().optional() });
const FILE = z.looseObject({
  normalizer: STEP.extend({ normalizers: z.array(STEP).optional() }).nullish(),
});

/** @param path of `tokenizer.json` @param configPath of `tokenizer_config.json` */
export async function readTokenizer(path: string, configPath: string): Promise<TextTokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  try {
    const [text, configText] = await Promise.all([readFile(path, 'utf8'), readFile(configPath, 'utf8')]);
    const file = FILE.parse(JSON.parse(text));
    const tokenizer = new Tokenizer(file, z.looseObject({}).parse(JSON.parse(configText)));
    const { normalizer } = file;
    const steps = [...(normalizer ? [normalizer] : []), ...(normalizer?.normalizers ?? [])];
    const lowers = steps.some(({ type, lowercase }) => type === 'Lowercase' || lowercase === true);
    return {
      // JavaScript makes a final Σ another letter than the tokenizers that networks were trained with.
      idsOf: (one) => tokenizer.encode(lowers ? one.replaceAll('Σ', 'σ') : one).ids,
      idOf: (token) => tokenizer.token_to_id(token),
    };
  } catch (cause) {
    throw new LabelsmithError('BAD_MODEL', `${path} describes no tokenizer that is known here: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Each letter by itself, whatever stands around it. */
export function lowerCased(text: string): string {
  return Array.from(text, (letter) => letter.toLowerCase()).join('');
}
