/** Keypoints and masks that stages add to regions of detectors. A part of the store's contract (`store.ts`). */
import type { Box } from '../core/boxes.ts';
import type { Keypoints, MaskRle } from '../core/dataset.ts';
import type { ImageId, RegionId } from '../core/ids.ts';
import type { ImageRecord } from '../core/image.ts';
import type { QuarantineRow } from './quarantine-store.ts';

export interface ShapeStore {
  /**
   * Images with a detector's regions that have no shape of this kind by this maker, in order of id, in pages. Regions
   * that a person touched or deleted, shapes that a person or an import brought, and images that cannot be read (no
   * path, or in quarantine for another reason than {@link FILE_GONE}) are left out. With `force`, regions whose shape any
   * model made count as without.
   */
  shapeWork(query: ShapeQuery): AsyncIterable<readonly ShapeItem[]>;
  /** Images, not regions. */
  countShapeWork(query: ShapeQuery): Promise<number>;
  /** Sets shapes of regions that are still there and that no person has touched; other shapes of a region stay. */
  commitShapes(shard: ShapeShard): Promise<void>;
}

/** Which regions lack a shape. */
export interface ShapeQuery {
  readonly kind: 'keypoints' | 'mask';
  /** The detector whose regions are meant. */
  readonly modelKey: string;
  /** What makes the shapes: a model's key, or a method with its settings. */
  readonly makerKey: string;
  /** Only regions that the detector gave one of these classes in this task (default: all). */
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
  | { readonly kind: 'mask'; readonly imageId: ImageId; readonly regionId: RegionId; readonly mask: MaskRle };
