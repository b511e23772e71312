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
import type { Box, Detections } from '../core/boxes.ts';
import type { CorpusChange, CorpusEvent, CorpusState } from '../core/corpus.ts';
import type { DatasetImage, Keypoints, MaskRle } from '../core/dataset.ts';
import type { IdSet } from '../core/id-set.ts';
import type { ImageId, ItemId, RegionId } from '../core/ids.ts';
import type { ImagePath, ImageRecord, QualityFlag } from '../core/image.ts';
import type { ItemKind, Label, Origin, Task } from '../core/labels.ts';
import type { Attributes, RegionDetails, Skeleton } from '../core/region-details.ts';

export interface Store {
  // ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Records the start of a stage's execution and gives its id (a time-ordered string). */
  startRun(run: NewRun): Promise<string>;
  /** Ends a run. A run that was killed stays `running` and is shown as interrupted once its process is gone. */
  finishRun(runId: string, outcome: RunOutcome): Promise<void>;
  /** Newest first. */
  runs(filter?: { stage?: string; limit?: number }): Promise<RunRecord[]>;

  // ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** What is known of these paths, so that `add` can skip what has not changed; paths not known are left out. */
  lookupPaths(paths: readonly string[]): Promise<Map<string, KnownPath>>;
  /**
   * One ingest shard. Images that are there already stay as they are; paths are taken over, quarantine rows replaced. A
   * good path leaves quarantine; a known path that went into quarantine counts as missing (its image and labels stay).
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

  // ── Splits as they came ──────────────────────────────────────────────────────────────────────────────────────────
  /** Sets the split (`train`, `val`, …) that an import gave each image; null takes it away. The newest import counts. */
  putSplits(runId: string, splits: ReadonlyMap<ImageId, string | null>): Promise<void>;
  /** Images that have none are left out. */
  splitsOf(ids: readonly ImageId[]): Promise<Map<ImageId, string>>;
  /** Images of each split, in order of name. Gone images do not count. */
  splitCounts(): Promise<Map<string, number>>;

  // ── Groups and duplicates ────────────────────────────────────────────────────────────────────────────────────────
  /** Pairs found similar (`a` < `b`), kept for the report. Known pairs stay as they are. */
  putSimilarPairs(pairs: readonly SimilarPair[]): Promise<void>;
  /** In order of (a, b), in pages. */
  similarPairs(): AsyncIterable<readonly SimilarPair[]>;
  /** What groups are made of, of all images, in order of id, in pages. */
  groupFacts(): AsyncIterable<readonly GroupFacts[]>;
  /** Changes of `groupId`; images not named keep theirs. */
  putGroups(changes: ReadonlyMap<ImageId, ImageId>): Promise<void>;

  // ── Quarantine ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** In order of path, in pages. */
  quarantine(): AsyncIterable<readonly QuarantineRow[]>;
  putQuarantine(rows: readonly QuarantineRow[]): Promise<void>;
  /** Forgets that these paths could not be used; paths that are not in quarantine are fine. */
  liftQuarantine(paths: readonly string[]): Promise<void>;

  // ── Detection ────────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Images for which `detect` has something to do, in order of id, in pages: those without candidates of this model
   * (`candidates` null) and those whose regions were made by other acceptance rules. With `force`, all of them count as
   * without. Images that would have to be decoded and have no path that is there are left out; so are, without `force`,
   * those whose paths are in quarantine for another reason than {@link FILE_GONE} (ingesting a path again lifts it).
   */
  detectionWork(
    modelKey: string,
    acceptKey: string,
    options?: { force?: boolean },
  ): AsyncIterable<readonly DetectionItem[]>;
  countDetectionWork(modelKey: string, acceptKey: string, options?: { force?: boolean }): Promise<number>;
  /**
   * One detection shard: stores candidates, replaces the untouched regions that this model made, and those that other
   * detectors left in `task`, with the image labels derived from them, and keeps frozen regions and tombstones as they
   * are: a task has one detector at a time, and going back to another one accepts its candidates again. New regions that overlap a frozen region or a
   * tombstone of the same class at IoU ≥ `frozenIou` are not added; the classes of such a region are all that anybody
   * said of it in the task, and one that nobody named keeps every class off. An image label whose class has no region
   * left standing because of that is not written.
   */
  commitDetections(shard: DetectionShard): Promise<void>;
  /**
   * Takes away the untouched regions that detectors left in a task over regions that were frozen since, as a run of
   * `detect` would not add them: same class, IoU ≥ `frozenIou`. Gives how many went.
   */
  yieldToFrozen(query: {
    readonly task: string;
    readonly frozenIou: number;
    readonly imageIds: readonly ImageId[];
  }): Promise<number>;
  /** Candidates of one model, in order of image id, in pages. */
  candidates(modelKey: string): AsyncIterable<readonly { imageId: ImageId; detections: Detections }[]>;
  /** Keys of the models that left candidates, with the number of images. */
  candidateModels(): Promise<{ modelKey: string; images: number; classNames: readonly string[] }[]>;

  // ── Shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────
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

  // ── Regions and labels ───────────────────────────────────────────────────────────────────────────────────────────
  regionsOf(ids: readonly ImageId[]): Promise<Map<ImageId, StoredRegion[]>>;
  /**
   * Regions from a person or an import: inserted or replaced as a whole; `touched` ones are frozen from now on. One that
   * is not `touched` never replaces one that is.
   */
  putRegions(regions: readonly StoredRegion[]): Promise<void>;
  /**
   * Sets tombstones on behalf of a person: later runs add nothing over them. Image labels that a detector derived from a
   * class go when no region of the image holds that class any more. Fails with `NOT_FOUND` for a region that is not there.
   */
  deleteRegionsAsHuman(ids: readonly RegionId[]): Promise<void>;
  /**
   * Writes labels of any origin. A machine label replaces the machine labels of its origin on that item and task when
   * `replace` is set; a human or imported label in a single task stands beside older ones and wins by being newer. What
   * one origin (of people: one annotator) says of one class of one item in one task is kept once, the latest. A human or imported label on a region
   * freezes the region; a human one may end labels of the image as `deleteRegionsAsHuman` does. Classes are created as
   * needed. Runs and tasks that do not exist are refused with `NOT_FOUND`.
   */
  putLabels(labels: readonly NewLabel[], options?: { replace?: boolean }): Promise<void>;
  /** All labels of these items, every origin, present and absent, oldest first. */
  labelsOf(items: readonly ItemId[], task?: string): Promise<Map<ItemId, Label[]>>;
  /** Removes machine labels of one origin in a task from these items (all items when undefined). */
  clearMachineLabels(task: string, origin: Origin, items?: readonly ItemId[]): Promise<number>;

  // ── Tasks and classes ────────────────────────────────────────────────────────────────────────────────────────────
  tasks(): Promise<Task[]>;
  ensureTask(task: Task): Promise<void>;
  /** Classes that do not exist yet are created; a synonym of a class counts as that class. */
  ensureClasses(names: readonly string[]): Promise<void>;
  /**
   * Sets what classes have beside their place in the corpus; a class that is not there is created. Fields that are left
   * out stay, null takes one away. Not an operation of the corpus: it is not undone.
   */
  putClassDetails(details: ReadonlyMap<string, ClassDetails>): Promise<void>;
  /**
   * Removes those of the classes that nothing hangs on, and gives their names: no label of any origin, present or absent, no
   * synonym, parent, part, description, synset or skeleton, and no operation of the corpus' history, so that all of it can be undone.
   */
  dropUnusedClasses(names: readonly string[]): Promise<string[]>;
  /** In order of name. Counts are of current labels (see `currentLabels`), per task; images that are gone do not count. */
  classes(): Promise<ClassRecord[]>;

  // ── Corpus ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Classes, merged ones too, and synonyms. */
  corpus(): Promise<CorpusState>;
  /**
   * One operation, as one transaction, with what it takes to undo it. `change` is called again when another process
   * changed the corpus meanwhile. Gives null, and writes nothing, when there was nothing to do.
   */
  changeCorpus(
    operation: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>>; readonly atMs: number },
    change: (state: CorpusState) => CorpusChange | Promise<CorpusChange>,
  ): Promise<CorpusEvent | null>;
  /**
   * Undoes the newest operation that is not undone, exactly. What people or stages wrote since stays: a label changed
   * since keeps its change, and a class that was labelled since is kept. Gives null when there is none.
   */
  undoCorpusChange(): Promise<CorpusEvent | null>;
  /** Newest first. */
  corpusHistory(limit?: number): Promise<CorpusEvent[]>;

  // ── Audits ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Records a drawn sample before anybody sees it, and gives the audit's id. */
  startAudit(audit: NewAudit): Promise<number>;
  /** Newest first. */
  audits(task?: string): Promise<AuditRecord[]>;
  /** In order of image, region and class. */
  auditItems(auditId: number): Promise<AuditItem[]>;
  /** Items are named by `itemId` and `className`; a later answer replaces an earlier one. */
  putAuditAnswers(auditId: number, answers: readonly AuditAnswer[]): Promise<void>;
  /** Every item that was ever drawn for an audit of the task: never to be trained on. */
  auditedItems(task: string): Promise<Set<ItemId>>;

  // ── Export ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Images with their current labels and regions, in order of id; without those that are gone, unless asked for. */
  dataset(query: DatasetQuery): AsyncIterable<DatasetImage>;

  // ── Vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Makes a file of vectors exist. Files that no row names are ignored, so the file is written first. */
  putVectorShard(shard: VectorShard): Promise<void>;
  /** In order of first id, then of shard. */
  vectorShards(space: string, items: ItemKind): Promise<VectorShard[]>;
  /**
   * Forgets the files of one space, or only those shards, and gives their rows, so that the caller can delete the files
   * afterwards.
   */
  clearVectorShards(space: string, items: ItemKind, only?: ReadonlySet<string>): Promise<VectorShard[]>;
  /** Forgets some files and makes others exist in their place, in one transaction. */
  replaceVectorShards(gone: readonly VectorShard[], shards: readonly VectorShard[]): Promise<void>;

  // ── Housekeeping ─────────────────────────────────────────────────────────────────────────────────────────────────
  getSetting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string): Promise<void>;
  /** Numbers for `status`; images that are gone count as such and nowhere else. */
  summary(): Promise<StoreSummary>;
  /** The database's own integrity and foreign-key checks; empty when all is well. */
  check(): Promise<string[]>;
  close(): Promise<void>;
}

export interface NewRun {
  readonly stage: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly modelKey: string | null;
  readonly seed: number;
  readonly threads: number;
  /** labelsmith, node, onnxruntime, sharp. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface RunOutcome {
  readonly status: 'done' | 'failed' | 'interrupted';
  /** Whole numbers: images, regions, quarantined, shards, skipped … */
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
}

export interface RunRecord extends NewRun {
  readonly id: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly status: 'running' | RunOutcome['status'];
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, unknown>>;
}

export interface KnownPath {
  readonly path: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** Null when the path is in quarantine. */
  readonly imageId: ImageId | null;
  readonly missing: boolean;
}

export interface GroupFacts
  extends Pick<ImageRecord, 'id' | 'perceptualHash' | 'width' | 'height' | 'capturedAtMs' | 'camera' | 'groupId'> {
  /** The first of its paths in order; empty where it has none. */
  readonly path: string;
}

export interface IngestShard {
  readonly runId: string;
  /** `groupId` of a new image is its own id until groups are computed. */
  readonly images: readonly ImageRecord[];
  readonly paths: readonly ImagePath[];
  readonly quarantine: readonly QuarantineRow[];
}

/** The reason of a row whose file was not there: what is quarantined for it is tried again by every stage. */
export const FILE_GONE = 'missing';

/** What `forgetImages` removed. */
export interface Forgotten {
  readonly images: number;
  readonly paths: number;
  readonly regions: number;
  readonly labels: number;
}

export interface QuarantineRow {
  readonly path: string;
  readonly sourceRoot: string;
  /** A short stable reason such as `truncated`, `empty`, `not-an-image`, `too-large`, `unreadable`, `unsupported`. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  readonly byteSize: number;
  readonly modifiedAtMs: number;
  /** The stage that gave up on it. */
  readonly stage: string;
}

export interface ImageFilter {
  readonly flag?: QualityFlag;
  readonly groupId?: ImageId;
  /** Images of which no path is there any more come too. Default false: they are kept in the record and left out here. */
  readonly gone?: boolean;
  readonly limit?: number;
}

export interface SimilarPair {
  readonly a: ImageId;
  readonly b: ImageId;
  readonly kind: 'near-duplicate' | 'burst' | 'sequence';
  /** Hamming distance of the perceptual hashes. */
  readonly distance: number;
}

export interface DetectionItem {
  readonly image: ImageRecord;
  /** Stored candidates when only acceptance has to be done again. */
  readonly candidates: Detections | null;
}

export interface DetectionShard {
  readonly runId: string;
  readonly modelKey: string;
  readonly acceptKey: string;
  readonly task: string;
  /** The model's class names, by index of `Detections.classes`. */
  readonly classNames: readonly string[];
  readonly frozenIou: number;
  readonly images: readonly {
    readonly imageId: ImageId;
    /** Everything at or above the candidate threshold; null leaves stored candidates as they are. */
    readonly candidates: Detections | null;
    readonly regions: readonly AcceptedRegion[];
    /** Image labels derived from the regions. */
    readonly imageLabels: readonly { readonly className: string; readonly confidence: number }[];
  }[];
  readonly quarantine: readonly QuarantineRow[];
}

export interface AcceptedRegion {
  readonly id: RegionId;
  readonly box: Box;
  readonly score: number;
  readonly className: string;
  /** Undefined leaves what a region of this id has; so does `mask`. */
  readonly keypoints?: Keypoints | null;
  readonly mask?: MaskRle | null;
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

export interface StoredRegion {
  readonly id: RegionId;
  readonly imageId: ImageId;
  readonly box: Box;
  readonly score: number | null;
  /** The model's key, or null for a person's or an imported region. */
  readonly modelKey: string | null;
  readonly runId: string | null;
  /** A person drew, moved or confirmed it: machine stages leave it alone. */
  readonly touched: boolean;
  /** A tombstone: deleted by a person. */
  readonly deleted: boolean;
  readonly keypoints: Keypoints | null;
  readonly mask: MaskRle | null;
  readonly polygons: readonly (readonly number[])[] | null;
  readonly crowd: boolean;
  readonly details?: RegionDetails;
}

export interface NewLabel {
  readonly itemId: ItemId;
  readonly task: string;
  readonly className: string;
  readonly present: boolean;
  readonly origin: Origin;
  readonly confidence: number;
  readonly runId: string | null;
  /** Who said it: what two people say stands side by side, and the newer one holds. Default: nobody is named. */
  readonly annotator?: string | null;
}

export interface ClassDetails {
  readonly skeleton?: Skeleton | null;
}

export interface ClassRecord {
  readonly name: string;
  readonly synonyms: readonly string[];
  readonly parent: string | null;
  readonly description: string | null;
  /** WordNet synset such as `dog.n.01`, where known. */
  readonly synset: string | null;
  readonly skeleton?: Skeleton;
  readonly counts: readonly {
    readonly task: string;
    readonly items: ItemKind;
    readonly count: number;
    readonly meanConfidence: number;
    /** Current labels by origin. */
    readonly origins: Readonly<Partial<Record<Origin, number>>>;
  }[];
}

export interface NewAudit {
  readonly task: string;
  readonly atMs: number;
  readonly seed: number;
  /** How the sample was drawn, as JSON: sizes of strata and classes, what an estimate needs. */
  readonly design: string;
  readonly items: readonly Omit<AuditItem, 'answer'>[];
}

export type AuditRecord = Omit<NewAudit, 'items'> & {
  readonly id: number;
  readonly items: number;
  readonly answered: number;
};

export interface AuditItem {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  /** What the machine said. */
  readonly className: string;
  readonly origin: Origin;
  readonly confidence: number;
  readonly stratum: number;
  readonly answer: AuditVerdict | null;
}

/** What a person said of what the machine said. */
export interface AuditVerdict {
  readonly right: boolean;
  /** What it is instead, where that was said; `(none of these)` is an answer too. */
  readonly trueClass: string | null;
}

export interface AuditAnswer extends AuditVerdict {
  readonly itemId: ItemId;
  readonly className: string;
}

export interface DatasetQuery {
  /** Which task's labels; region labels and image labels of that task both come. Default: every task. */
  readonly task?: string;
  /**
   * Only what these origins said, as if the others had said nothing: with `['detector']` a person's corrections do not
   * hide what the detector said, so that it can be judged by itself.
   */
  readonly origins?: readonly Origin[];
  /** 0 to 1; labels and regions below it are left out. */
  readonly minConfidence?: number;
  /** Images and regions with no label left still come when set. */
  readonly unlabelled?: boolean;
  /** Images of which no path is there any more come too. Default false: they are kept in the record and left out here. */
  readonly gone?: boolean;
  /** Whether `DatasetImage.split` is the one that came with an import (the default) or null, for one that is drawn anew. */
  readonly splits?: 'imported' | 'none';
  readonly limit?: number;
}

/** One immutable file of vectors. */
export interface VectorShard {
  /** Key of model and recipe: vectors of one space may be compared. */
  readonly space: string;
  readonly items: ItemKind;
  /** Unique within its space and kind of items. */
  readonly shard: string;
  /** Relative to the workspace folder, `/` between parts. */
  readonly file: string;
  /** Of the file's bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly count: number;
  readonly firstId: ItemId;
  readonly lastId: ItemId;
  readonly runId: string | null;
}

export interface StoreSummary {
  /** Without those that are gone. */
  readonly images: number;
  readonly goneImages: number;
  readonly paths: number;
  readonly missingPaths: number;
  readonly groups: number;
  readonly duplicatePaths: number;
  readonly similarPairs: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly regions: number;
  readonly labels: Readonly<Partial<Record<Origin, number>>>;
  readonly classes: number;
  readonly flags: Readonly<Partial<Record<QualityFlag, number>>>;
  readonly schemaVersion: number;
}
