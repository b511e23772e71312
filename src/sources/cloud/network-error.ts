/** What is left of a store's errors when none of them can be named: the connection's, or the server's own trouble. */
import { LabelsmithError } from '../../errors.ts';

/** What never came as far as the store. */
const UNREACHED = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** @param what the code or the status, as the store or the system gives it */
export function networkError(uri: string, what: string | number, cause: unknown): LabelsmithError {
  if (UNREACHED.has(String(what))) {
    return new LabelsmithError('NETWORK', `${uri}: the store cannot be reached (${what})`, {
      hint: 'Check the address and the network, then run it again: what is done already is not done twice.',
      cause,
    });
  }
  return new LabelsmithError('NETWORK', `${uri}: the store did not answer as it should (${what})`, {
    hint: 'Run it again: what is done already is not done twice.',
    cause,
  });
}
