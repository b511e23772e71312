/**
 * Files that libvips does not read, as bytes that it does: the primary image of a HEIC file as an uncompressed TIFF, the
 * picture inside of a camera raw file as the JPEG that it is. Every decode begins here, so that all of them see the same
 * picture, upright once: HEIF's own turns are in the pixels, a raw file's orientation is in the JPEG's EXIF block.
 */
import { decodeHeif } from './heif/heif.ts';
import { rawPreview } from './raw/raw-preview.ts';
import { sniffFormat } from './sniff.ts';

export interface Decodable {
  readonly bytes: Uint8Array;
  /** The TIFF block of EXIF data that `bytes` does not carry itself. */
  readonly exif?: Uint8Array;
  /** Pictures in the file, where `bytes` does not say it. */
  readonly frames?: number;
}

/** Fails with `BadImageError`. Bytes of any other format are given back as they are. */
export async function decodable(bytes: Uint8Array, maxPixels: number): Promise<Decodable> {
  switch (sniffFormat(bytes)) {
    case 'heic': {
      const { tiff, exif, images } = await decodeHeif(bytes, maxPixels);
      return { bytes: tiff, exif: exif ?? undefined, frames: images };
    }
    case 'raw':
      return { bytes: rawPreview(bytes) };
    default:
      return { bytes };
  }
}
