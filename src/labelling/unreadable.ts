/** Which failures are about one file, and what quarantine says of it. */
import type { ImageId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import { type ErrorCode, LabelsmithError } from '../errors.ts';
import type { QuarantineRow } from '../store/store.ts';

const ABOUT_ONE_FILE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_FOUND',
  'BAD_IMAGE',
  'BAD_FILE',
  'UNSUPPORTED',
  'REFUSED',
]);

/** Whether reading or decoding failed because of the file, which must not stop a run; a full disk, say, does. */
export function isAboutOneFile(error: unknown): error is LabelsmithError {
  return error instanceof LabelsmithError && ABOUT_ONE_FILE.has(error.code);
}

/** `path` is the image's first one; an image may have none left. */
export function quarantineRowOf(
  imageId: ImageId,
  path: ImagePath | undefined,
  error: LabelsmithError,
  stage: string,
): QuarantineRow {
  return {
    path: path?.path ?? imageId,
    sourceRoot: path?.sourceRoot ?? '',
    reason: typeof error.details.reason === 'string' ? error.details.reason : error.code.toLowerCase(),
    message: error.message,
    // Not the recorded ones: a file that is back as it was must not count as known and unchanged to `add`.
    byteSize: 0,
    modifiedAtMs: 0,
    stage,
  };
}
