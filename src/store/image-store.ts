/**
 * Images and their paths: what `add` commits, what is there, what is gone, and forgetting. A part of the store's contract
 * (`store.ts`).
 */
import type { IdSet } from '../core/id-set.ts';
import type { ImageId, RunId } from '../core/ids.ts';
import type { ImagePath, ImageRecord, QualityFlag } from '../core/image.ts';
import type { Attributes } from '../core/region-details.ts';
import type { QuarantineRow } from './quarantine-store.ts';

export interface ImageStore {
  /** What is known of these paths, so that `add` can skip what has not changed; paths not known are left out. */
  lookupPaths(paths: readonly string[]): Promise<Map<string, KnownPath>>;
  /**
   * One ingest shard. Images that are there already stay as they are; paths are taken over, quarantine rows replaced. A
   * good path leaves quarantine; a known path that went into quarantine counts as missing (its image and labels stay).
   * What hangs on an image that has an heir and is gone by this shard passes to the heir, see {@link IngestShard}.
   */
  commitIngest(shard: IngestShard): Promise<void>;
  /** Known paths under a source root, in order of path, in pages. */
  pathsOf(sourceRoot: string): AsyncIterable<readonly ImagePath[]>;
  /** Marks paths found gone (or back again) by `add --sync`. */
  markMissing(paths: readonly string[], missing: boolean): Promise<void>;
  /** A path found under another name with the same bytes. */
  movePaths(moves: readonly { from: string; to: ImagePath }[]): Promise<void>;
  image(id: ImageId): Promise<ImageRecord | undefined>;
  /** In order of id, in pages. Without images that are gone, unless the filter asks for them. */
  images(filter?: ImageFilter): AsyncIterable<readonly ImageRecord[]>;
  countImages(filter?: ImageFilter): Promise<number>;
  /** All paths of these images, present ones first, then by path. */
  pathsOfImages(ids: readonly ImageId[]): Promise<Map<ImageId, ImagePath[]>>;
  /** Those that a path, or a row of quarantine, came in by; sorted. */
  sourceRoots(): Promise<string[]>;
  /** Images of which no path is there any more: the last one went missing, or into the hands of other bytes. */
  goneImages(): Promise<IdSet>;
  /** Images of the same decoded pixels as each of these hashes, gone ones too, in order of id; unknown hashes are left out. */
  imagesByPixelHash(hashes: readonly string[]): Promise<Map<string, ImageId[]>>;
  /** Of images that were added before pixels were hashed; a hash that is there is replaced. */
  putPixelHashes(hashes: ReadonlyMap<ImageId, string>): Promise<void>;
  /** Sets what imports said of images themselves; of each image as a whole, an empty record takes it away. */
  putImageAttributes(attributes: ReadonlyMap<ImageId, Attributes>): Promise<void>;
  attributesOf(ids: readonly ImageId[]): Promise<Map<ImageId, Attributes>>;
  /**
   * Removes these images for good, with everything that the record has of them: paths, quarantine of these paths,
   * groups, pairs, splits, candidates, regions, labels of people too, audit items, and the rows of history. Ids that
   * are not there are fine. Files of vectors are not touched.
   */
  forgetImages(ids: readonly ImageId[]): Promise<Forgotten>;
}

export interface KnownPath {
  readonly path: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** Null when the path is in quarantine. */
  readonly imageId: ImageId | null;
  readonly missing: boolean;
}

export interface IngestShard {
  readonly runId: RunId;
  /** `groupId` of a new image is its own id until groups are computed. */
  readonly images: readonly ImageRecord[];
  readonly paths: readonly ImagePath[];
  readonly quarantine: readonly QuarantineRow[];
  /**
   * Images and the one that took the place of each: the same picture in other bytes. Where no path of the image is there
   * any more, all that was said of it (labels, regions, candidates, audit items, splits, attributes, history) is said of the
   * heir from now on, beside what the heir has of its own, and the image leaves the record. Others keep what they have.
   */
  readonly heirs?: ReadonlyMap<ImageId, ImageId>;
}

export interface ImageFilter {
  readonly flag?: QualityFlag;
  readonly groupId?: ImageId;
  /** Images of which no path is there any more come too. Default false: they are kept in the record and left out here. */
  readonly gone?: boolean;
  readonly limit?: number;
}

/** What `forgetImages` removed. */
export interface Forgotten {
  readonly images: number;
  readonly paths: number;
  readonly regions: number;
  readonly labels: number;
}
