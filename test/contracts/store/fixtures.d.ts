import type { TestContext } from 'node:test';
import type { Box, Detections } from '../../../src/core/boxes.ts';
import type { ImageId, RegionId } from '../../../src/core/ids.ts';
import type { ImagePath, ImageRecord } from '../../../src/core/image.ts';
import type { DetectionShard, NewLabel, QuarantineRow, Store, StoredRegion } from '../../../src/store/store.ts';
/** How the suite opens the store under test; a page of few images makes paging show on small data. */
export type OpenStore = (
  dir: string,
  options?: {
    pageSize?: number;
    busyTimeoutMs?: number;
  },
) => Promise<Store>;
/** A folder that goes away with the test. */
export declare function scratch(t: TestContext): string;
/** A store in a folder of its own, closed with the test. Three images a page. */
export declare function fresh(t: TestContext, open: OpenStore): Promise<Store>;
export declare const ROOT = '/photos';
export declare function imageId(n: number): ImageId;
/** Ids of images 0 to n − 1 in the order in which the store gives them. */
export declare function sortedIds(n: number): ImageId[];
export declare function image(n: number, changes?: Partial<ImageRecord>): ImageRecord;
export declare function path(n: number, changes?: Partial<ImagePath>): ImagePath;
export declare function quarantined(name: string, changes?: Partial<QuarantineRow>): QuarantineRow;
export declare function startRun(store: Store, stage?: string): Promise<string>;
/** Images 0 to n − 1 with one path each. */
export declare function addImages(store: Store, n: number): Promise<string>;
export declare const MODEL = 'npm:detector@1';
export declare const CLASSES: string[];
export declare function detections(
  list: readonly (readonly [box: Box, score: number, classIndex: number])[],
): Detections;
export interface Found {
  readonly className: string;
  readonly box: Box;
  readonly score?: number;
}
export declare function regionOf(image: ImageId, found: Found, model?: string): RegionId;
/** A shard as `detect` would commit it: regions for what was found, and each class once on the image. */
export declare function shard(
  runId: string,
  images: readonly (readonly [id: ImageId, found: readonly Found[]])[],
  changes?: Partial<Pick<DetectionShard, 'acceptKey' | 'modelKey' | 'frozenIou' | 'quarantine'>>,
): DetectionShard;
export declare function drawn(image: ImageId, box: Box, changes?: Partial<StoredRegion>): StoredRegion;
export declare function said(itemId: string, className: string, changes?: Partial<NewLabel>): NewLabel;
export declare function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]>;
export declare function list<T>(items: AsyncIterable<T>): Promise<T[]>;
