/** One transaction under way on a connection: what is added waits for the next read or the end, and goes in batches. */
import type { PoolClient } from 'pg';
import type { Query, RowsOf, SqlTransaction } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import { runBatch } from './batch.ts';
import { type BulkForm, type BulkQuery, bulkFormOf, bulkQuery } from './bulk.ts';
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
        const part = rows.slice(start, start + MAX_ROWS);
        const bulk = part.length < MIN_BULK_ROWS ? undefined : await bulkOf(client, sql, part);
        if (bulk === undefined) changed += await runBatch(client, text, part);
        else changed += (await client.query({ text: bulk.text, values: [...bulk.values] })).rowCount ?? 0;
      }
      this.#changed.push(changed);
    }
    return client;
  }
}

/** From here on one statement for all is quicker than one after the other. */
const MIN_BULK_ROWS = 8;

const forms = new Map<string, BulkForm | undefined>();
/** Types of the parameters of a statement, which only the server knows; the same in all schemas. */
const oidsOf = new Map<string, readonly number[]>();

async function bulkOf(
  client: PoolClient,
  sql: string,
  rows: readonly (readonly SqlValue[])[],
): Promise<BulkQuery | undefined> {
  if (!forms.has(sql)) forms.set(sql, bulkFormOf(sql));
  const form = forms.get(sql);
  if (form === undefined) return undefined;
  let oids = oidsOf.get(sql);
  if (oids === undefined) {
    oids = await parameterTypes(client, numbered(sql));
    oidsOf.set(sql, oids);
  }
  return bulkQuery(form, oids, rows);
}

async function parameterTypes(client: PoolClient, text: string): Promise<readonly number[]> {
  await client.query(`PREPARE labelsmith_types AS ${text}`);
  const { rows } = await client.query<{ oids: string }>(
    `select array_to_string(parameter_types::oid[], ' ') as oids from pg_prepared_statements where name = 'labelsmith_types'`,
  );
  await client.query('DEALLOCATE labelsmith_types');
  return (rows[0]?.oids ?? '').split(' ').map(Number);
}
