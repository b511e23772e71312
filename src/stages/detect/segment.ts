/**
 * `detect --segment`: a mask in each box that a detector found, that people drew or that an import brought.
 *
 * Owns what a segmenter sees: of a region the box with a margin on every side, cut to the image; or, of a network of the hub, the
 * image, once. A mask depends on the image's bytes, the box and the segmenter.
 */
import { z } from 'zod';
import type { MaskRle } from '../../core/dataset.ts';
import { inputBytes } from '../../core/pillow.ts';
import { decodeForModel } from '../../images/pillow/decode.ts';
import { cropsBytes, regionCrops } from '../../images/region-crops.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { BoxSegmenter } from '../../models/box-segmenter.ts';
import type { Models, OpenModelOptions } from '../../models/models.ts';
import type { Segmenter } from '../../models/segmenter.ts';
import { makeShapes, type ShapeMaker, type ShapeRegions, type ShapeResult, shapeStage } from './shape-stage.ts';

export interface SegmentOptions extends RunOptions {
  /** Key of the detector whose regions are meant. */
  readonly detectorKey: string;
  /** The task that holds their classes. */
  readonly task: string;
  /** Makes masks again where a segmenter has made them. */
  readonly force: boolean;
}

const SEGMENT_SETTINGS = z.object({
  detectorKey: z.string(),
  task: z.string(),
  force: z.boolean(),
  /** The name of a model of masks; by colours and a graph cut where none is named. */
  model: z.string().optional(),
});

/** Masks for every region of a detector, of people and of imports that has none of this segmenter and no outline of theirs. */
export const segmentStage = shapeStage({
  name: 'segment',
  settings: SEGMENT_SETTINGS,
  openMaker: async ({ workspace: { models }, settings: { model }, threads }) =>
    makerOf(await openAnySegmenter(models, model, { threads })),
  queryOf: ({ detectorKey: modelKey, task, force }, { key: makerKey }) => {
    return { kind: 'mask', modelKey, makerKey, task, force };
  },
});

/** A model of masks by its name, or what needs none. */
export function openAnySegmenter(
  models: Pick<Models, 'openSegmenter' | 'openBoxSegmenter'>,
  model: string | undefined,
  options: Pick<OpenModelOptions, 'threads'>,
): Promise<Segmenter | BoxSegmenter> {
  return model === undefined ? models.openSegmenter(options) : models.openBoxSegmenter(model, options);
}

/** Makes masks in a workspace, see {@link segmentStage}. @param segmenter stays open */
export function segmentIn(
  workspace: Workspace,
  segmenter: Segmenter | BoxSegmenter,
  options: SegmentOptions,
): Promise<ShapeResult> {
  const { detectorKey, task, force } = options;
  const model = 'masks' in segmenter ? { model: segmenter.id } : {};
  const settings = { detectorKey, task, force, ...model };
  const recorded = { detector: detectorKey, segmenter: segmenter.key, task, force };
  return makeShapes(segmentStage, { ...options, workspace, settings }, makerOf(segmenter), recorded);
}

/** Makes the masks of an image, in the order of its regions, of what was cut out of it. */
type MaskMaking = () => Promise<readonly MaskRle[]>;

function makerOf(segmenter: Segmenter | BoxSegmenter): ShapeMaker<MaskMaking> {
  const cutting = 'masks' in segmenter ? wholeImage(segmenter) : cropsOfBoxes(segmenter);
  return {
    key: segmenter.key,
    ...cutting,
    async shapes(make, image, regions) {
      const masks = await make();
      return masks.map((mask, i) => {
        const { id: regionId, box } = regions[i];
        return { kind: 'mask', imageId: image.id, regionId, box, mask };
      });
    },
    close: () => segmenter.close(),
  };
}

type Cutting = Pick<ShapeMaker<MaskMaking>, 'bytesFor' | 'crop'>;

function cropsOfBoxes(segmenter: Segmenter): Cutting {
  const boxesOf = (regions: ShapeRegions) => regions.map(({ box }) => box);
  return {
    bytesFor: (image, regions) => cropsBytes(image, boxesOf(regions), segmenter.input),
    async crop(bytes, image, regions) {
      const crops = await regionCrops(bytes, image, boxesOf(regions), segmenter.input);
      const size = { imageWidth: image.width, imageHeight: image.height };
      return () => Promise.all(crops.map((crop) => segmenter.segment({ ...crop, ...size })));
    },
  };
}

/** What a network makes of one image, roughly: 17 MB of SAM 2, and as much again on its way between threads. */
const SEEN_BYTES = 2 * 17_000_000;

function wholeImage(segmenter: BoxSegmenter): Cutting {
  return {
    bytesFor: ({ width, height }) => 3 * width * height + inputBytes(segmenter.input) + SEEN_BYTES,
    async crop(bytes, _image, regions) {
      const { pixels, ...frame } = await decodeForModel(bytes, segmenter.input);
      const boxes = regions.map(({ box }) => box);
      return () => segmenter.masks(pixels, frame, boxes);
    },
  };
}
