/**
 * The interchange form: what the store hands to exporters and what importers hand back. One record an image, streamed,
 * so that neither side holds a data set.
 */
import type { Box } from './boxes.ts';
import type { ImageId, RegionId } from './ids.ts';
import type { Origin } from './labels.ts';
import type { Attributes, RegionDetails } from './region-details.ts';

/** COCO run-length encoding, column-major, uncompressed counts; `size` is [height, width] of the upright image. */
export interface MaskRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** Keypoints in the order of the task's skeleton; shape [n, 3]: x, y in pixels, visibility 0 absent, 1 hidden, 2 seen. */
export type Keypoints = readonly (readonly [x: number, y: number, visibility: 0 | 1 | 2])[];

/** A class said of an image or of a region. */
export interface LabelValue {
  readonly className: string;
  /** 0 to 1; null when the source does not say. */
  readonly confidence: number | null;
  readonly origin: Origin;
  readonly task: string;
  /** Who said it, where that was told. Default: nobody is named. */
  readonly annotator?: string | null;
}

/** A person's word that a class is not there: "not this", or with `NONE_OF_THESE` that no class of the task is. */
export interface Rejection {
  readonly className: string;
  readonly task: string;
  readonly annotator?: string | null;
}

export interface RegionRecord {
  readonly id: RegionId;
  readonly box: Box;
  /** The detector's score; null when a person drew it or the source does not say. */
  readonly score: number | null;
  /** Best first; a region of a single task has one. */
  readonly labels: readonly LabelValue[];
  readonly mask: MaskRle | null;
  /** Key of the model that made the mask; left out where a person or an import brought it. */
  readonly maskMaker?: string;
  /** Polygons in pixels, each `[x, y, x, y, …]`, as a format gave them; null when there are none. */
  readonly polygons: readonly (readonly number[])[] | null;
  readonly keypoints: Keypoints | null;
  /** COCO's crowd mark: the box holds a group that is not told apart. */
  readonly crowd: boolean;
  /** A person drew, moved or confirmed it. Default false. */
  readonly touched?: boolean;
  /** Default: none. */
  readonly rejected?: readonly Rejection[];
  readonly details?: RegionDetails;
}

/** One image of an export, with everything that was selected for it. */
export interface DatasetImage {
  readonly id: ImageId;
  /** Path relative to its source's root, `/` between parts; unique within an export. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly groupId: ImageId;
  /** `train`, `val`, `test` or whatever was asked for or came with an import; null when there is no split. */
  readonly split: string | null;
  /** Image labels, best first. */
  readonly labels: readonly LabelValue[];
  /** In order of id. */
  readonly regions: readonly RegionRecord[];
  /** Default: none. */
  readonly rejected?: readonly Rejection[];
  /** Regions that a person deleted, in order of id: later runs add nothing over them. Default: none. */
  readonly deleted?: readonly RegionRecord[];
  /** Of the image itself. Default: none. */
  readonly attributes?: Attributes;
}

/** Reads an image's original bytes, or fails with `NOT_FOUND` when no path of it is there any more. */
export type ReadImage = (id: ImageId) => Promise<Uint8Array>;

/** What an importer read of one file: names and boxes, not yet matched with an image. */
export interface ImportedImage {
  /** The file's name or path as the format gives it, `/` between parts. */
  readonly file: string;
  /** Other names that it may go by, best first, for where no image has the first one. Default: none. */
  readonly otherNames?: readonly string[];
  /** The frame of the labels: size in pixels where the format says it, which need not be that of the image. */
  readonly width: number | null;
  readonly height: number | null;
  readonly labels: readonly ImportedLabel[];
  readonly regions: readonly ImportedRegion[];
  /** Where it stood, for messages: `labels.csv:17`, `annotations.json images[3]`. */
  readonly where: string;
  readonly split: string | null;
  /** The image's identity, where the format carries it. */
  readonly sha256?: ImageId;
  readonly rejected?: readonly Rejection[];
  /** Regions that a person deleted. */
  readonly deleted?: readonly ImportedRegion[];
  /** Of the image itself. */
  readonly attributes?: Attributes;
  /** A row of a sheet of `teach select`: of one item, which has one class. All entries of a sheet are such rows. */
  readonly answer?: true;
  /** One of our own exports wrote the file, which somebody may have changed since. */
  readonly ownExport?: true;
  /**
   * There is more of the image, of which nothing could be made, or nobody labelled it: without regions it is not one that
   * nothing is on.
   */
  readonly incomplete?: true;
  /** Somebody handed it in, be it with nothing on it; formats that list images nobody looked at say it of each. */
  readonly handedIn?: true;
}

export interface ImportedLabel {
  readonly className: string;
  readonly confidence: number | null;
  /** The origin and task the file itself names; null when it names none. */
  readonly origin: Origin | null;
  readonly task: string | null;
  /** Who said it, where the file tells. */
  readonly annotator?: string | null;
  /** The file has it as what a model said, apart from what people said: it is nobody's word, whoever gives the file. */
  readonly isPrediction?: true;
}

export interface ImportedRegion {
  /** In pixels, or in fractions of the image's width and height when `unit` says so. */
  readonly box: Box;
  readonly unit: 'pixels' | 'fractions';
  readonly score: number | null;
  readonly labels: readonly ImportedLabel[];
  readonly mask: MaskRle | null;
  /** What made the mask, where the file says that a model did. */
  readonly maskMaker?: string;
  /** In the same unit as the box. */
  readonly polygons: readonly (readonly number[])[] | null;
  /** In the same unit as the box. */
  readonly keypoints: Keypoints | null;
  readonly crowd: boolean;
  /** Where it stood, where that is more exact than the image's own place. */
  readonly where?: string;
  /** The object's area in square pixels, where the format says it: COCO's sorts objects into small, medium, large. */
  readonly area?: number;
  /** The region's identity, where the format carries it; it counts on images whose own identity it carries too. */
  readonly id?: RegionId;
  /** The region of a workspace that one of our own exports wrote here, which somebody may have moved since. */
  readonly writtenAs?: RegionId;
  /** A region of the workspace that the labels are for, as a question about it named it; where it is gone, the box counts. */
  readonly about?: RegionId;
  readonly touched?: boolean;
  readonly rejected?: readonly Rejection[];
  /** `rotatedBox` is in the same unit as the box, its angle in degrees. */
  readonly details?: RegionDetails;
  /**
   * Its one polygon is the corners of a turned box: `said` by the file, or `likely`, since all of its rows have four. Which
   * box that is only the pixels of the image tell (`turnedBoxOf`).
   */
  readonly corners?: 'said' | 'likely';
}
