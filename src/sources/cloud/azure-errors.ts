/** What Azure's answers mean, in the project's words. Their own texts are not passed on: they repeat addresses with tokens. */
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import type { PutCondition } from '../sink.ts';
import { networkError } from './network-error.ts';

const CREDENTIALS_HINT =
  'The credentials are found as the Azure tools find them: AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with ' +
  'AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or az login and the identity of the machine (npm install @azure/identity).';

export function refused(message: string, cause?: unknown): LabelsmithError {
  return new LabelsmithError('REFUSED', message, { hint: CREDENTIALS_HINT, details: { scope: 'target' }, cause });
}

/** Nothing under this key; not: no such container. The answer to a HEAD has a status and a code alone. */
export function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && !isContainerMissing(error);
}

/** A condition of a put that does not hold. Of a blob that has to be absent, the store says that it is there. */
export function isNotMet(error: unknown, condition: PutCondition): boolean {
  if (statusOf(error) === 412) return true;
  switch (condition.kind) {
    case 'any':
      return false;
    case 'absent':
      return statusOf(error) === 409 && codeOf(error) === 'BlobAlreadyExists';
    case 'version':
      return isAbsent(error);
    default:
      return condition satisfies never;
  }
}

/** @param uri of the store, which holds no credential */
export function azureError(error: unknown, uri: string): unknown {
  if (error instanceof LabelsmithError) return error;
  const [status, code] = [statusOf(error), codeOf(error)];
  if (isContainerMissing(error)) {
    return new LabelsmithError('NOT_FOUND', `the container of ${uri} is not there`, {
      hint: 'Make it first, or look at its name and at the account.',
      details: { scope: 'target' },
      cause: error,
    });
  }
  const name = error instanceof Error ? error.name : '';
  if (/^(CredentialUnavailable|Authentication|AggregateAuthentication)/.test(name)) {
    return refused(`${uri}: no credentials were found`, error);
  }
  if (status === 401 || status === 403) {
    const why =
      code === 'AuthenticationFailed' ? 'the credentials, or the clock of this machine, are wrong' : 'no right';
    return refused(`${uri}: it is refused: ${why} (${code || status})`, error);
  }
  const what = status === undefined ? (systemCodeOf(error) ?? (name || 'no answer')) : `${status} ${code}`.trim();
  return networkError(uri, what, error);
}

function isContainerMissing(error: unknown): boolean {
  return ['ContainerNotFound', 'ContainerBeingDeleted'].includes(codeOf(error));
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** In the answer's text; of one without a text (a HEAD) in its headers. */
function codeOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code !== undefined || !(error instanceof Error && 'details' in error)) return code ?? '';
  const { details } = error;
  if (typeof details !== 'object' || details === null || !('errorCode' in details)) return '';
  return typeof details.errorCode === 'string' ? details.errorCode : '';
}
