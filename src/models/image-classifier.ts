/**
 * An image classifier of the catalogue or imported: an image in, a probability a class out. One image runs at a time, so
 * what it says of an image depends on its pixels and the model alone.
 */
import { LabelsmithError } from '../errors.ts';
import { InferencePool } from '../math/pool.ts';
import { defaultRecipe, inputOf } from './compose-model.ts';
import type { OpenOptions } from './detector.ts';
import type { Embedder } from './embedder.ts';
import { prepareEntry } from './prepare.ts';
import { findEntry } from './registry.ts';

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
  const entry = await findEntry(name, options.cacheDir);
  if (entry.role !== 'classifier') {
    throw new LabelsmithError('USAGE', `model ${name} is a ${entry.role}, not a classifier`, {
      hint: '`labelsmith models import FILE.onnx --role classifier --class-names FILE` adds one.',
    });
  }
  const recipe = { ...defaultRecipe(entry), batch: 1 };
  const { key, path } = await prepareEntry(entry, recipe, options);
  const pool = options.pool ?? (await InferencePool.create({ threads: options.threads }));
  const input = inputOf(entry, recipe);
  const dims = [1, input.height, input.width, 3];
  try {
    const model = await pool.load(path, { key });
    return {
      id: entry.id,
      key,
      classNames: entry.classNames,
      input,
      classify: async (data) =>
        (await pool.run(model, { pixels: { dtype: 'uint8', data, dims } })).probabilities?.data as Float32Array,
      close: () => (options.pool ? pool.unload(model) : pool.close()),
    };
  } catch (error) {
    if (!options.pool) await pool.close();
    throw error;
  }
}
