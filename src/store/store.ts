/**
 * The record: what is known of images, regions, labels, classes and runs. Precious, so it lives in SQL and is backed up
 * by copying one file.
 *
 * Guarantees of every driver (checked by `test/contracts/store.ts`):
 * - Each `commit…`/`put…` call is one transaction: all of it is on disk when the promise resolves, or nothing is.
 * - Streams come in order of id (or path) and are a sequence of short reads: a writer is never blocked by a reader, and
 *   no call holds more than one page of rows.
 * - Several processes may use one workspace at once; writers wait for each other up to `busyTimeoutMs`.
 * - No call here changes, hides or deletes what a person said unless its name says `human`.
 */
import type { ArtifactStore } from './artifact-store.ts';
import type { AuditStore } from './audit-store.ts';
import type { CorpusStore } from './corpus-store.ts';
import type { DatasetStore } from './dataset-store.ts';
import type { DetectionStore } from './detection-store.ts';
import type { ExportStore } from './export-store.ts';
import type { GroupStore } from './group-store.ts';
import type { HousekeepingStore } from './housekeeping-store.ts';
import type { ImageStore } from './image-store.ts';
import type { ImportStore } from './import-store.ts';
import type { ItemStore } from './item-store.ts';
import type { LabelStore } from './label-store.ts';
import type { OperationStore } from './operation-store.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import type { ReferenceStore } from './reference-store.ts';
import type { RegionStore } from './region-store.ts';
import type { RunStore } from './run-store.ts';
import type { ShapeStore } from './shape-store.ts';
import type { ShardStore } from './shard-store.ts';
import type { SplitStore } from './split-store.ts';
import type { VectorIndex } from './vector-index.ts';

/** Several calls as one transaction. */
export interface Atomic {
  /**
   * All that `work` does with the store that it is given is on disk when the promise resolves, or nothing of it is, whatever
   * ends the process. Other writers wait until then, those of this process too: `work` must not wait for a write to any other
   * store of the workspace. Memory does not grow with what is written.
   */
  atomically<T>(work: (store: Store) => Promise<T>): Promise<T>;
}

/** Take the part that you use, not the whole. */
export type Store = ArtifactStore &
  Atomic &
  AuditStore &
  CorpusStore &
  DatasetStore &
  DetectionStore &
  ExportStore &
  GroupStore &
  HousekeepingStore &
  ImageStore &
  ImportStore &
  ItemStore &
  LabelStore &
  OperationStore &
  QuarantineStore &
  ReferenceStore &
  RegionStore &
  RunStore &
  ShapeStore &
  ShardStore &
  SplitStore &
  VectorIndex;

export type { ArtifactStore } from './artifact-store.ts';
export type { AuditAnswer, AuditItem, AuditRecord, AuditStore, NewAudit } from './audit-store.ts';
export type { ClassRecord, CorpusStore, LabelCount } from './corpus-store.ts';
export type { DatasetQuery, DatasetStore, DatasetView, ImageRange } from './dataset-store.ts';
export type { AcceptedRegion, DetectionShard, DetectionStore, IdRange } from './detection-store.ts';
export type { ExportRecord, ExportStore } from './export-store.ts';
export type { GroupStore, SimilarPair } from './group-store.ts';
export type { HousekeepingStore, StoreOverview, StoreSummary } from './housekeeping-store.ts';
export type { ImageFilter, ImageStore, KnownPath } from './image-store.ts';
export type { ImportStore, StagedImport, StagedPage, StaleImage } from './import-store.ts';
export type { ItemFilter, ItemOrder, ItemStore, PageItem, SaidOfAll } from './item-store.ts';
export type { LabelStore, NewLabel } from './label-store.ts';
export type { OperationStore, WriteOptions } from './operation-store.ts';
export type { QuarantineRow, QuarantineStore } from './quarantine-store.ts';
export { FILE_GONE } from './quarantine-store.ts';
export type { ReferenceStore, StoredReference } from './reference-store.ts';
export type { RegionStore, StoredRegion } from './region-store.ts';
export type { RunRecord, RunStore } from './run-store.ts';
export type { RegionShapeOf, ShapeItem, ShapeQuery, ShapeStore } from './shape-store.ts';
export type { DeadShard, ShardResult, ShardStore } from './shard-store.ts';
export type { SplitStore } from './split-store.ts';
export type { VectorIndex, VectorShard } from './vector-index.ts';
