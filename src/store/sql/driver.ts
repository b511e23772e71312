/**
 * What a SQL database must do for the store; everything else in this folder is portable SQL on top of it.
 *
 * - `read` answers its queries from one snapshot and is short: it may run in the calling thread.
 * - `analyse` is for queries that look at everything; it never blocks the calling thread.
 * - `write` runs one transaction: all of it is durable when the promise resolves, or none of it happened.
 * - Guards make read-then-write safe between processes: the transaction does nothing but report `conflict` when a
 *   counter no longer has the value the caller read.
 * - What goes wrong comes out as LabelsmithError: `BUSY`, `DISK_FULL`, `NOT_FOUND` (a row refers to nothing),
 *   `WORKSPACE` (read-only, damaged, not a database, made by a newer version).
 */
import type { CompiledQuery, Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Anything Kysely can compile: a query under construction, or raw portable SQL (`rawQuery`). */
export interface Query<Row> {
  compile(): CompiledQuery<Row>;
}

export type SqlValue = string | number | null | Uint8Array;

/** One statement, run once for each row of parameters. */
export interface Statement {
  readonly sql: string;
  readonly rows: readonly (readonly SqlValue[])[];
}

/** The row of `counter` named `counter` must hold `value` for the transaction to go through. */
export interface Guard {
  readonly counter: string;
  readonly value: number;
}

export interface Transaction {
  readonly guards: readonly Guard[];
  readonly statements: readonly Statement[];
}

export type WriteResult =
  | { readonly kind: 'done' /** Rows changed, by statement. */; readonly changes: readonly number[] }
  | { readonly kind: 'conflict' };

/** The rows each query gives. */
export type RowsOf<Queries extends readonly Query<unknown>[]> = {
  [K in keyof Queries]: Queries[K] extends Query<infer Row> ? Row[] : never;
};

export interface SqlDriver {
  /** Builds and compiles queries in the database's dialect; it runs nothing itself. */
  readonly db: Kysely<Schema>;
  readonly schemaVersion: number;
  read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>>;
  analyse<Row>(query: Query<Row>): Promise<Row[]>;
  write(transaction: Transaction): Promise<WriteResult>;
  /** The database's own checks of its file and its references; empty when all is well. */
  check(): Promise<string[]>;
  close(): Promise<void>;
}
