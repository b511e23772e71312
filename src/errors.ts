/**
 * Every error a person may see. A message says what was wrong and with what; `hint` says what to do about it.
 * Anything else that reaches the top of the command line is a bug and is printed with its stack.
 */

/** What went wrong, for programs. The exit code follows from it: `USAGE` is 2, `INTERRUPTED` 130, the rest 1. */
export type ErrorCode =
  | 'USAGE'
  | 'NOT_FOUND'
  | 'BAD_IMAGE'
  | 'BAD_FILE'
  | 'BAD_MODEL'
  | 'UNSUPPORTED'
  | 'NETWORK'
  | 'WORKSPACE'
  | 'BUSY'
  | 'DISK_FULL'
  | 'REFUSED'
  | 'INTERRUPTED';

export interface ErrorOptions {
  /** What the user can do about it: a full sentence, naming the command or option. */
  readonly hint?: string;
  /** Data for programs: paths, keys, line numbers. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class LabelsmithError extends Error {
  override readonly name = 'LabelsmithError';
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Whether this is thrown because somebody wanted work to stop: by this project, or by what an `AbortSignal` was given to. */
export function isInterruption(error: unknown): boolean {
  if (error instanceof LabelsmithError) return error.code === 'INTERRUPTED';
  return error instanceof Error && error.name === 'AbortError';
}

/** The exit code of the command line for an error that ended it. */
export function exitCodeOf(error: unknown): 1 | 2 | 130 {
  if (isInterruption(error)) return 130;
  return error instanceof LabelsmithError && error.code === 'USAGE' ? 2 : 1;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ENOSPC`, …) of anything thrown, if it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
