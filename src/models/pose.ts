/**
 * A pose model: a square with one person in its middle in, that person's keypoints out.
 *
 * Guarantees: what comes out depends on nothing but the pixels and the model (`key`), however many threads there are.
 */
import { LabelsmithError } from '../errors.ts';
import { InferencePool } from '../math/pool.ts';
import type { InputSpec } from './catalogue.ts';
import { SINGLE } from './compose-model.ts';
import type { OpenOptions } from './detector.ts';
import { prepareEntry } from './prepare.ts';
import { findEntry } from './registry.ts';

export interface PoseModel {
  /** Says what made keypoints: the model's id and the hash of its final graph. */
  readonly key: string;
  readonly id: string;
  readonly keypointNames: readonly string[];
  /** Pixels, and how people are brought to them. */
  readonly input: Pick<InputSpec, 'width' | 'height' | 'pad' | 'kernel'>;
  /** Crops that are worth having under way at once. */
  readonly capacity: number;
  /**
   * `pixels`: shape [height, width, 3], RGB. They may be reused when the promise settles. Gives shape [keypoints, 3]: x and
   * y in pixels of the input, and a score from 0 to 1.
   */
  estimate(pixels: Uint8Array): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openPose(name: string, options: OpenOptions = {}): Promise<PoseModel> {
  const entry = await findEntry(name, options.cacheDir);
  if (entry.role !== 'pose') {
    throw new LabelsmithError('USAGE', `model ${name} is a ${entry.role}, not a pose model`, {
      hint: '`labelsmith models list` shows which models find keypoints.',
    });
  }
  const { key, path } = await prepareEntry(entry, SINGLE, options);
  const pool = options.pool ?? (await InferencePool.create({ threads: options.threads }));
  const { width, height, pad, kernel } = entry.input;
  const dims = [1, height, width, 3];
  try {
    const model = await pool.load(path, { key });
    return {
      key,
      id: entry.id,
      keypointNames: entry.keypointNames,
      input: { width, height, pad, kernel },
      capacity: pool.capacity,
      async estimate(pixels) {
        const { keypoints } = await pool.run(model, { pixels: { dtype: 'uint8', data: pixels, dims } });
        return keypoints?.data as Float32Array;
      },
      close: () => (options.pool ? pool.unload(model) : pool.close()),
    };
  } catch (error) {
    if (!options.pool) await pool.close();
    throw error;
  }
}
