/** A detector's candidates against the boxes of a truth. Resident: 33 bytes a candidate whose class the truth names. */
import type { Detections } from '../../core/boxes.ts';
import { DetectionEvaluation, type DetectionMetrics, type TruthBoxes } from '../../math/metrics/detection.ts';
import type { CandidateSource } from './evaluation.ts';
import { BOX_FIELDS, type Truth, type TruthImage } from './ground-truth.ts';
import { type ClassNames, type ImageColumns, NONE, offerPrediction } from './image-columns.ts';

/** One pass over the candidates: detection metrics where TRUTH has boxes, guesses at the images' classes where asked. */
export async function collectCandidates(
  truth: Truth,
  source: CandidateSource | null,
  names: ClassNames,
  columns: ImageColumns,
): Promise<{ metrics: DetectionMetrics | null; missing: number }> {
  const wanted = source !== null && (truth.boxes > 0 || source.asGuess);
  if (!wanted) return { metrics: null, missing: 0 };
  const evaluation = new DetectionEvaluation();
  const indexOf = source.classNames.map((name) => names.find(name));
  const seen = new Uint8Array(truth.images.size);
  let count = 0;
  for await (const page of source.pages) {
    for (const { imageId, detections } of page) {
      const image = truth.images.get(imageId);
      if (!image) continue;
      seen[image.order] = 1;
      count++;
      if (truth.boxes > 0) {
        const classes = Int32Array.from(detections.classes, (c) => indexOf[c] ?? NONE);
        evaluation.add(image.order, truthBoxes(image), { ...detections, classes });
      }
      const best = source.asGuess ? mostConfident(detections) : NONE;
      if (best >= 0) {
        offerPrediction(
          columns,
          image,
          names.add(source.classNames[detections.classes[best]]),
          detections.scores[best],
        );
        columns.named = true;
      }
    }
  }
  if (count === 0 || truth.boxes === 0) return { metrics: null, missing: 0 };
  const nothing = { count: 0, boxes: [], scores: [], classes: [] };
  for (const image of truth.images.values()) {
    if (!seen[image.order]) evaluation.add(image.order, truthBoxes(image), nothing);
  }
  return { metrics: evaluation.result(), missing: truth.images.size - count };
}

function mostConfident(detections: Detections): number {
  let best = NONE;
  for (let i = 0; i < detections.count; i++) {
    if (best < 0 || detections.scores[i] > detections.scores[best]) best = i;
  }
  return best;
}

function truthBoxes({ boxes }: TruthImage): TruthBoxes {
  const count = boxes.length / BOX_FIELDS;
  const column = (field: number) => Float64Array.from({ length: count }, (_, i) => boxes[i * BOX_FIELDS + field]);
  return {
    count,
    boxes: Float64Array.from({ length: 4 * count }, (_, i) => boxes[Math.floor(i / 4) * BOX_FIELDS + (i % 4)]),
    areas: column(4),
    classes: column(5),
    crowds: column(6),
  };
}
