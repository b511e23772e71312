/**
 * One statement run for many rows in one round trip: it is parsed once, then bound and executed a row after the other, with
 * one synchronisation at the end. So no statement comes near the limit of parameters, and rows of one key in a batch count
 * one after the other, as they do in SQLite.
 *
 * A client of `pg` takes it as a query ("submittable"), as it does cursors.
 */
import type { Client, Connection, Submittable } from 'pg';
import type { SqlValue } from '../sql/sql-value.ts';
import { withoutNul } from './binary-array.ts';

/** What the protocol's messages take; the package's types are those of an older version. */
interface Messages {
  parse(message: { readonly text: string; readonly name: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly unknown[] }): void;
  execute(message: Record<string, never>): void;
  sync(): void;
  readonly stream: { cork(): void; uncork(): void };
}

/** @returns rows changed */
export function runBatch(client: Pick<Client, 'query'>, sql: string, rows: readonly (readonly SqlValue[])[]) {
  return new Promise<number>((resolve, reject) => {
    client.query(new Batch(sql, rows, resolve, reject));
  });
}

class Batch implements Submittable {
  readonly #sql: string;
  readonly #rows: readonly (readonly SqlValue[])[];
  readonly #resolve: (changed: number) => void;
  readonly #reject: (error: Error) => void;
  #changed = 0;
  #error: Error | undefined;

  constructor(
    sql: string,
    rows: readonly (readonly SqlValue[])[],
    resolve: (changed: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#sql = sql;
    this.#rows = rows;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    const messages = connection as unknown as Messages;
    messages.stream.cork();
    try {
      messages.parse({ text: this.#sql, name: '' });
      for (const row of this.#rows) {
        messages.bind({ statement: '', values: row.map(bound) });
        messages.execute({});
      }
      messages.sync();
    } finally {
      messages.stream.uncork();
    }
  }

  // What the client hands on, by name.

  handleCommandComplete(message: { readonly text: string }): void {
    this.#changed += changedRows(message.text);
  }

  handleError(error: Error): void {
    // The client hears of a lost connection, and no end follows; of the server's errors, an end does.
    this.#error = error;
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === undefined) this.#resolve(this.#changed);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

/** `INSERT 0 5`, `UPDATE 5`, `DELETE 5`. */
function changedRows(tag: string): number {
  return Number(/(\d+)$/.exec(tag)?.[1] ?? 0);
}

/** Numbers go as the shortest text that reads back as the same number; bytes as they are. */
export function bound(value: SqlValue): string | Buffer | null {
  if (value === null) return null;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return withoutNul(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
