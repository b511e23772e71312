/**
 * What ended a command, as it is told. Errors of the system (a full disk, a folder that may not be read) are the
 * surroundings' and get a sentence like our own; only what is neither is called a bug.
 */
import { type ErrorCode, isInterruption, LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';

interface SystemError {
  readonly code: ErrorCode;
  /** What it is about comes before this, where it is known. */
  readonly text: string;
  readonly hint?: string;
}

const ROOM = 'Free some space, or work on another disk.';
const RIGHTS = 'Choose a place that you may read and write, or ask for the right to it.';
const MEMORY = 'Close other programs, or use fewer --threads.';

const SYSTEM_ERRORS: Readonly<Record<string, SystemError>> = {
  ENOSPC: { code: 'DISK_FULL', text: 'the disk is full', hint: ROOM },
  EDQUOT: { code: 'DISK_FULL', text: 'the disk quota is used up', hint: ROOM },
  EFBIG: { code: 'DISK_FULL', text: 'the file is larger than its file system takes', hint: ROOM },
  EACCES: { code: 'REFUSED', text: 'permission denied', hint: RIGHTS },
  EPERM: { code: 'REFUSED', text: 'not permitted', hint: RIGHTS },
  EROFS: { code: 'REFUSED', text: 'the file system may only be read', hint: RIGHTS },
  ENOENT: { code: 'NOT_FOUND', text: 'no such file or folder' },
  ENOTDIR: { code: 'NOT_FOUND', text: 'a part of the path is no folder' },
  EISDIR: { code: 'BAD_FILE', text: 'it is a folder' },
  ELOOP: { code: 'BAD_FILE', text: 'its links lead round in a circle' },
  ENAMETOOLONG: { code: 'BAD_FILE', text: 'the name is longer than the file system takes' },
  EIO: { code: 'BAD_FILE', text: 'the disk cannot be read or written', hint: 'Look for a failing disk or cable.' },
  EMFILE: { code: 'BUSY', text: 'too many files are open', hint: 'Raise the limit: ulimit -n 4096.' },
  ENFILE: { code: 'BUSY', text: 'too many files are open on this machine' },
  EBUSY: { code: 'BUSY', text: 'another program is using it' },
  ESTALE: { code: 'NOT_FOUND', text: 'the network drive lost it', hint: 'Run it again when the drive is back.' },
  ENOMEM: { code: 'BUSY', text: 'there is not enough memory', hint: MEMORY },
  ERR_WORKER_OUT_OF_MEMORY: { code: 'BUSY', text: 'there is not enough memory', hint: MEMORY },
  EAGAIN: { code: 'BUSY', text: 'the system has no more threads or processes to give', hint: MEMORY },
};

/** Our own error, or one that says what the system said; undefined for a bug. */
export function asLabelsmithError(error: unknown): LabelsmithError | undefined {
  if (error instanceof LabelsmithError) return error;
  if (isInterruption(error)) return new LabelsmithError('INTERRUPTED', 'interrupted', { cause: error });
  const known = SYSTEM_ERRORS[systemCodeOf(error) ?? ''];
  if (known === undefined) return undefined;
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const message = path === undefined ? known.text : `${path}: ${known.text}`;
  return new LabelsmithError(known.code, message, { hint: known.hint, cause: error });
}

/** For people, on stderr. */
export function failureText(error: unknown): string {
  const known = asLabelsmithError(error);
  if (known === undefined) {
    return `labelsmith: this is a bug, please report it.\n${error instanceof Error ? error.stack : String(error)}`;
  }
  const stack = process.env.LABELSMITH_DEBUG && known.stack ? `\n${known.stack}` : '';
  return `labelsmith: ${known.message}${known.hint ? `\n  ${known.hint}` : ''}${stack}`;
}

/** With `--json` an error is a document too, so that a program never has to read prose. */
export function failureDocument(error: unknown): unknown {
  const known = asLabelsmithError(error);
  if (known === undefined) return { error: { code: 'BUG', message: messageOf(error) } };
  const { code, message, hint, details } = known;
  return { error: { code, message, hint, details } };
}
