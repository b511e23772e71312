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
import { isOpen, SINGLE } from './compose-model.ts';
import { detectionsInImage, type Frame } from './detectors/in-image.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';
import type { Vocabulary } from './vocabulary.ts';

export type { Frame } from './detectors/in-image.ts';

export interface Detector {
  /** Says what made a detection: the model's id and the hash of its final graph. */
  readonly key: string;
  readonly id: string;
  /** By index of `Detections.classes`. */
  readonly classNames: readonly string[];
  /** What it was told to find, where its classes are words. */
  readonly vocabulary?: Vocabulary;
  /** Pixels; the image, scaled with `kernel` or as `pillow` says, stands at the top left, the rest is `pad` (RGB, 0 to 255). */
  readonly input: Pick<InputSpec, 'width' | 'height' | 'pad' | 'kernel' | 'pillow'>;
  /** Images that are worth having under way at once. */
  readonly capacity: number;
  /**
   * `pixels`: shape [height, width, 3] of the input, or of the frame's `made`; RGB, bytes or the bytes of 32-bit floats, as
   * {@link pixelTypeOf} says. They may be reused when the promise settles.
   */
  detect(pixels: Uint8Array, frame: Frame): Promise<Detections>;
  close(): Promise<void>;
}

export interface OpenDetectorOptions extends OpenOptions {
  /** What to find, of a detector whose classes are words; another has its own classes and leaves it alone. */
  readonly vocabulary?: Vocabulary;
}

export async function openDetector(name: string, options: OpenDetectorOptions = {}): Promise<Detector> {
  const { vocabulary } = options;
  const entry = await findRole(name, 'detector', options.cacheDir);
  if (entry.words && !vocabulary) throw (await import('./vocabulary.ts')).noWords(entry.id);
  const prepared = await prepareEntry(entry, SINGLE, options);
  const words =
    entry.words && vocabulary
      ? await (await import('./vocabulary.ts')).wordFeeds(entry, vocabulary, options)
      : undefined;
  const key = words ? `${prepared.key}+${words.key}` : prepared.key;
  const { width, height, pad, kernel, pillow } = entry.input;
  const { capacity, run, close } = await runOnPool(prepared.path, { key: prepared.key, input: entry.input }, options);
  const open = isOpen(entry);
  return {
    key,
    id: entry.id,
    classNames: words && vocabulary ? vocabulary.classNames : entry.classNames,
    ...(words && vocabulary ? { vocabulary } : {}),
    input: { width, height, pad, kernel, ...(pillow ? { pillow } : {}) },
    capacity,
    async detect(pixels, frame) {
      const size = frame.made ?? { width, height };
      const { boxes, scores, classes } = await run(pixels, { size, feeds: words?.feeds });
      const found = float32Data(boxes, 'boxes');
      return detectionsInImage(
        {
          boxes: open ? found.map((share, i) => share * (i % 2 === 0 ? size.width : size.height)) : found,
          scores: float32Data(scores, 'scores'),
          classes: int32Data(classes, 'classes'),
        },
        frame,
      );
    },
    close,
  };
}
