/**
 * What formats and people say of a region beside its class, box and shapes. Kept as it came, so that an export that has a
 * place for it can write it again. The schema is the only description: records are checked by it when they are read.
 */
import { z } from 'zod';

/** Values of free attributes, by name: `colour: "red"`, `damaged: true`. */
export const attributesSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).readonly();
export type Attributes = z.infer<typeof attributesSchema>;

export const regionDetailsSchema = z
  .object({
    /** Hard to see even for people: VOC leaves such objects out of its scores. */
    difficult: z.boolean().optional(),
    /** Cut off by the image's edge. */
    truncated: z.boolean().optional(),
    /** Partly hidden behind something else. */
    occluded: z.boolean().optional(),
    /** View of the object, in the format's own words, such as VOC's `Left`. */
    pose: z.string().optional(),
    attributes: attributesSchema.optional(),
    /** The box that was drawn, where it stands at an angle; `box` of the region is what encloses it. */
    rotatedBox: z
      .object({
        /** Centre, width and height in pixels of the upright image. */
        cx: z.number(),
        cy: z.number(),
        width: z.number().nonnegative(),
        height: z.number().nonnegative(),
        /** Clockwise as it is seen, since y points down; 0 where the width lies along x. */
        angleDegrees: z.number(),
      })
      .readonly()
      .optional(),
    /** The object's identity over the frames of a video. */
    trackId: z.string().optional(),
  })
  .readonly();
export type RegionDetails = z.infer<typeof regionDetailsSchema>;

/** A class's keypoints in their order, and which of them are joined. */
export const skeletonSchema = z
  .object({
    keypointNames: z.array(z.string()).readonly(),
    /** Pairs of indices into `keypointNames`, from 0. */
    edges: z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]).readonly()).readonly(),
  })
  .readonly();
export type Skeleton = z.infer<typeof skeletonSchema>;
