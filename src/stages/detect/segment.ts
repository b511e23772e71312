/**
 * `detect --segment`: a mask in each box that a detector found.
 *
 * Owns what a segmenter sees of a region: the box with a margin on every side, cut to the image. A mask depends on the
 * image's bytes, the box and the segmenter.
 */
import { PixelBudget } from '../../images/pixel-budget.ts';
import { cropsBytes, type RegionCrop, regionCrops } from '../../images/region-crops.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Segmenter } from '../../models/segmenter.ts';
import { runShapeStage, type ShapeResult, type ShapeStageEffects } from './shape-stage.ts';

export interface SegmentOptions extends RunOptions {
  /** Key of the detector whose regions are meant. */
  readonly detectorKey: string;
  /** The task that holds their classes. */
  readonly task: string;
  /** Makes masks again where a segmenter has made them. */
  readonly force: boolean;
}

export interface SegmentEffects extends ShapeStageEffects {
  readonly segmenter: Pick<Segmenter, 'key' | 'input' | 'segment'>;
}

/** Makes masks in a workspace, see {@link segment}. */
export function segmentIn(workspace: Workspace, segmenter: Segmenter, options: SegmentOptions): Promise<ShapeResult> {
  return segment({ store: workspace.store, readBytes: originalBytes(workspace), segmenter }, options);
}

/** Masks for every region of a detector that has none of this segmenter. */
export function segment(effects: SegmentEffects, options: SegmentOptions): Promise<ShapeResult> {
  const { segmenter } = effects;
  const { detectorKey: modelKey, task, force } = options;
  const makerKey = segmenter.key;
  const budget = new PixelBudget();
  const boxesOf = (regions: readonly { readonly box: RegionCrop['box'] }[]) => regions.map(({ box }) => box);
  return runShapeStage<RegionCrop[]>(
    effects,
    {
      stage: 'segment',
      query: { kind: 'mask', modelKey, makerKey, task, force },
      settings: { detector: modelKey, segmenter: makerKey, task, force },
      within: (image, regions, work) => budget.run(cropsBytes(image, boxesOf(regions), segmenter.input), work),
      cut: (bytes, image, regions) => regionCrops(bytes, image, boxesOf(regions), segmenter.input),
      shapes: (crops, image, regions) =>
        Promise.all(
          crops.map(async (crop, i) => ({
            kind: 'mask' as const,
            imageId: image.id,
            regionId: regions[i].id,
            mask: await segmenter.segment({ ...crop, imageWidth: image.width, imageHeight: image.height }),
          })),
        ),
    },
    options,
  );
}
