/**
 * A detector: letterboxed pixels in, boxes in the image's own pixels out.
 *
 * Guarantees: an image's detections depend on nothing but its pixels and the model (`key`), however many threads there
 * are; they are within the image, not empty, at or above the candidate threshold, at most `MAX_DETECTIONS`, and in an
 * order that leaves nothing open: score, then class, then place.
 */

import { compareBoxes, type Detections } from '../core/boxes.ts';
import type { Tensors } from '../onnx/session.ts';
import { float32Data, int32Data } from '../onnx/tensor.ts';
import type { InputSpec } from './bundle.ts';
import { SINGLE } from './compose-model.ts';
import { CANDIDATE_THRESHOLD, MAX_DETECTIONS } from './detectors/decoder.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';

/** How an image was put into a detector's input: x in the image = x in the input ÷ `scaleX`. */
export interface Frame {
  /** The upright image in its own pixels. */
  readonly width: number;
  readonly height: number;
  /** Input pixels per image pixel; the two differ a little, because the letterbox rounds to whole pixels. */
  readonly scaleX: number;
  readonly scaleY: number;
}

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
      return toImage(await run(pixels), frame);
    },
    close,
  };
}

/** Candidates in input pixels as detections of the image. */
function toImage(results: Tensors, frame: Frame): Detections {
  const boxes = float32Data(results.boxes, 'boxes');
  const scores = float32Data(results.scores, 'scores');
  const classes = int32Data(results.classes, 'classes');
  const { width, height, scaleX, scaleY } = frame;
  const found: { score: number; label: number; box: readonly number[] }[] = [];
  for (const [i, score] of scores.entries()) {
    if (!(score >= CANDIDATE_THRESHOLD)) continue;
    const corner = (j: number, scale: number, most: number) =>
      Math.fround(Math.min(Math.max(boxes[4 * i + j] / scale, 0), most));
    const box = [
      corner(0, scaleX, width),
      corner(1, scaleY, height),
      corner(2, scaleX, width),
      corner(3, scaleY, height),
    ];
    if (box[2] > box[0] && box[3] > box[1]) {
      found.push({ score: Math.min(score, 1), label: classes[i], box });
    }
  }
  found.sort((a, b) => b.score - a.score || a.label - b.label || compareBoxes(a.box, b.box));
  const kept = found.slice(0, MAX_DETECTIONS);
  return {
    count: kept.length,
    boxes: Float32Array.from(kept.flatMap(({ box }) => box)),
    scores: Float32Array.from(kept, ({ score }) => score),
    classes: Int32Array.from(kept, ({ label }) => label),
  };
}
