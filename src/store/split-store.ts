/** Splits as imports brought them. A part of the store's contract (`store.ts`). */
import type { ImageId, RunId } from '../core/ids.ts';

export interface SplitStore {
  /** Sets the split (`train`, `val`, …) that an import gave each image; null takes it away. The newest import counts. */
  putSplits(runId: RunId, splits: ReadonlyMap<ImageId, string | null>): Promise<void>;
  /** Images that have none are left out. */
  splitsOf(ids: readonly ImageId[]): Promise<Map<ImageId, string>>;
  /** Images of each split, in order of name. Gone images do not count. */
  splitCounts(): Promise<Map<string, number>>;
}
