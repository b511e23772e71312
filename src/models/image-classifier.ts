/**
 * An image classifier of the catalogue or imported: an image in, a probability a class out. One image runs at a time, so
 * what it says of an image depends on its pixels and the model alone.
 */
import { float32Data } from '../onnx/tensor.ts';
import { defaultRecipe, inputOf } from './compose-model.ts';
import type { Embedder } from './embedder.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';

export interface ImageClassifier {
  readonly id: string;
  /** The model's id and the hash of its final graph. */
  readonly key: string;
  readonly classNames: readonly string[];
  readonly input: Embedder['input'];
  /** `pixels`: shape [height, width, 3], RGB. Gives shape [classes], sums to 1. */
  classify(pixels: Uint8Array): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openImageClassifier(name: string, options: OpenOptions = {}): Promise<ImageClassifier> {
  const entry = await findRole(name, 'classifier', options.cacheDir);
  const recipe = { ...defaultRecipe(entry), batch: 1 };
  const { key, path } = await prepareEntry(entry, recipe, options);
  const input = inputOf(entry, recipe);
  const { run, close } = await runOnPool(path, { key, input }, options);
  return {
    id: entry.id,
    key,
    classNames: entry.classNames,
    input,
    classify: async (pixels) => float32Data((await run(pixels)).probabilities, 'probabilities'),
    close,
  };
}
