/** A tokenizer from the files that define it. */
import { readFile } from 'node:fs/promises';
import type { Tokenizer } from '@huggingface/tokenizers';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { type FetchOptions, fetchFiles } from '../../fetch/fetch.ts';
import type { Listing } from '../../fetch/hub-listing.ts';
import { fileNamed, sourceOf } from './configs.ts';

/** Of a listing that has `tokenizer.json` and `tokenizer_config.json`. */
export async function tokenizerOf(listing: Listing, options: FetchOptions): Promise<Tokenizer> {
  const files = ['tokenizer.json', 'tokenizer_config.json'].flatMap((name) => fileNamed(listing, name) ?? []);
  const [tokenizer, config] = await fetchFiles(files.map(sourceOf), options);
  return readTokenizer(tokenizer?.path ?? '', config?.path ?? '');
}

/** @param path of `tokenizer.json` @param configPath of `tokenizer_config.json` */
export async function readTokenizer(path: string, configPath: string): Promise<Tokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  try {
    const [tokenizer, config]: unknown[] = await Promise.all(
      [path, configPath].map(async (file) => JSON.parse(await readFile(file, 'utf8'))),
    );
    if (!isObject(tokenizer) || !isObject(config)) throw new Error('it is no object');
    return new Tokenizer(tokenizer, config);
  } catch (cause) {
    throw new LabelsmithError('BAD_MODEL', `${path} describes no tokenizer that is known here: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
