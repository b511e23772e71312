/** What S3's answers mean, in the project's words. No message of the store is passed on unread: some repeat the key's id. */
import { LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';
import { networkError } from './network-error.ts';

/** A condition of a put that does not hold. */
export function isNotMet(error: unknown): boolean {
  return nameOf(error) === 'PreconditionFailed' || statusOf(error) === 412;
}

/** Nothing under this key, or no such upload; not: no such bucket. */
export function isAbsent(error: unknown): boolean {
  const name = nameOf(error);
  return name === 'NoSuchKey' || name === 'NotFound' || name === 'NoSuchUpload';
}

const CREDENTIALS_HINT =
  'The credentials are found as the AWS tools find them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile ' +
  '(AWS_PROFILE), or the role of the machine. AWS_ENDPOINT_URL_S3 names another server than Amazon.';

/** Names of answers and of failures before any came, that no further attempt changes. */
const REFUSALS: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'no credentials were found',
  AccessDenied: 'these credentials have no right to it',
  Forbidden: 'these credentials have no right to it',
  InvalidAccessKeyId: 'the store does not know these credentials',
  SignatureDoesNotMatch: 'the secret key is wrong',
  ExpiredToken: 'the credentials have expired',
  InvalidToken: 'the session token is wrong',
};

/** @param uri of the store, which holds no credential */
export function s3Error(error: unknown, uri: string): unknown {
  if (error instanceof LabelsmithError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const [name, status] = [nameOf(error), statusOf(error)];
  if (name === 'NoSuchBucket' || name === 'PermanentRedirect') {
    return new LabelsmithError('NOT_FOUND', `the bucket of ${uri} is not there`, {
      hint: 'Make it first, or look at its name and at the region (AWS_REGION).',
      details: { scope: 'target' },
      cause: error,
    });
  }
  if (name === 'RequestTimeTooSkewed') {
    return new LabelsmithError('REFUSED', `${uri}: this machine's clock is wrong by more than the store allows`, {
      hint: 'Set the clock (timedatectl set-ntp true) and push again.',
      details: { scope: 'target' },
      cause: error,
    });
  }
  const refusal = REFUSALS[name] ?? (status === 401 || status === 403 ? 'it is refused' : undefined);
  if (refusal !== undefined || /region is missing/i.test(messageOf(error))) {
    return new LabelsmithError('REFUSED', `${uri}: ${refusal ?? 'no region is set'}`, {
      hint: refusal === undefined ? 'Set AWS_REGION, or a region in the profile.' : CREDENTIALS_HINT,
      details: { scope: 'target' },
      cause: error,
    });
  }
  // What is left is the connection's or the server's: 5xx, 429, a digest that does not fit, an answer that is no S3.
  const what = systemCodeOf(error) ?? (status === undefined ? name : `${status} ${name}`);
  return networkError(uri, what, error);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && '$metadata' in error)) return undefined;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
