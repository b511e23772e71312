/** Images with everything that holds of them, for exports and reports. A part of the store's contract (`store.ts`). */
import type { DatasetImage } from '../core/dataset.ts';
import type { ImageId } from '../core/ids.ts';
import type { Origin } from '../core/labels.ts';
import type { ClassRecord } from './corpus-store.ts';

export interface DatasetStore {
  /** Images with their current labels and regions, in order of id; without those that are gone, unless asked for. */
  dataset(query: DatasetQuery): AsyncIterable<DatasetImage>;
  /**
   * For what reads more than once, or needs the names of classes beforehand: classes and sources keep the names of now in
   * all its reads, and labels of classes that come after it are left out.
   */
  datasetView(): Promise<DatasetView>;
}

export interface DatasetView {
  /** In order of name. */
  readonly classes: readonly Pick<ClassRecord, 'name' | 'parent' | 'skeleton'>[];
  read(query: DatasetQuery): AsyncIterable<DatasetImage>;
  /** Of the names that its reads give: views that have it alike, in whatever processes, give the same ones. */
  readonly namesDigest: string;
}

/** Images between two ids: after the first (from the beginning where it is null) up to the last (to the end). */
export interface ImageRange {
  readonly after: ImageId | null;
  readonly upTo: ImageId | null;
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
  /** Default: all images. */
  readonly range?: ImageRange;
}
