/** Similar pairs and the groups that follow from them. A part of the store's contract (`store.ts`). */
import type { ImageId } from '../core/ids.ts';
import type { ImageRecord } from '../core/image.ts';

export interface GroupStore {
  /** Pairs found similar (`a` < `b`), kept for the report. Known pairs stay as they are. */
  putSimilarPairs(pairs: readonly SimilarPair[]): Promise<void>;
  /** In order of (a, b), in pages. */
  similarPairs(): AsyncIterable<readonly SimilarPair[]>;
  /** What groups are made of, of all images, in order of id, in pages. */
  groupFacts(): AsyncIterable<readonly GroupFacts[]>;
  /** Changes of `groupId`; images not named keep theirs. */
  putGroups(changes: ReadonlyMap<ImageId, ImageId>): Promise<void>;
}

export interface GroupFacts
  extends Pick<ImageRecord, 'id' | 'perceptualHash' | 'width' | 'height' | 'capturedAtMs' | 'camera' | 'groupId'> {
  /** The first of its paths in order; empty where it has none. */
  readonly path: string;
  readonly print?: Uint8Array;
}

export interface SimilarPair {
  readonly a: ImageId;
  readonly b: ImageId;
  readonly kind: 'near-duplicate' | 'burst' | 'sequence' | 'copy';
  /** Hamming distance of the perceptual hashes. */
  readonly distance: number;
}
