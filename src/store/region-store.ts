/** Regions that people and imports bring, and tombstones. A part of the store's contract (`store.ts`). */
import type { Box } from '../core/boxes.ts';
import type { Keypoints, MaskRle } from '../core/dataset.ts';
import type { ImageId, RegionId, RunId } from '../core/ids.ts';
import type { RegionDetails } from '../core/region-details.ts';
import type { WriteOptions } from './operation-store.ts';

export interface RegionStore {
  regionsOf(ids: readonly ImageId[]): Promise<Map<ImageId, StoredRegion[]>>;
  /**
   * Regions from a person or an import: inserted or replaced as a whole; `touched` ones are frozen from now on. One that
   * is not `touched` never replaces one that is.
   */
  putRegions(regions: readonly StoredRegion[], options?: WriteOptions): Promise<void>;
  /**
   * Sets tombstones on behalf of a person: later runs add nothing over them. Image labels that a detector derived from a
   * class go when no region of the image holds that class any more. Fails with `NOT_FOUND` for a region that is not there.
   */
  deleteRegionsAsHuman(ids: readonly RegionId[], options?: WriteOptions): Promise<void>;
}

export interface StoredRegion {
  readonly id: RegionId;
  readonly imageId: ImageId;
  readonly box: Box;
  readonly score: number | null;
  /** The model's key, or null for a person's or an imported region. */
  readonly modelKey: string | null;
  readonly runId: RunId | null;
  /** A person drew, moved or confirmed it: machine stages leave it alone. */
  readonly touched: boolean;
  /** A tombstone: deleted by a person. */
  readonly deleted: boolean;
  readonly keypoints: Keypoints | null;
  readonly mask: MaskRle | null;
  /** Key of what made the mask; left out where a person or an import brought it. It says nothing of the box. */
  readonly maskMaker?: string;
  readonly polygons: readonly (readonly number[])[] | null;
  readonly crowd: boolean;
  readonly details?: RegionDetails;
}
