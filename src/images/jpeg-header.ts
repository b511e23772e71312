/** The few facts of a JPEG that can be read from its markers in microseconds, to spare a call of the decoder. */

export interface JpegHeader {
  /** Stored size in pixels, before any orientation. */
  readonly width: number;
  readonly height: number;
  readonly hasExif: boolean;
  /** Number of its SOF marker: 0 baseline, 1 extended, 2 progressive, 3 lossless, … */
  readonly process: number;
}

/**
 * Walks the marker segments (ITU-T T.81, annex B) up to the frame header; undefined when anything is not as expected, and
 * then the decoder is asked.
 */
export function jpegHeaderOf(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let hasExif = false;
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (marker === 0xe1 && bytes[at + 4] === 0x45 && bytes[at + 5] === 0x78) hasExif = true;
    // Start of frame: C0 to CF but for the tables DHT, JPG and DAC.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const height = (bytes[at + 5] << 8) | bytes[at + 6];
      const width = (bytes[at + 7] << 8) | bytes[at + 8];
      return width > 0 && height > 0 ? { width, height, hasExif, process: marker - 0xc0 } : undefined;
    }
    if (marker < 0xc0 || marker === 0xd9 || marker === 0xda || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}
