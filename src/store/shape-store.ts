/** Keypoints and masks that stages add to regions of detectors. A part of the store's contract (`store.ts`). */
import type { Box } from '../core/boxes.ts';
import type { Keypoints, MaskRle } from '../core/dataset.ts';
import type { ImageId, RegionId } from '../core/ids.ts';
import type { ImageRecord } from '../core/image.ts';
import type { QuarantineRow } from './quarantine-store.ts';

export interface ShapeStore {
  /**
   * Images with regions that have no shape of this kind by this maker, in order of id, in pages. Keypoints are for the
   * detector's regions that no person touched. Masks are for its regions, for those that people drew or touched and for those
   * that an import brought, unless they hold a group (`crowd`). Shapes that a person or an import brought, deleted regions,
   * and images that cannot be read (no path, or in quarantine for another reason than {@link FILE_GONE}) are left out. With
   * `force`, regions whose shape any model made count as without.
   */
  shapeWork(query: ShapeQuery): AsyncIterable<readonly ShapeItem[]>;
  /** Images, not regions. */
  countShapeWork(query: ShapeQuery): Promise<number>;
  /**
   * Sets shapes of regions that are still there; other shapes of a region stay. Keypoints: where no person has touched the
   * region. A mask: where the box still is the one that it was made for, and no person or import has brought an outline.
   */
  commitShapes(shard: ShapeShard): Promise<void>;
}

/** Which regions lack a shape. */
export interface ShapeQuery {
  readonly kind: 'keypoints' | 'mask';
  /** The detector whose regions are meant. */
  readonly modelKey: string;
  /** What makes the shapes: a model's key, or a method with its settings. */
  readonly makerKey: string;
  /** Only regions that the detector gave one of these classes in this task (default: all), which no box of a person is. */
  readonly task: string;
  readonly classNames?: readonly string[];
  readonly force?: boolean;
}

export interface ShapeItem {
  readonly image: ImageRecord;
  /** In order of id. */
  readonly regions: readonly { readonly id: RegionId; readonly box: Box }[];
}

export interface ShapeShard {
  readonly makerKey: string;
  readonly shapes: readonly RegionShapeOf[];
  readonly quarantine: readonly QuarantineRow[];
}

export type RegionShapeOf =
  | {
      readonly kind: 'keypoints';
      readonly imageId: ImageId;
      readonly regionId: RegionId;
      readonly keypoints: Keypoints;
    }
  | {
      readonly kind: 'mask';
      readonly imageId: ImageId;
      readonly regionId: RegionId;
      /** What the mask was made for. */
      readonly box: Box;
      readonly mask: MaskRle;
    };
