/**
 * Errors of a shard that end its run: no other worker would get further, since what the run planned with is not there any more. A worker
 * writes such an error into the record in place of a result, so that the command meets it as if the shard had been done there, at
 * once and with its code, and can begin again.
 */
import { LabelsmithError } from '../../errors.ts';
import { errorOf, type PlainError, plainError } from '../../threads/plain-error.ts';

interface EndedRun {
  readonly endedWith: PlainError;
}

/** What a worker writes in place of a result; undefined for errors that another one may get over. */
export function endedRun(error: unknown): EndedRun | undefined {
  const ends = error instanceof LabelsmithError && error.details.scope === 'run';
  return ends ? { endedWith: plainError(error) } : undefined;
}

/** The error in place of a result; undefined where it is a result. */
export function errorInPlace(result: unknown): Error | undefined {
  if (typeof result !== 'object' || result === null || !('endedWith' in result)) return undefined;
  // Written by `endedRun` of the same version, cloned.
  return errorOf((result as EndedRun).endedWith);
}
