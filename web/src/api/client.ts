/** The server as the page knows it: its contract's types, one way to call it, and its errors as they are shown. */
import { hc } from 'hono/client';
import type { ReviewApi } from '../../../src/server/app.ts';

export type { JobRequest } from '../../../src/server/job-request.ts';
export type { Job } from '../../../src/server/routes/jobs.ts';
export type {
  Cell,
  Cluster,
  CorpusChange,
  ImageDetail,
  ItemRef,
  LabelWritten,
  Region,
} from '../../../src/server/schemas.ts';
export type { ItemFilter, ItemOrder } from '../../../src/store/item-store.ts';

export type Quality = Awaited<ReturnType<Awaited<ReturnType<typeof api.quality.$get>>['json']>> & {};

export class ServerError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** As `fetch`; that nobody answers is said in words. */
export async function fetchHere(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (error) {
    if (error instanceof TypeError) throw new ServerError('GONE', 'Labelsmith does not answer.');
    throw error;
  }
}

export const { api } = hc<ReviewApi>('/', { fetch: fetchHere });

interface Answer<T> {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<T>;
}

type Good<T> = T extends { readonly error: unknown } ? never : T;

/** What came of a call; what the server refuses is thrown. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<Good<T>> {
  const response = await call;
  if (response.ok) return (await response.json()) as Good<T>;
  throw await failureOf(response);
}

export async function failureOf(response: Pick<Answer<unknown>, 'status' | 'json'>): Promise<ServerError> {
  const told: unknown = await response.json().catch(() => null);
  if (typeof told === 'object' && told !== null && 'error' in told) {
    const { error } = told as { error: { code: string; message: string; hint?: string } };
    return new ServerError(error.code, error.message, error.hint);
  }
  return new ServerError('UNKNOWN', `the server answered ${response.status}`);
}

export function thumbnailUrl({ itemId, imageId }: { readonly itemId: string; readonly imageId: string }): string {
  return `/api/images/${imageId}/thumbnail${itemId === imageId ? '' : `?region=${itemId}`}`;
}
