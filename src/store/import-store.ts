/**
 * What an import is going to write, put aside in short transactions and then done in one short one, so that others write and
 * look meanwhile, and see all of it or nothing. A part of the store's contract (`store.ts`).
 */
import type { ImageId, RegionId, RunId } from '../core/ids.ts';
import type { Task } from '../core/labels.ts';
import type { Attributes } from '../core/region-details.ts';
import type { NewLabel } from './label-store.ts';
import type { NewOperation } from './operation-store.ts';
import type { StoredRegion } from './region-store.ts';

export interface ImportStore {
  /** Begins a staging, and takes away those whose run is not under way any more. */
  beginStaging(runId: RunId): Promise<StagedImport>;
  /**
   * Stages what is written of some images: what `putRegions`, `putLabels`, `deleteRegionsAsHuman`, `yieldToFrozen`,
   * `putSplits` and `putImageAttributes` would do of it, in this order. Nobody sees anything of it.
   */
  stage(staged: StagedImport, page: StagedPage): Promise<void>;
  /** Images with something staged that were changed since, at most `limit` of them, in order of id. */
  staleImages(staged: StagedImport, limit: number): Promise<StaleImage[]>;
  /** Forgets what is staged of images that are gone. */
  unstage(staged: StagedImport, imageIds: readonly ImageId[]): Promise<void>;
  /**
   * Does all that is staged, as one operation, which `undo` takes back as one. No image may be stale: this is for the end
   * of a transaction (`atomically`) that has looked. Cost: some microseconds a label or region.
   */
  applyStaged(staged: StagedImport, operation: NewOperation): Promise<void>;
  /** Takes the staging away, applied or not, in short transactions. */
  dropStaging(staged: StagedImport): Promise<void>;
}

/** A staging under way; the names that it needs and nobody has given numbers yet have some of its own. */
export interface StagedImport {
  readonly id: number;
  readonly runId: RunId;
  readonly names: Readonly<Record<'class' | 'annotator', Map<string, number>>>;
  readonly tasks: Map<string, Task & { readonly id: number }>;
  /** Labels so far. */
  labels: number;
}

export interface StagedPage {
  readonly imageIds: readonly ImageId[];
  /** Revisions of the images from before anything was read of them; one that has none is stale. */
  readonly revisions: ReadonlyMap<ImageId, number>;
  /**
   * What the file says of the images, as text that is given back where one is stale; what is staged of them so far stays, and
   * this is on top of it. Null: it takes the place of all that is staged of them, and their entries stay.
   */
  readonly entries: readonly StagedEntry[] | null;
  /** What the caller counted of an image, given back with it. */
  readonly tallies: ReadonlyMap<ImageId, string>;
  /** Tasks that are not there yet. */
  readonly tasks: readonly Task[];
  readonly regions: readonly StoredRegion[];
  readonly labels: readonly NewLabel[];
  /** Regions that a person deleted. */
  readonly removed: readonly RegionId[];
  /** Regions that the file shows as they are: they yield to no other of its regions, however near. */
  readonly kept: readonly RegionId[];
  /** See `yieldToFrozen`. */
  readonly frozenIou: number;
  readonly splits: ReadonlyMap<ImageId, string>;
  readonly attributes: ReadonlyMap<ImageId, Attributes>;
}

export interface StagedEntry {
  readonly imageId: ImageId;
  /** Its place in the file. */
  readonly number: number;
  readonly data: string;
}

export interface StaleImage {
  readonly imageId: ImageId;
  /** Null where it is not there any more. */
  readonly revision: number | null;
  /** In order of their numbers. */
  readonly entries: readonly string[];
  readonly tally: string | null;
}
