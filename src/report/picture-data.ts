/** Pictures and shapes of the report, as data. */
import type { Keypoints } from '../core/dataset.ts';

export interface ReportPicture {
  /** Relative to its source. */
  readonly file: string;
  /** Pixels of the upright image; boxes are in these. */
  readonly width: number;
  readonly height: number;
  readonly thumbnail: Thumbnail;
}

export interface Thumbnail {
  /** The encoded upright image at any size of the same shape. */
  readonly bytes: Uint8Array;
  readonly mediaType: 'image/jpeg' | 'image/webp';
}

/** In pixels of the upright image. */
export interface ReportShape {
  /** Outer ones and holes, each `[x, y, x, y, …]`; filled by the even-odd rule. */
  readonly contours: readonly (readonly number[])[];
  readonly keypoints: Keypoints | null;
}
