/** Messages between the calling thread and the two connections that live in threads of their own. */
import type { PlainError } from '../../threads/plain-error.ts';
import type { Batch } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import type { ConnectionOptions, Row } from './connection.ts';

/** A worker's `workerData`. */
export interface WorkerSetup extends ConnectionOptions {
  readonly role: 'writer' | 'pages' | 'analyst';
}

export interface PlainQuery {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** A part of a transaction: statements, then queries. An error takes the whole transaction back. */
export interface Step {
  readonly kind: 'step';
  /** Opens the transaction before, closes it after. */
  readonly begin: boolean;
  readonly commit: boolean;
  readonly batches: readonly Batch[];
  readonly queries: readonly PlainQuery[];
}

export interface StepResult {
  /** Rows changed, by batch. */
  readonly changed: readonly number[];
  /** By query. */
  readonly rows: readonly Row[][];
}

export type Request =
  | { readonly kind: 'open' }
  | Step
  | { readonly kind: 'rollback' }
  | ({ readonly kind: 'query' } & PlainQuery)
  | { readonly kind: 'check' }
  | { readonly kind: 'close' };

/** By kind of request. */
export interface Answers {
  open: null;
  step: StepResult;
  rollback: null;
  query: Row[];
  check: string[];
  close: null;
}

export type Reply =
  | { readonly id: number; readonly kind: 'answer'; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly kind: 'error'; readonly error: PlainError };
