/** Which failures are about one file, and what becomes of its image: it is put aside with the reason. */
import type { ImageId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import { type ErrorCode, LabelsmithError } from '../errors.ts';
import { FILE_GONE, type QuarantineRow, type Store } from '../store/store.ts';

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

/** An image that could not be read. */
export interface ReadError {
  readonly kind: 'bad';
  readonly row: QuarantineRow;
  /** The record has no path of it any more: `forget` took it out since it was planned, and there is nothing to put aside. */
  readonly isForgotten?: boolean;
}

/** Images that could not be read, in a run's counts. */
export type ReadErrorCounts = {
  readonly quarantined: number;
  /** Those of them that are offline: their file is not there now, as of a folder that is not mounted. The next run tries them again. */
  readonly away: number;
};

/** What an error of reading an image comes to; one that is not about a file is thrown. `path` is the image's first one. */
export function readErrorOf(
  imageId: ImageId,
  path: Pick<ImagePath, 'path' | 'sourceRoot'> | undefined,
  error: unknown,
  stage: string,
): ReadError {
  if (!isAboutOneFile(error)) throw error;
  return { kind: 'bad', row: quarantineRowOf(imageId, path, error, stage), isForgotten: path === undefined };
}

/** Rows for quarantine, and how many they are. */
export function readErrorsAmong(results: readonly (ReadError | { readonly kind: 'done' })[]): {
  readonly rows: readonly QuarantineRow[];
  readonly counts: ReadErrorCounts;
} {
  const rows = results.flatMap((result) => (result.kind === 'bad' && !result.isForgotten ? [result.row] : []));
  const away = rows.filter(({ reason }) => reason === FILE_GONE).length;
  return { rows, counts: { quarantined: rows.length, away } };
}

/** Paths in quarantine, by whether they are there because their file was gone: those are tried again. */
export interface Quarantined {
  readonly offline: ReadonlySet<string>;
  readonly broken: ReadonlySet<string>;
}

/** Resident: the paths in quarantine. */
export async function quarantinedPaths(store: Pick<Store, 'quarantine'>): Promise<Quarantined> {
  const offline = new Set<string>();
  const broken = new Set<string>();
  for await (const page of store.quarantine()) {
    for (const { path, reason } of page) (reason === FILE_GONE ? offline : broken).add(path);
  }
  return { offline, broken };
}

/**
 * Takes paths that were offline and have been read now out of quarantine. Called before what was made of their images is
 * written: killed in between, they are only read once more.
 */
export async function requeue(
  store: Pick<Store, 'liftQuarantine'>,
  { offline }: Pick<Quarantined, 'offline'>,
  read: Iterable<string>,
): Promise<void> {
  const back = [...read].filter((path) => offline.has(path));
  if (back.length > 0) await store.liftQuarantine(back);
}

function quarantineRowOf(
  imageId: ImageId,
  path: Pick<ImagePath, 'path' | 'sourceRoot'> | undefined,
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
