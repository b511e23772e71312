/** What a detector's graph hands back, in the image's own pixels. */
import { compareBoxes, type Detections } from '../../core/boxes.ts';
import { CANDIDATE_THRESHOLD, MAX_DETECTIONS } from './decoder.ts';

/** How an image was put into a detector's input: x in the image = x in the input ÷ `scaleX`. */
export interface Frame {
  /** The upright image in its own pixels. */
  readonly width: number;
  readonly height: number;
  /** Input pixels per image pixel; the two differ a little, because the letterbox rounds to whole pixels. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Size of the input in this run, of a network that takes any; else that of its entry. */
  readonly made?: { readonly width: number; readonly height: number };
}

/** Candidates in pixels of the input, side by side. */
export interface Candidates {
  /** Shape [k, 4]: x1, y1, x2, y2. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: ArrayLike<number>;
}

/** Within the image, not empty, at or above the candidate threshold, in an order that leaves nothing open. */
export function detectionsInImage({ boxes, scores, classes }: Candidates, frame: Frame): Detections {
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
