/** What Google's answers mean, in the project's words. Their own texts are not passed on: they repeat addresses of sessions. */
import { LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';
import { networkError } from './network-error.ts';

const CREDENTIALS_HINT =
  'The credentials are found as the Google tools find them: GOOGLE_APPLICATION_CREDENTIALS, ' +
  'gcloud auth application-default login, or the service account of the machine.';

/** An answer of a session, whose requests are not the SDK's. */
export class SessionAnswer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`answer ${status}`);
    this.status = status;
  }
}

/** @param uri of the store, which holds no credential */
export function googleError(error: unknown, uri: string): unknown {
  if (error instanceof LabelsmithError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const status = statusOf(error);
  if (isBucketMissing(error)) {
    return new LabelsmithError('NOT_FOUND', `the bucket of ${uri} is not there`, {
      hint: 'Make it first, or look at its name.',
      details: { scope: 'target' },
      cause: error,
    });
  }
  const without = /could not load the default credentials|could not refresh access token|invalid_grant/i;
  const noCredentials = without.test(messageOf(error));
  if (status === 401 || status === 403 || noCredentials) {
    const why = noCredentials ? 'no credentials were found' : 'these credentials have no right to it';
    return new LabelsmithError('REFUSED', `${uri}: ${why}`, {
      hint: CREDENTIALS_HINT,
      details: { scope: 'target' },
      cause: error,
    });
  }
  const what = status ?? systemCodeOf(error) ?? systemCodeOf(causeOf(error)) ?? nameOf(error);
  return networkError(uri, what, error);
}

/** Nothing under this key; not: no such bucket. */
export function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && !isBucketMissing(error);
}

/** A condition of a put that does not hold. */
export function isNotMet(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** An upload under way that the store does not know any more. */
export function isSessionGone(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
}

function isBucketMissing(error: unknown): boolean {
  return statusOf(error) === 404 && /bucket does not exist/i.test(messageOf(error));
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const told =
    'status' in error && error.status !== undefined ? error.status : 'code' in error ? error.code : undefined;
  const status = Number(told);
  return Number.isInteger(status) && status >= 300 ? status : undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no answer';
}
