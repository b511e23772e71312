/**
 * What a SQL database must do for the store; everything else in this folder is portable SQL on top of it.
 *
 * - `read` answers its queries from one snapshot and is short: it may run in the calling thread.
 * - `analyse` is for queries that look at everything; it never blocks the calling thread.
 * - `transaction` is all or nothing, durable when the promise resolves, and alone: what is read in it stays true until it
 *   ends, for other processes too. Transactions of one process wait for each other, so `work` must be short, and must
 *   not wait for another one.
 * - Numbers that the database gives (`integer` keys of new rows) grow in the order in which others see the rows.
 * - What goes wrong comes out as LabelsmithError: `BUSY`, `DISK_FULL`, `NOT_FOUND` (a row refers to nothing),
 *   `WORKSPACE` (read-only, damaged, not a database, made by a newer version).
 */
import type { CompiledQuery, Kysely } from 'kysely';
import type { SqlValue } from './sql-value.ts';
import type { Schema } from './tables.ts';

/** Anything Kysely can compile: a query under construction, or raw portable SQL. */
export interface Query<Row> {
  compile(): CompiledQuery<Row>;
}

/** One statement with `?` for its parameters, run once for each row of them. */
export interface Batch {
  readonly sql: string;
  readonly rows: readonly (readonly SqlValue[])[];
}

/** The rows each query gives. */
export type RowsOf<Queries extends readonly Query<unknown>[]> = {
  [K in keyof Queries]: Queries[K] extends Query<infer Row> ? Row[] : never;
};

export interface SqlTransaction {
  /** What was there when the transaction began, whatever it did since: the quick way to look before changing. */
  before<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>>;
  /** Sees what was done before it in this transaction. A query may be an `insert … returning`. */
  read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>>;
  /** To be done in order, before the next `read` or the end. Runs of one statement in a row travel together. */
  add(sql: string, row: readonly SqlValue[]): void;
  /** Does what was added, and gives the number of rows that each statement since the last time has changed. */
  changed(): Promise<readonly number[]>;
}

export interface AnalyseOptions {
  /** Somebody waits for it, and it looks at a part alone: what looks at everything does not hold it up. Default false. */
  readonly soon?: boolean;
}

export interface TransactionOptions {
  /**
   * `work` may be done again from its beginning, since it changes nothing but the transaction: so it is where the connection was
   * lost, and with it all that was done in it. Default false.
   */
  readonly isRepeatable?: boolean;
}

export interface SqlDriver {
  /** Builds and compiles queries in the database's dialect; it runs nothing itself. */
  readonly db: Kysely<Schema>;
  readonly schemaVersion: number;
  read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>>;
  analyse<Row>(query: Query<Row>, options?: AnalyseOptions): Promise<Row[]>;
  /** SQL that joins the bytes of these columns, row after row in their order, as one hexadecimal text; null of no row. */
  joinedHex(columns: readonly string[]): string;
  /** SQL that joins the values of this column with blanks; null of no row. */
  joinedText(column: string): string;
  /** Commits when `work` is done, and takes everything back when it fails. */
  transaction<T>(work: (transaction: SqlTransaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Numbers that rows were given by hand in this transaction are not given again by the database. */
  continueNumbers(transaction: SqlTransaction): Promise<void>;
  /** The database's own checks of its file and its references; empty when all is well. */
  check(): Promise<string[]>;
  close(): Promise<void>;
}
