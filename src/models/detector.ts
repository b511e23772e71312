/**
 * A detector: letterboxed pixels in, boxes in the image's own pixels out.
 *
 * Guarantees: an image's detections depend on nothing but its pixels and the model (`key`), however many threads there
 * are; they are within the image, not empty, at or above the candidate threshold, at most `MAX_DETECTIONS`, and in an
 * order that leaves nothing open: score, then class, then place.
 */

import type { Detections } from '../core/boxes.ts';
import { float32Data, int32Data } from '../onnx/tensor.ts';
import type { InputSpec } from './bundle.ts';
import { SINGLE } from './compose-model.ts';
import { detectionsInImage, type Frame } from './detectors/in-image.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';

export type { Frame } from './detectors/in-image.ts';

export interface Detector {
  /** Says what made a detection: the model's id and the hash of its final graph. */
  readonly key: string;
  readonly id: string;
  /** By index of `Detections.classes`. */
  readonly classNames: readonly string[];
  /** Pixels; the image, scaled with `kernel`, stands at the top left, the rest is `pad` (RGB, 0 to 255). */
  readonly input: Pick<InputSpec, 'width' | 'height' | 'pad' | 'kernel' | 'pillow'>;
  /** Images that are worth having under way at once. */
  readonly capacity: number;
  /** `pixels`: shape [height, width, 3], RGB. They may be reused when the promise settles. */
  detect(pixels: Uint8Array, frame: Frame): Promise<Detections>;
  close(): Promise<void>;
}

export async function openDetector(name: string, options: OpenOptions = {}): Promise<Detector> {
  const entry = await findRole(name, 'detector', options.cacheDir);
  const { key, path } = await prepareEntry(entry, SINGLE, options);
  const { width, height, pad, kernel, pillow } = entry.input;
  const { capacity, run, close } = await runOnPool(path, { key, input: entry.input }, options);
  return {
    key,
    id: entry.id,
    classNames: entry.classNames,
    input: { width, height, pad, kernel, ...(pillow ? { pillow } : {}) },
    capacity,
    async detect(pixels, frame) {
      const { boxes, scores, classes } = await run(pixels);
      return detectionsInImage(
        {
          boxes: float32Data(boxes, 'boxes'),
          scores: float32Data(scores, 'scores'),
          classes: int32Data(classes, 'classes'),
        },
        frame,
      );
    },
    close,
  };
}
