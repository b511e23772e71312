/** An image as the records know it. Pixels are never kept here. */
import type { ImageId } from './ids.ts';

/** Cells of a side of a print, see {@link ImageRecord.print}, and of all of it. */
export const PRINT_SIDE = 32;
export const PRINT_CELLS = PRINT_SIDE * PRINT_SIDE;

/** Container formats that are decoded, as sharp names them, plus `heic`, `raw` and `bmp`. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff' | 'svg' | 'heic' | 'raw' | 'bmp';

/**
 * Flags that come from the quality figures (thresholds are in `images/quality.ts`), and three about how the file is shown:
 * `rescaled` where it does not use the range of its numbers and was scaled by what it holds, `bands` where it has more
 * bands than colours, `gaps` where pixels stand for no measurement (the rules are in `images/deep-image.ts`).
 */
export const QUALITY_FLAGS = [
  'dark',
  'bright',
  'blurred',
  'uniform',
  'tiny',
  'odd-shape',
  'rescaled',
  'bands',
  'gaps',
] as const;
export type QualityFlag = (typeof QUALITY_FLAGS)[number];

export interface Quality {
  /** Mean luminance, 0 (black) to 1 (white). */
  readonly brightness: number;
  /** Variance of the Laplacian of the luminance (0 to 255) at the thumbnail's size; small means blurred. */
  readonly sharpness: number;
  /** Shannon entropy of the luminance histogram in bits, 0 (one grey) to 8. */
  readonly entropy: number;
}

export interface ImageRecord {
  readonly id: ImageId;
  readonly byteSize: number;
  readonly format: ImageFormat;
  /** Pixels of the upright image (EXIF orientation applied). */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation of the stored pixels, 1 to 8. */
  readonly orientation: number;
  /** Frames of an animation; 1 for a still. The first is the one that is looked at. */
  readonly frames: number;
  /** 64-bit perceptual hash as 16 hexadecimal digits. */
  readonly perceptualHash: string;
  readonly quality: Quality;
  readonly flags: readonly QualityFlag[];
  /** EXIF capture time, milliseconds since 1970 (of local time where the zone is unknown); null where unknown. */
  readonly capturedAtMs: number | null;
  /** EXIF make and model; null where unknown. */
  readonly camera: string | null;
  /** The smallest image id of the group that must stay on one side of any split. */
  readonly groupId: ImageId;
  /**
   * SHA-256 of what the upright decoded picture looks like (see `images/pixel-hash.ts`), 64 hexadecimal digits, so that a
   * file whose metadata alone changed is known again; null or left out where nobody has computed it.
   */
  readonly pixelHash?: string | null;
  /**
   * Luminance at 32 × 32, and after it the slopes of the cells (see `images/copies/print.ts`), by which mirrored, turned and
   * cropped copies are known. Written when an image comes in, and read by groups alone; images of before have none, or one
   * without slopes.
   */
  readonly print?: Uint8Array;
}

/** Where an image's bytes are. One image may have many paths. */
export interface ImagePath {
  readonly imageId: ImageId;
  /**
   * Absolute path in UTF-8; a member of an archive is `ARCHIVE!/MEMBER`. Bytes that are not valid UTF-8 are written
   * `\xHH` and the true bytes are in `pathBytes`.
   */
  readonly path: string;
  readonly pathBytes: Uint8Array | null;
  /** The folder, archive or list the path came in by, absolute. */
  readonly sourceRoot: string;
  readonly byteSize: number;
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number;
  /** True when `add --sync` found the file gone; its labels stay. */
  readonly missing: boolean;
}
