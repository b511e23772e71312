/** One transaction under way on a connection: what is added waits for the next read or the end, and goes in batches. */
import type { PoolClient } from 'pg';
import type { Query, RowsOf, SqlTransaction } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import { runBatch } from './batch.ts';
import { configOf, numbered } from './query.ts';

/** Rows that one batch holds until it is sent: bounds the memory of the two sides. */
const MAX_ROWS = 5000;

export class Transaction implements SqlTransaction {
  readonly #open: () => Promise<PoolClient>;
  readonly #read: SqlTransaction['before'];
  #client: Promise<PoolClient> | undefined;
  #waiting: { readonly sql: string; readonly rows: (readonly SqlValue[])[] }[] = [];
  #changed: number[] = [];
  #hasEnded = false;

  /** @param open begins it on a connection; @param read reads what is committed */
  constructor(open: () => Promise<PoolClient>, read: SqlTransaction['before']) {
    this.#open = open;
    this.#read = read;
  }

  /** While this holds the lock, what is committed is what was there when it got it. */
  async before<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>> {
    await this.#begun();
    return this.#read(queries);
  }

  async read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>> {
    const client = await this.#flushed();
    const results: unknown[][] = [];
    for (const query of queries) results.push((await client.query(configOf(query))).rows);
    return results as unknown as RowsOf<Queries>;
  }

  add(sql: string, row: readonly SqlValue[]): void {
    const last = this.#waiting.at(-1);
    if (last?.sql === sql) last.rows.push(row);
    else this.#waiting.push({ sql, rows: [row] });
  }

  async changed(): Promise<readonly number[]> {
    if (this.#waiting.length > 0) await this.#flushed();
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /** Sends what waits; the connection to commit on, or none where nothing was done. */
  async end(): Promise<PoolClient | undefined> {
    const client = this.#client === undefined && this.#waiting.length === 0 ? undefined : await this.#flushed();
    this.#hasEnded = true;
    this.#client = undefined;
    return client;
  }

  /** The connection to take it back on. */
  async abandon(): Promise<PoolClient | undefined> {
    this.#hasEnded = true;
    return this.#client?.catch(() => undefined);
  }

  #begun(): Promise<PoolClient> {
    if (this.#hasEnded) throw new Error('The transaction has ended');
    this.#client ??= this.#open();
    return this.#client;
  }

  async #flushed(): Promise<PoolClient> {
    const client = await this.#begun();
    const batches = this.#waiting;
    this.#waiting = [];
    for (const { sql, rows } of batches) {
      const text = numbered(sql);
      let changed = 0;
      for (let start = 0; start < rows.length; start += MAX_ROWS) {
        changed += await runBatch(client, text, rows.slice(start, start + MAX_ROWS));
      }
      this.#changed.push(changed);
    }
    return client;
  }
}
