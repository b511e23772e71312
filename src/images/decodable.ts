/**
 * Files that libvips does not read rightly, as bytes that it does: the primary image of a HEIC file and a Windows bitmap as
 * uncompressed TIFF, the picture inside of a camera raw file as the JPEG that it is, numbers of more than 8 bits scaled by what
 * they hold. Every decode begins here, so that all of them see the same picture, upright once: HEIF's own turns are in the
 * pixels, a raw file's orientation is in the JPEG's EXIF block.
 */
import { decodeBmp } from './bmp.ts';
import { deepImage } from './deep-image.ts';
import { decodeHeif } from './heif/heif.ts';
import { rawPreview } from './raw/raw-preview.ts';
import { sniffFormat } from './sniff.ts';
import type { ValueRange } from './value-range.ts';

export interface Decodable {
  readonly bytes: Uint8Array;
  /** The TIFF block of EXIF data that `bytes` does not carry itself. */
  readonly exif?: Uint8Array;
  /** Pictures in the file, where `bytes` does not say it. */
  readonly frames?: number;
  /** What of the file's numbers was taken for black and white, where that are not all that its type has. */
  readonly range?: ValueRange;
  /** The file has bands beyond the one or three that are shown. */
  readonly hasMoreBands?: boolean;
  /** Pixels that stand for no measurement are black. */
  readonly hasGaps?: boolean;
}

/** Fails with `BadImageError`. Bytes of any other format are given back as they are. */
export async function decodable(bytes: Uint8Array, maxPixels: number): Promise<Decodable> {
  const format = sniffFormat(bytes);
  switch (format) {
    case 'heic': {
      const { tiff, exif, images } = await decodeHeif(bytes, maxPixels);
      return { bytes: tiff, exif: exif ?? undefined, frames: images };
    }
    case 'bmp':
      return { bytes: decodeBmp(bytes, maxPixels) };
    case 'raw':
      return { bytes: rawPreview(bytes) };
    case 'png':
    case 'tiff': {
      const deep = await deepImage(bytes, format, maxPixels);
      if (deep === null) return { bytes };
      const { tiff, ...facts } = deep;
      return { bytes: tiff, ...facts };
    }
    default:
      return { bytes };
  }
}
