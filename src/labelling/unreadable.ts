/** Which failures are about one file, and what becomes of its image: it is put aside, or tried again. */
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

/** An image that could not be read. One whose file is not there now is no broken image: the next run tries it again. */
export type Unread = { readonly kind: 'bad'; readonly row: QuarantineRow } | { readonly kind: 'away' };

/** Images that could not be read, in a run's counts. */
export type UnreadCounts = {
  readonly quarantined: number;
  /** Their files are not there now, as of a folder that is not mounted. */
  readonly away: number;
};

/** What an error of reading an image comes to; one that is not about a file is thrown. `path` is the image's first one. */
export function unreadOf(imageId: ImageId, path: ImagePath | undefined, error: unknown, stage: string): Unread {
  if (!isAboutOneFile(error)) throw error;
  const away = error.details.reason === 'missing';
  return away ? { kind: 'away' } : { kind: 'bad', row: quarantineRowOf(imageId, path, error, stage) };
}

/** Rows for quarantine, and how many images there are of each kind. */
export function unreadAmong(results: readonly (Unread | { readonly kind: 'done' })[]): {
  readonly rows: readonly QuarantineRow[];
  readonly counts: UnreadCounts;
} {
  const rows = results.flatMap((result) => (result.kind === 'bad' ? [result.row] : []));
  const away = results.filter(({ kind }) => kind === 'away').length;
  return { rows, counts: { quarantined: rows.length, away } };
}

function quarantineRowOf(
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
