/**
 * Formats: labels out of and into the workspace.
 *
 * A format owns the shape of its files and nothing else. `exportDataset` (stages/export/write.ts) owns what is common: what goes in,
 * the swap of the finished output, what happens to image files. A writer gets images in order of id, one at a time, and
 * a fresh place to write to; a reader gives one `ImportedImage` after the other. What is wrong with one row, object or
 * attribute it mends or leaves out and tells the reckoning; what is wrong with a whole file (cut off, another format) leaves
 * the others of its folder (`files-in-turn.ts`), and of one that was named by itself ends the reading with one error that
 * names the file and the line or key. Neither side holds a data set; what stays resident
 * is stated where it is.
 *
 * Not here: matching what was read with stored images (stages/import/match.ts), choosing what is exported (the store's `dataset`).
 */
import type { Box } from '../core/boxes.ts';
import type { DatasetImage, ImportedImage, ReadImage } from '../core/dataset.ts';
import type { ImageId } from '../core/ids.ts';
import type { LabelAccuracy } from '../core/label-accuracy.ts';
import type { Task } from '../core/labels.ts';
import type { RegionDetails, Skeleton } from '../core/region-details.ts';
import type { ProtectedPath } from '../files/place.ts';
import type { Loss } from './losses.ts';
import type { Reckoning } from './reckoning.ts';
import type { SplitPlan } from './splits.ts';

/** What a format carries from an export to the import of that export. `lossesOf` says the rest in words. */
export interface Keeps {
  /** Classes of whole images: all of them, the best one, or none. */
  readonly imageLabels: 'all' | 'best' | 'none';
  /**
   * Boxes: as they are (to a thousandth of a pixel), to a millionth of the image's size, to whole pixels, as the box
   * around the region's outline (to a millionth), or not.
   */
  readonly boxes: 'exact' | 'millionths' | 'whole-pixels' | 'outlines' | 'none';
  /** Several classes on one region: together, as one region a class, or the best one only. */
  readonly regionClasses: 'together' | 'apart' | 'best';
  readonly confidence: boolean;
  readonly origin: boolean;
  readonly task: boolean;
  readonly masks: boolean;
  readonly polygons: boolean;
  readonly keypoints: boolean;
  readonly crowd: boolean;
  /** A region's id, and whether a person touched it. */
  readonly regionIds: boolean;
  /** What people said is not there: "not this", "none of these", deleted regions. */
  readonly rejections: boolean;
  /** Width and height of the image. */
  readonly size: boolean;
  readonly split: boolean;
  /** Images with no label come back as such. */
  readonly unlabelled: boolean;
  /** What is said of a region beside its class and shapes. */
  readonly details: readonly DetailName[];
  /** Attributes of whole images. */
  readonly imageAttributes: boolean;
  /** Who said it. */
  readonly annotators: boolean;
  /** Names of keypoints and their lines, and the classes above classes. */
  readonly skeletons: boolean;
}

/** In the order in which losses name them. */
export const DETAIL_NAMES = [
  'difficult',
  'truncated',
  'occluded',
  'pose',
  'attributes',
  'rotatedBox',
  'trackId',
] as const satisfies readonly (keyof RegionDetails)[];
export type DetailName = (typeof DETAIL_NAMES)[number];

const DETAIL_WORDS: Readonly<Record<DetailName, Loss>> = {
  difficult: 'difficult marks',
  truncated: 'truncated marks',
  occluded: 'occluded marks',
  pose: 'poses (views)',
  attributes: 'attributes of regions',
  rotatedBox: 'angles of turned boxes',
  trackId: 'track ids',
};

/** What a format keeps is said as its difference from one of these two. */
export const EVERYTHING: Keeps = {
  imageLabels: 'all',
  boxes: 'exact',
  regionClasses: 'together',
  confidence: true,
  origin: true,
  task: true,
  masks: true,
  polygons: true,
  keypoints: true,
  crowd: true,
  regionIds: true,
  rejections: true,
  size: true,
  split: true,
  unlabelled: true,
  details: DETAIL_NAMES,
  imageAttributes: true,
  annotators: true,
  skeletons: false,
};
export const NEXT_TO_NOTHING: Keeps = {
  imageLabels: 'best',
  boxes: 'none',
  regionClasses: 'best',
  confidence: false,
  origin: false,
  task: false,
  masks: false,
  polygons: false,
  keypoints: false,
  crowd: false,
  regionIds: false,
  rejections: false,
  size: false,
  split: false,
  unlabelled: false,
  details: [],
  imageAttributes: false,
  annotators: false,
  skeletons: false,
};

export type FormatName =
  | 'coco'
  | 'yolo'
  | 'yolo-seg'
  | 'yolo-pose'
  | 'yolo-obb'
  | 'voc'
  | 'folders'
  | 'crops'
  | 'csv'
  | 'jsonl'
  | 'parquet'
  | 'label-studio'
  | 'cvat'
  | 'labelme'
  | 'hf'
  | 'webdataset'
  | 'xmp';

/** Formats of other tools that are read and never written (`foreign/`). */
export type ForeignName =
  | 'createml'
  | 'dota'
  | 'kitti'
  | 'ground-truth'
  | 'vott'
  | 'supervisely'
  | 'darwin'
  | 'labelbox'
  | 'bdd100k'
  | 'cityscapes'
  | 'datumaro'
  | 'wider-face'
  | 'vertex';

/** Whatever can be imported. */
export type ReaderName = FormatName | ForeignName;

/** What reads labels. */
export interface LabelReader {
  readonly name: ReaderName;
  readonly description: string;
  /** What PATH is, and of a format what OUT is. A reader of a `folder` format may take a file of it too. */
  readonly kind: 'folder' | 'file';
  /** A `file` format whose reader takes a folder with some of them too. */
  readonly readsFolders?: true;
  readonly keeps: Keeps;
  /** Gives images in the order of the file (folders: sorted by path). A file may come more than once. */
  read(path: string, options: ReadOptions): AsyncIterable<ImportedImage>;
}

export interface Format extends LabelReader {
  readonly name: FormatName;
  /** What carries the classes in this format; an export of a task on whole images to a `regions` format is refused. */
  readonly holds: 'regions' | 'images' | 'both';
  /** Image files: `beside` go along if asked, `always` are what the format is, `never` have no place in it. */
  readonly imageFiles: 'beside' | 'always' | 'never';
  /** Used where `ExportContext.images` does not say. */
  readonly defaultImages: ImagesMode;
  /** What it loses, in words, printed by `export`: `lossesOf(keeps)` and what is the format's own. */
  readonly loses: readonly string[];
  /** Writes into `target`: an empty folder that exists, or the path of a file that does not. */
  write(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void>;
}

/** Whether an image without a box says in this format that nothing is there, by which a detector learns what not to find. */
export function hasBackground({ holds, keeps }: Pick<Format, 'holds' | 'keeps'>): boolean {
  return holds === 'regions' && keeps.unlabelled;
}

/** How image files get into an export. Nothing falls back: a link that cannot be made is an error. */
export type ImagesMode = 'copy' | 'hardlink' | 'symlink' | 'none';
export const IMAGES_MODES: readonly ImagesMode[] = ['copy', 'hardlink', 'symlink', 'none'];

/**
 * Cuts boxes out of an image.
 * @param boxes xyxy in pixels of the upright image
 * @param margin added on each side, as a fraction of the box's width and height; cut to the image
 * @returns one JPEG a box, in their order. Fails with `BAD_IMAGE` when the image cannot be decoded.
 */
export type CropImage = (bytes: Uint8Array, boxes: readonly Box[], margin: number) => Promise<readonly Uint8Array[]>;

export interface ExportContext {
  /** The task exported; null is every task. */
  readonly task: Task | null;
  /** Every class that may occur, sorted, each once. A class that is not here may not occur in the images. */
  readonly classNames: readonly string[];
  /** Default: the format's own. */
  readonly images?: ImagesMode;
  readonly readImage: ReadImage;
  /** Absolute path of a real file with the image's bytes; null for a member of an archive. Used to link. */
  readonly sourcePathOf: (id: ImageId) => Promise<string | Uint8Array | null>;
  /** Needed by `crops` only. */
  readonly crop?: CropImage;
  /** Most keypoints on any region, needed by `yolo-pose` only, whose rows all have as many. */
  readonly keypointCount?: number;
  /** The class above a class in the corpus, for formats that write a path of classes. Default: none is above any. */
  readonly parentOf?: (className: string) => string | null;
  /** A class's keypoints and their lines, where they are known. Default: none are. */
  readonly skeletonOf?: (className: string) => Skeleton | null;
  /** `webdataset`: images in one shard. Default 10,000; with fewer, more files are read at once and shuffled better. */
  readonly shardImages?: number;
  /** Null: no split. */
  readonly splits: SplitPlan | null;
  /** Write images with no label too. */
  readonly unlabelled: boolean;
  /** What an export with no label in it is refused with. Default: it is written. */
  readonly onEmpty?: () => Promise<Error>;
  /** Crops: see `CropImage`. 0 to 1. */
  readonly margin: number;
  /** Labelsmith's version, written where the format has a place for it. */
  readonly version: string;
  /** How many labels are right, where that is known; written where there is a place for it, else beside. Default: it is not. */
  readonly accuracy?: readonly LabelAccuracy[];
  /** Swap a non-empty OUT for the new export. */
  readonly replace: boolean;
  /** The workspace and the sources: OUT may neither hold one of them nor lie in one. */
  readonly protectedPaths: readonly ProtectedPath[];
  readonly signal?: AbortSignal;
  /** Called after each image with the number done. */
  readonly onProgress?: (done: number) => void;
}

/** What a writer gets: the context with its defaults filled in, and where it counts. */
export interface WriteJob extends ExportContext {
  readonly images: ImagesMode;
  readonly tally: Tally;
}

export interface ExportSummary {
  readonly format: FormatName;
  /** Absolute. */
  readonly out: string;
  readonly images: number;
  readonly regions: number;
  /** Labels written, of images and regions. */
  readonly labels: number;
  /** Images that had no label and were left out, for want of `unlabelled`. */
  readonly unlabelledSkipped: number;
  /** Images with no label that were written. */
  readonly backgroundImages: number;
  /** Images written, by split; empty without splits. */
  readonly splits: Readonly<Record<string, number>>;
  /** What the format could not hold, counted: `image labels` → 12. */
  readonly lost: Readonly<Record<string, number>>;
  /** Images left out since their bytes are gone or broken; the first `MAX_PROBLEMS` by name. */
  readonly failedImages: number;
  readonly problems: readonly string[];
  /** Names that had to be changed to be safe as file names. */
  readonly renamed: number;
  readonly loses: readonly string[];
  /** Of an export in shards: how many images each has, how many were written now, and how many were there already. */
  readonly shards?: { readonly size: number; readonly written: number; readonly kept: number };
}

export const MAX_PROBLEMS = 20;

const SUMS = [
  'images',
  'regions',
  'labels',
  'unlabelledSkipped',
  'backgroundImages',
  'failedImages',
  'renamed',
] as const satisfies readonly (keyof Tally)[];

/** What a tally holds; it can be cloned. */
export type TallyCounts = Readonly<Pick<Tally, (typeof SUMS)[number] | 'negatives' | 'splits' | 'lost' | 'problems'>>;

/** Counts of one export. */
export class Tally {
  images = 0;
  regions = 0;
  labels = 0;
  unlabelledSkipped = 0;
  /** Images written that have no label. */
  backgroundImages = 0;
  /** What people said is not there was written of an image with no label. */
  negatives = false;
  failedImages = 0;
  renamed = 0;
  readonly splits = new Map<string, number>();
  readonly lost = new Map<string, number>();
  readonly problems: string[] = [];

  /** Counts an image as written. */
  image(image: DatasetImage): void {
    this.images++;
    if (image.split !== null) this.splits.set(image.split, (this.splits.get(image.split) ?? 0) + 1);
  }

  /** Adds what was counted of other images. */
  merge(other: TallyCounts): void {
    for (const name of SUMS) this[name] += other[name];
    this.negatives ||= other.negatives;
    for (const [split, count] of other.splits) this.splits.set(split, (this.splits.get(split) ?? 0) + count);
    for (const [what, count] of other.lost) this.lost.set(what, (this.lost.get(what) ?? 0) + count);
    this.problems.push(...other.problems.slice(0, MAX_PROBLEMS - this.problems.length));
  }

  lose(what: Loss, count = 1): void {
    if (count > 0) this.lost.set(what, (this.lost.get(what) ?? 0) + count);
  }

  fail(problem: string): void {
    this.failedImages++;
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }
}

export interface ReadOptions {
  /** Told of everything that is not taken as it stands. */
  readonly reckoning: Reckoning;
  /** Class names by index, for YOLO labels that come without `data.yaml` or `classes.txt`. */
  readonly classNames?: readonly string[];
  /** Files that are not as an export of ours left them are a person's corrections. Default: they are damaged. */
  readonly byHand?: boolean;
  /** Told what a file says of a class beside its name; a class may come more than once. */
  readonly onClass?: (told: ImportedClass) => void;
}

export interface ImportedClass {
  readonly className: string;
  readonly skeleton?: Skeleton;
  /** The class above it. */
  readonly supercategory?: string;
}

/** What `keeps` leaves out, in words. */
export function lossesOf(keeps: Keeps): string[] {
  const losses: string[] = [];
  const lose = (lost: boolean, what: string) => {
    if (lost) losses.push(what);
  };
  const regions = keeps.boxes !== 'none';
  lose(keeps.imageLabels === 'none', 'classes of whole images');
  lose(keeps.imageLabels === 'best', 'all but the best class of an image');
  lose(!regions, 'regions');
  lose(keeps.boxes === 'millionths', 'box precision below a millionth of the image, and what lies outside the image');
  lose(keeps.boxes === 'whole-pixels', 'fractions of pixels');
  lose(
    keeps.boxes === 'outlines',
    'boxes (they come back as the box around the outline), and what lies outside the image',
  );
  lose(regions && keeps.regionClasses === 'apart', 'which classes belong to one region (one entry a class)');
  lose(regions && keeps.regionClasses === 'best', 'all but the best class of a region');
  lose(!keeps.confidence, 'confidence');
  lose(!keeps.origin, 'origin');
  lose(!keeps.task, 'task');
  lose(regions && !keeps.masks, 'masks');
  lose(regions && !keeps.polygons, 'polygons');
  lose(regions && !keeps.keypoints, 'keypoints');
  lose(regions && !keeps.crowd, 'crowd marks');
  lose(regions && !keeps.regionIds, 'ids of regions');
  lose(!keeps.rejections, 'what people said a thing is not');
  lose(!keeps.size, 'image size');
  lose(!keeps.split, 'split');
  lose(!keeps.unlabelled, 'images with no label');
  for (const detail of DETAIL_NAMES) lose(regions && !keeps.details.includes(detail), DETAIL_WORDS[detail]);
  lose(!keeps.imageAttributes, 'attributes of images');
  lose(!keeps.annotators, 'who said it');
  lose(!keeps.skeletons, 'names of keypoints, skeletons and supercategories');
  return losses;
}

/** Details of a region that a format does not keep, in words. */
export function lostDetails(details: RegionDetails | undefined, keeps: Keeps): Loss[] {
  if (details === undefined) return [];
  return DETAIL_NAMES.filter((detail) => details[detail] !== undefined && !keeps.details.includes(detail)).map(
    (detail) => DETAIL_WORDS[detail],
  );
}
