/** How good a detector that was taught classes is at them: COCO's metrics on images that it has not seen. */
import { sha256Hex } from '../../../core/ids.ts';
import { decodeLetterboxed } from '../../../images/decode.ts';
import { originalBytes, readImageIfThere } from '../../../jobs/image-reader.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { DetectionEvaluation, type TruthBoxes } from '../../../math/metrics/detection.ts';
import { composeModel, SINGLE } from '../../../models/compose-model.ts';
import { detectionsInImage } from '../../../models/detectors/in-image.ts';
import type { ExtendedDetector, TunableDetector } from '../../../models/tuning/detector/tunable-detector.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { float32Data, int32Data, uint8 } from '../../../onnx/tensor.ts';
import type { AnnotatedBox, AnnotatedImage } from './annotated-images.ts';

/** Fractions, 0 to 1; null where no box is in question. */
export interface DetectorScores {
  readonly mAP: number | null;
  readonly AP50: number | null;
  readonly perClass: readonly {
    readonly className: string;
    readonly boxes: number;
    readonly AP50: number | null;
    /** Of the detector before it was taught, on the same images; absent for a class that it did not know. */
    readonly before?: number | null;
  }[];
}

export interface ScoreRequest {
  readonly detector: TunableDetector;
  readonly extended: ExtendedDetector;
  readonly classNames: readonly string[];
  readonly images: readonly AnnotatedImage[];
  readonly signal?: AbortSignal;
}

/** The same with what the detector came to before, for classes that it knew and was taught anew. */
export async function scoresBeside(
  pool: InferencePool,
  workspace: Workspace,
  request: ScoreRequest,
): Promise<DetectorScores> {
  const scores = await scoresOn(pool, workspace, request);
  const { asItWas } = request.detector;
  const known = new Set(asItWas.entry.classNames);
  if (!request.classNames.some((name) => known.has(name))) return scores;
  const { perClass } = await scoresOn(pool, workspace, { ...request, extended: asItWas });
  const before = new Map(perClass.map(({ className, AP50 }) => [className, AP50]));
  return {
    ...scores,
    perClass: scores.perClass.map((one) =>
      known.has(one.className) ? { ...one, before: before.get(one.className) ?? null } : one,
    ),
  };
}

async function scoresOn(
  pool: InferencePool,
  workspace: Workspace,
  { detector, extended, classNames, images, signal }: ScoreRequest,
): Promise<DetectorScores> {
  const { input, source } = detector.entry;
  const entry = { ...extended.entry, source };
  const model = await pool.load(composeModel(entry, extended.network, SINGLE), {
    key: `taught:${sha256Hex(extended.network)}`,
  });
  const readBytes = originalBytes(workspace);
  const evaluation = new DetectionEvaluation();
  const indexOf = extended.entry.classNames.map((name) => classNames.indexOf(name));
  for (const [order, { id, boxes }] of images.entries()) {
    signal?.throwIfAborted();
    const bytes = await readImageIfThere(workspace.store, id, readBytes);
    if (!bytes) continue;
    const { pixels, ...frame } = await decodeLetterboxed(bytes, input);
    const found = await pool.run(model, { pixels: uint8(pixels, [1, input.height, input.width, 3]) });
    const detections = detectionsInImage(
      {
        boxes: float32Data(found.boxes, 'boxes'),
        scores: float32Data(found.scores, 'scores'),
        classes: int32Data(found.classes, 'classes'),
      },
      frame,
    );
    const classes = Int32Array.from(detections.classes, (one) => indexOf[one] ?? -1);
    evaluation.add(order, truthOf(boxes), { ...detections, classes });
  }
  await pool.unload(model);
  const { mAP, AP50, perClass } = evaluation.result();
  return {
    mAP,
    AP50,
    perClass: classNames.map((className, index) => {
      const found = perClass.find(({ classIndex }) => classIndex === index);
      return { className, boxes: found?.groundTruth ?? 0, AP50: found?.AP50 ?? null };
    }),
  };
}

function truthOf(boxes: readonly AnnotatedBox[]): TruthBoxes {
  return {
    count: boxes.length,
    boxes: boxes.flatMap(({ box }) => [...box]),
    classes: boxes.map((one) => one.class),
    areas: boxes.map(({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1)),
    crowds: boxes.map(({ crowd }) => Number(crowd)),
  };
}
