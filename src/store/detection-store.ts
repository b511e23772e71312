/** What detectors found: candidates, accepted regions, and the labels derived from them. A part of the store's contract (`store.ts`). */
import type { Box, Detections } from '../core/boxes.ts';
import type { Keypoints, MaskRle } from '../core/dataset.ts';
import type { ImageId, RegionId, RunId } from '../core/ids.ts';
import type { ImageRecord } from '../core/image.ts';
import type { QuarantineRow } from './quarantine-store.ts';

export interface DetectionStore {
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
   * left standing because of that is not written. Gives the images that were left alone (`leaveDone`).
   */
  commitDetections(shard: DetectionShard): Promise<ReadonlySet<ImageId>>;
  /** Those of the images that another run has done by this model and these rules. */
  detectedByOthers(
    query: Pick<DetectionShard, 'runId' | 'modelKey' | 'acceptKey'> & { readonly imageIds: readonly ImageId[] },
  ): Promise<ReadonlySet<ImageId>>;
  /**
   * Takes away the untouched regions that detectors left in a task over regions that were frozen since, as a run of
   * `detect` would not add them: same class, IoU ≥ `frozenIou`. Gives how many went.
   */
  yieldToFrozen(query: {
    readonly task: string;
    readonly frozenIou: number;
    readonly imageIds: readonly ImageId[];
  }): Promise<number>;
  /** Candidates of one model, in order of image id, in pages; of the images of a range alone, where one is given. */
  candidates(modelKey: string, range?: IdRange): AsyncIterable<readonly { imageId: ImageId; detections: Detections }[]>;
  /** Candidates that one model left of these images; images without any are left out. */
  candidatesOf(modelKey: string, imageIds: readonly ImageId[]): Promise<Map<ImageId, Detections>>;
  /** Keys of the models that left candidates, with the number of images. */
  candidateModels(): Promise<{ modelKey: string; images: number; classNames: readonly string[] }[]>;
}

/** Ids from the first that begins with `from` up to but not including the first that begins with `below`; whole bytes in hex. */
export interface IdRange {
  readonly from: string;
  /** Undefined: to the end. */
  readonly below?: string;
}

export interface DetectionItem {
  readonly image: ImageRecord;
  /** Stored candidates when only acceptance has to be done again. */
  readonly candidates: Detections | null;
}

export interface DetectionShard {
  readonly runId: RunId;
  readonly modelKey: string;
  readonly acceptKey: string;
  readonly task: string;
  /** The model's class names, by index of `Detections.classes`. */
  readonly classNames: readonly string[];
  readonly frozenIou: number;
  /** Images that another run has done by this model and these rules stay as that left them. Default false. */
  readonly leaveDone?: boolean;
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
