/** Messages between the calling thread and the two connections that live in threads of their own. */
import type { PlainError } from '../../threads/plain-error.ts';
import type { SqlValue, Transaction, WriteResult } from '../sql/driver.ts';
import type { ConnectionOptions, Row } from './connection.ts';

/** A worker's `workerData`. */
export interface WorkerSetup extends ConnectionOptions {
  readonly role: 'writer' | 'analyst';
}

export type Request =
  | { readonly kind: 'write'; readonly transaction: Transaction }
  | { readonly kind: 'query'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  | { readonly kind: 'check' }
  | { readonly kind: 'close' };

/** By kind of request. */
export interface Answers {
  write: WriteResult;
  query: Row[];
  check: string[];
  close: null;
}

export type Reply =
  | { readonly id: number; readonly kind: 'answer'; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly kind: 'error'; readonly error: PlainError };
