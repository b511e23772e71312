/** Messages between the calling thread and the two connections that live in threads of their own. */
import type { ErrorCode } from '../../errors.ts';
import { LabelsmithError } from '../../errors.ts';
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

/** An error as it crosses threads: structured clone would drop our class, its code and its hint. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  if (!(error instanceof LabelsmithError)) return { name, message, stack };
  return { name, message, stack, code: error.code, hint: error.hint, details: error.details };
}

export function errorOf(plain: PlainError): Error {
  const error =
    plain.code === undefined
      ? new Error(plain.message)
      : new LabelsmithError(plain.code, plain.message, { hint: plain.hint, details: plain.details });
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
