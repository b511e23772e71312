/**
 * The calling thread's end of transactions: what is added waits for the next read or the end, so that a transaction takes
 * few messages; and one transaction waits for the other.
 */
import { LabelsmithError } from '../../errors.ts';
import type { Query, RowsOf, SqlTransaction } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import type { PlainQuery, StepResult } from './protocol.ts';
import type { DatabaseThread } from './thread.ts';

type Read = SqlTransaction['before'];

export class Transactions {
  readonly #writer: DatabaseThread;
  readonly #read: Read;
  /** Settles when the transaction before has ended. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param read reads what is committed, in the calling thread */
  constructor(writer: DatabaseThread, read: Read) {
    this.#writer = writer;
    this.#read = read;
  }

  run<T>(work: (transaction: SqlTransaction) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#alone(work));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #alone<T>(work: (transaction: SqlTransaction) => Promise<T>): Promise<T> {
    const transaction = new Transaction(this.#writer, this.#read);
    try {
      const result = await work(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }
}

class Transaction implements SqlTransaction {
  readonly #writer: DatabaseThread;
  readonly #read: Read;
  #waiting: { sql: string; rows: (readonly SqlValue[])[] }[] = [];
  #changed: number[] = [];
  /** `open` from the first step on; the writer ends a transaction by itself when a step of it fails. */
  #state: 'new' | 'open' | 'ended' = 'new';

  constructor(writer: DatabaseThread, read: Read) {
    this.#writer = writer;
    this.#read = read;
  }

  /** While the writer has the lock, what is committed is what was there when it got it; and rows need not cross threads. */
  async before<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>> {
    if (this.#state === 'new') await this.#step([], false);
    return this.#read(queries);
  }

  add(sql: string, row: readonly SqlValue[]): void {
    const last = this.#waiting.at(-1);
    if (last?.sql === sql) last.rows.push(row);
    else this.#waiting.push({ sql, rows: [row] });
  }

  async read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>> {
    const compiled = queries.map((query): PlainQuery => {
      const { sql, parameters } = query.compile();
      return { sql, parameters: parameters as readonly SqlValue[] };
    });
    const { rows } = await this.#step(compiled, false);
    return rows as unknown as RowsOf<Queries>;
  }

  async changed(): Promise<readonly number[]> {
    if (this.#waiting.length > 0) await this.#step([], false);
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  async commit(): Promise<void> {
    // One that did nothing needs no lock.
    if (this.#state === 'open' || this.#waiting.length > 0) await this.#step([], true);
    this.#state = 'ended';
  }

  async rollback(): Promise<void> {
    if (this.#state === 'open') await this.#writer.ask({ kind: 'rollback' }).catch(() => {});
    this.#state = 'ended';
  }

  async #step(queries: readonly PlainQuery[], commit: boolean): Promise<StepResult> {
    if (this.#state === 'ended') throw new LabelsmithError('BUSY', 'The transaction has ended');
    const batches = this.#waiting;
    this.#waiting = [];
    const begin = this.#state === 'new';
    this.#state = 'ended';
    const result = await this.#writer.ask({ kind: 'step', begin, commit, batches, queries });
    if (!commit) this.#state = 'open';
    this.#changed.push(...result.changed);
    return result;
  }
}
