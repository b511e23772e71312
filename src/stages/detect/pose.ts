/**
 * `detect --pose`: COCO's 17 keypoints on each person that a detector found.
 *
 * Owns what a pose model sees of a person (a square about the box, a fifth longer than its longer side, as MoveNet's own
 * cropping does) and what its scores mean. A person's keypoints depend on the image's bytes, the box and the model.
 */
import { z } from 'zod';
import type { Box } from '../../core/boxes.ts';
import type { Keypoints } from '../../core/dataset.ts';
import { regionSquares, type Square, squaresBytes } from '../../images/region-squares.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { PoseModel } from '../../models/pose.ts';
import { makeShapes, type ShapeMaker, type ShapeResult, shapeStage } from './shape-stage.ts';

/** On every side, as a share of the box's longer side. */
const MARGIN = 0.1;
/** A keypoint that scores this much is seen (visibility 2): the threshold that MoveNet's authors draw keypoints at. */
export const SEEN_SCORE = 0.3;
/** One that scores this much but less than {@link SEEN_SCORE} is guessed where it must be (visibility 1). */
export const HIDDEN_SCORE = 0.1;

export interface PoseOptions extends RunOptions {
  /** Key of the detector whose regions are meant. */
  readonly detectorKey: string;
  /** The task that holds their classes. */
  readonly task: string;
  /** What people are called in the corpus; `person` unless a mapping renames it. */
  readonly personClasses: readonly string[];
  /** Finds keypoints again where a model has found them. */
  readonly force: boolean;
}

const POSE_SETTINGS = z.object({
  /** The pose model's name. */
  model: z.string(),
  detectorKey: z.string(),
  task: z.string(),
  personClasses: z.array(z.string()).readonly(),
  force: z.boolean(),
});

/** Keypoints for every person of a detector that has none of this model. */
export const poseStage = shapeStage({
  name: 'pose',
  settings: POSE_SETTINGS,
  openMaker: async ({ workspace, settings, threads }) =>
    poseMaker(await workspace.models.openPose(settings.model, { threads })),
  queryOf: ({ detectorKey: modelKey, task, personClasses: classNames, force }, { key: makerKey }) => {
    return { kind: 'keypoints', modelKey, makerKey, task, classNames, force };
  },
});

/** Finds keypoints in a workspace, see {@link poseStage}. @param pose stays open */
export function findPosesIn(workspace: Workspace, pose: PoseModel, options: PoseOptions): Promise<ShapeResult> {
  const { detectorKey, task, personClasses, force } = options;
  const maker = poseMaker(pose);
  const settings = { model: pose.id, detectorKey, task, personClasses, force };
  const recorded = { detector: detectorKey, pose: maker.key, task, classNames: personClasses, force };
  return makeShapes(poseStage, { ...options, workspace, settings }, maker, recorded);
}

function poseMaker(pose: PoseModel): ShapeMaker<Square[]> {
  const { width: size, pad, kernel } = pose.input;
  const cutting = { size, pad, kernel, margin: MARGIN };
  return {
    key: poseMakerKey(pose.key),
    bytesFor: (image, regions) => squaresBytes(image, boxesOf(regions), cutting),
    crop: (bytes, image, regions) => regionSquares(bytes, image, boxesOf(regions), cutting),
    shapes: (squares, image, regions) =>
      Promise.all(
        squares.map(async (square, i) => ({
          kind: 'keypoints' as const,
          imageId: image.id,
          regionId: regions[i].id,
          keypoints: keypointsInImage(await pose.estimate(square.pixels), square, image),
        })),
      ),
    close: () => pose.close(),
  };
}

/** Names what makes keypoints: the model, and all that decides what it sees and what its scores mean. */
export function poseMakerKey(poseKey: string): string {
  return `${poseKey}+margin=${MARGIN},seen=${SEEN_SCORE},hidden=${HIDDEN_SCORE}`;
}

/**
 * From the model's pixels to the image's. A keypoint below {@link HIDDEN_SCORE}, or outside the image, is not there: 0, 0,
 * 0, as COCO has it.
 * @param found shape [keypoints, 3]: x, y in the square, score
 */
export function keypointsInImage(
  found: ArrayLike<number>,
  { left, top, scale }: Pick<Square, 'left' | 'top' | 'scale'>,
  { width, height }: { readonly width: number; readonly height: number },
): Keypoints {
  return Array.from({ length: found.length / 3 }, (_, i) => {
    const x = left + found[3 * i] / scale;
    const y = top + found[3 * i + 1] / scale;
    const score = found[3 * i + 2];
    const inside = x >= 0 && y >= 0 && x <= width && y <= height;
    if (!inside || !(score >= HIDDEN_SCORE)) return [0, 0, 0] as const;
    return [hundredths(x), hundredths(y), score >= SEEN_SCORE ? 2 : 1] as const;
  });
}

function boxesOf(regions: readonly { readonly box: Box }[]): Box[] {
  return regions.map(({ box }) => box);
}

/** Finer than any model is, and short in the record. */
function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
