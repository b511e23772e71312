/**
 * `detect --segment`: a mask in each box that a detector found.
 *
 * Owns what a segmenter sees of a region: the box with a margin on every side, cut to the image. A mask depends on the
 * image's bytes, the box and the segmenter.
 */
import { z } from 'zod';
import { cropsBytes, type RegionCrop, regionCrops } from '../../images/region-crops.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Segmenter } from '../../models/segmenter.ts';
import { makeShapes, type ShapeMaker, type ShapeResult, shapeStage } from './shape-stage.ts';

export interface SegmentOptions extends RunOptions {
  /** Key of the detector whose regions are meant. */
  readonly detectorKey: string;
  /** The task that holds their classes. */
  readonly task: string;
  /** Makes masks again where a segmenter has made them. */
  readonly force: boolean;
}

const SEGMENT_SETTINGS = z.object({ detectorKey: z.string(), task: z.string(), force: z.boolean() });

/** Masks for every region of a detector that has none of this segmenter. */
export const segmentStage = shapeStage({
  name: 'segment',
  settings: SEGMENT_SETTINGS,
  openMaker: async ({ workspace, threads }) => maskMaker(await workspace.models.openSegmenter({ threads })),
  queryOf: ({ detectorKey: modelKey, task, force }, { key: makerKey }) => {
    return { kind: 'mask', modelKey, makerKey, task, force };
  },
});

/** Makes masks in a workspace, see {@link segmentStage}. @param segmenter stays open */
export function segmentIn(workspace: Workspace, segmenter: Segmenter, options: SegmentOptions): Promise<ShapeResult> {
  const { detectorKey, task, force } = options;
  const settings = { detectorKey, task, force };
  const recorded = { detector: detectorKey, segmenter: segmenter.key, task, force };
  return makeShapes(segmentStage, { ...options, workspace, settings }, maskMaker(segmenter), recorded);
}

function maskMaker(segmenter: Segmenter): ShapeMaker<RegionCrop[]> {
  const boxesOf = (regions: readonly { readonly box: RegionCrop['box'] }[]) => regions.map(({ box }) => box);
  return {
    key: segmenter.key,
    bytesFor: (image, regions) => cropsBytes(image, boxesOf(regions), segmenter.input),
    crop: (bytes, image, regions) => regionCrops(bytes, image, boxesOf(regions), segmenter.input),
    shapes: (crops, image, regions) =>
      Promise.all(
        crops.map(async (crop, i) => ({
          kind: 'mask' as const,
          imageId: image.id,
          regionId: regions[i].id,
          mask: await segmenter.segment({ ...crop, imageWidth: image.width, imageHeight: image.height }),
        })),
      ),
    close: () => segmenter.close(),
  };
}
