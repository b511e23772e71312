/**
 * A pose model: a square with one person in its middle in, that person's keypoints out.
 *
 * Guarantees: what comes out depends on nothing but the pixels and the model (`key`), however many threads there are.
 */
import { float32Data } from '../onnx/tensor.ts';
import type { InputSpec } from './bundle.ts';
import { SINGLE } from './compose-model.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';

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
  const entry = await findRole(name, 'pose', options.cacheDir);
  const { key, path } = await prepareEntry(entry, SINGLE, options);
  const { width, height, pad, kernel } = entry.input;
  const { capacity, run, close } = await runOnPool(path, { key, input: entry.input }, options);
  return {
    key,
    id: entry.id,
    keypointNames: entry.keypointNames,
    input: { width, height, pad, kernel },
    capacity,
    estimate: async (pixels) => float32Data((await run(pixels)).keypoints, 'keypoints'),
    close,
  };
}
