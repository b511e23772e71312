/**
 * Why an image is put in quarantine: a short stable reason for programs and a sentence for people. The table below is
 * the whole list; everything that sharp or libvips says is mapped onto it, so that no message of theirs is a contract.
 */
import { LabelsmithError } from '../errors.ts';
import { sniffFormat } from './sniff.ts';

/** Reason → what it means, as `status --quarantine` explains it. */
export const QUARANTINE_REASONS = {
  empty: 'the file has no bytes',
  truncated: 'the file ends before the image does',
  corrupt: 'the file has an image format but its contents cannot be decoded',
  'not-an-image': 'the contents are not an image, whatever the name says',
  'no-values': 'no pixel holds a measurement: all are NaN or no data',
  unsupported: 'the format is known but not decoded by this version',
  'too-large': 'more bytes or pixels than the limit',
  unreadable: 'the file could not be read',
} as const;

export type QuarantineReason = keyof typeof QUARANTINE_REASONS;

/** An image that cannot be used, with its reason in `reason` and in `details`. */
export class BadImageError extends LabelsmithError {
  readonly reason: QuarantineReason;

  constructor(reason: QuarantineReason, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('BAD_IMAGE', message, { ...options, details: { reason } });
    this.reason = reason;
  }
}

export function tooManyPixels(maxPixels: number, cause?: unknown): BadImageError {
  const message = `the image has more than ${Math.round(maxPixels / 1e6)} million pixels, the limit`;
  return new BadImageError('too-large', message, { cause });
}

/** What the formats that are told apart but not decoded need said. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  svg: 'SVG is a drawing, not a photograph, and may refer to other files; render it to PNG and add it again',
  jxl: 'JPEG XL images are not decoded; convert the file to JPEG or PNG and add it again',
  jp2: 'JPEG 2000 images are not decoded; convert the file to JPEG or PNG and add it again',
  psd: 'Photoshop documents are not decoded; export the file to PNG or TIFF and add it again',
  ico: 'icons are not decoded; convert the file to PNG and add it again',
  pdf: 'PDF documents are not images; extract their pictures and add those',
  video: 'this is a video, not a still image; extract its frames and add those',
};

/** Fails for bytes that need no decoder to be refused: nothing there, no image format, a format that is not decoded. */
export function refuseUndecodable(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new BadImageError('empty', 'the file is empty');
  const sniffed = sniffFormat(bytes);
  if (sniffed === undefined) {
    throw new BadImageError('not-an-image', 'the contents are not an image of any known format');
  }
  const unsupported = UNSUPPORTED[sniffed];
  if (unsupported !== undefined) throw new BadImageError('unsupported', unsupported);
}

/** Maps a failure of sharp on these bytes to a {@link BadImageError}; anything that is not about the image is given back. */
export function badImageFrom(error: unknown, bytes: Uint8Array, maxPixels: number): unknown {
  if (error instanceof LabelsmithError || !(error instanceof Error)) return error;
  const text = error.message;
  if (/pixel limit/i.test(text)) return tooManyPixels(maxPixels, error);
  if (/out of memory|unable to allocate|ENOMEM/i.test(text)) return error;
  if (endsEarly(bytes, text)) {
    return new BadImageError('truncated', 'the file ends before the image does', { cause: error });
  }
  const firstLine = text.replace(/^Input buffer has corrupt header:\s*/, '').split('\n', 1)[0] ?? '';
  const said = firstLine === '' ? '' : ` (${firstLine})`;
  return new BadImageError('corrupt', `the image is damaged and cannot be decoded${said}`, { cause: error });
}

/**
 * Whether a failed decode is one of a cut file. Formats that mark their end tell by themselves: JPEG by its EOI marker
 * behind the last scan, PNG by its last chunk, WebP by its first twelve bytes. For the others it is the decoder's message,
 * which may be that of another image, since libvips has one buffer of messages for all images under way.
 */
function endsEarly(bytes: Uint8Array, message: string): boolean {
  const format = sniffFormat(bytes);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'jpeg') return view.lastIndexOf(JPEG_END) <= view.lastIndexOf(JPEG_SCAN);
  if (format === 'png') return view.subarray(-64).lastIndexOf('IEND') < 0;
  if (format === 'webp') return view.length < 12 || view.readUInt32LE(4) + 8 > view.length;
  if (format === 'tiff' && tiffPointsPastEnd(view)) return true;
  return /premature end|unexpected end|end of file|bad seek|not enough data|read error/i.test(message);
}

/** Neither can stand within a scan, where a byte FF is followed by 00 or a restart marker (ITU-T T.81, B.1.1.5). */
const [JPEG_SCAN, JPEG_END] = [Buffer.from([0xff, 0xda]), Buffer.from([0xff, 0xd9])];

/** Whether a TIFF's first directory stands beyond its last byte; libvips does not even call such a file a TIFF. */
function tiffPointsPastEnd(view: Buffer): boolean {
  if (view.length < 8) return true;
  const offset = view[0] === 0x49 ? view.readUInt32LE(4) : view.readUInt32BE(4);
  return offset + 2 > view.length;
}
