/**
 * PostgreSQL through `pg`: a pool for reads, one connection at a time for transactions.
 *
 * A transaction holds the schema's advisory lock from its first statement to its end, so that it is alone as in SQLite:
 * what it read stays true, and numbers that the database gives grow in the order in which others see them. A commit is a
 * shard, some hundred milliseconds; `docs/fleet.md` says how many of them a second that allows.
 *
 * Whoever holds the lock and does nothing (a machine that stands still, a link that was cut) loses it after
 * {@link PostgresOptions.idleTimeoutMs}, and its transaction is taken back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { LabelsmithError } from '../../errors.ts';
import type { Query, RowsOf, SqlDriver } from '../sql/driver.ts';
import type { Schema } from '../sql/tables.ts';
import type { PostgresAddress } from './address.ts';
import { lockOf, migrate, openPool } from './connect.ts';
import { guarded, isLostConnection } from './errors.ts';
import { MIGRATIONS, NUMBERED } from './migrations.ts';
import { configOf } from './query.ts';
import { Transaction } from './transaction.ts';
import { PATIENCE_MS, whileLost } from './while-lost.ts';

export interface PostgresOptions {
  readonly address: PostgresAddress;
  /** Makes the schema where it is not there. */
  readonly create: boolean;
  /** How long a transaction waits for those of others before it fails with `BUSY`, milliseconds. */
  readonly busyTimeoutMs: number;
  /** How long a transaction may stand still before the server takes it back, milliseconds (default 60,000). */
  readonly idleTimeoutMs?: number;
  /** How long a read, or the beginning of a transaction, is tried again while the server does not answer, milliseconds (default 60,000). */
  readonly patienceMs?: number;
}

/** Reads side by side. */
const READERS = 3;

export async function openPostgres(options: PostgresOptions): Promise<SqlDriver> {
  const { address, create, busyTimeoutMs, idleTimeoutMs = 60_000, patienceMs = PATIENCE_MS } = options;
  const { shown } = address;
  const readers = await openPool(address, { max: READERS, pipeline: true });
  const writers = await openPool(address, { max: 1 });
  const end = () => Promise.all([readers.end(), writers.end()]);
  try {
    await guarded(shown, () => withClient(writers, (client) => migrate(client, address, create)));
  } catch (error) {
    await end();
    throw error;
  }
  const patiently = <T>(work: () => Promise<T>): Promise<T> => guarded(shown, () => whileLost(work, patienceMs));
  let isClosed = false;
  const read: SqlDriver['read'] = async (queries) => {
    if (isClosed) throw new LabelsmithError('WORKSPACE', 'The workspace is closed');
    return patiently(() => snapshot(readers, queries));
  };
  const lock = { schema: address.schema, busyTimeoutMs, idleTimeoutMs };
  let last: Promise<unknown> = Promise.resolve();

  return {
    db: new Kysely<Schema>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    }),
    schemaVersion: MIGRATIONS.length,

    read,

    analyse: (query) => patiently(() => readers.query(configOf(query)).then(({ rows }) => rows)),

    joinedHex: (columns) => `string_agg(${columns.map((name) => `encode(${name}, 'hex')`).join(' || ')}, '')`,

    joinedText: (column) => `string_agg(cast(${column} as text), ' ')`,

    transaction(work, { isRepeatable = false } = {}) {
      const steps: Steps = {
        open: () => patiently(() => begin(writers, lock)),
        read,
        outcomeOf: (id) => patiently(() => outcomeOf(readers, id)),
      };
      const result = last.then(() => {
        if (isClosed) throw new LabelsmithError('WORKSPACE', 'The workspace is closed');
        const once = () => alone(steps, work);
        return isRepeatable ? patiently(once) : guarded(shown, once);
      });
      last = result.catch(() => {});
      return result;
    },

    async continueNumbers(transaction) {
      for (const [table, column] of NUMBERED) {
        const sequence = `pg_get_serial_sequence('${address.schema}.${table}', '${column}')`;
        transaction.add(`select setval(${sequence}, greatest((select max(${column}) from ${table}), 1))`, []);
      }
    },

    // References and checks of columns hold after every statement; files are the server's to check.
    check: async () => [],

    async close() {
      if (isClosed) return;
      await last;
      isClosed = true;
      await end();
    },
  };
}

interface Lock {
  readonly schema: string;
  readonly busyTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

async function begin(writers: Pool, { schema, busyTimeoutMs, idleTimeoutMs }: Lock): Promise<PoolClient> {
  const client = await writers.connect();
  try {
    await client.query(
      `BEGIN; SET LOCAL lock_timeout = ${busyTimeoutMs}; SET LOCAL idle_in_transaction_session_timeout = ${idleTimeoutMs};
        SELECT pg_advisory_xact_lock(${lockOf(schema)})`,
    );
    return client;
  } catch (error) {
    await release(client);
    throw error;
  }
}

/** Gives a client back; one that cannot take its transaction back is not used again. */
async function release(client: PoolClient): Promise<void> {
  const broken = await client.query('ROLLBACK').then(
    () => undefined,
    (error: Error) => error,
  );
  client.release(broken);
}

interface Steps {
  /** Begins it on a connection. */
  readonly open: () => Promise<PoolClient>;
  /** Reads what is committed. */
  readonly read: SqlDriver['read'];
  readonly outcomeOf: (id: string) => Promise<string | null>;
}

async function alone<T>({ open, read, outcomeOf }: Steps, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const transaction = new Transaction(open, read);
  try {
    const result = await work(transaction);
    const client = await transaction.end();
    if (client === undefined) return result;
    await commit(client, outcomeOf);
    return result;
  } catch (error) {
    const client = await transaction.abandon();
    if (client !== undefined) await release(client);
    throw error;
  }
}

/**
 * Gives the client back either way: with the only one kept, nobody would write any more. Whether a commit whose answer was lost
 * came through, the server still knows.
 */
async function commit(client: PoolClient, outcomeOf: Steps['outcomeOf']): Promise<void> {
  let id: string | undefined;
  try {
    const { rows } = await client.query<{ id: string | null }>('SELECT txid_current_if_assigned()::text AS id');
    id = rows[0]?.id ?? undefined;
    await client.query('COMMIT');
  } catch (error) {
    await release(client);
    if (id !== undefined && isLostConnection(error) && (await outcomeOf(id)) === 'committed') return;
    throw error;
  }
  client.release();
}

/** https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT; what a crashed server had under way is aborted. */
async function outcomeOf(readers: Pool, id: string): Promise<string | null> {
  for (;;) {
    const { rows } = await readers.query<{ status: string | null }>('SELECT txid_status($1::bigint) AS status', [id]);
    const status = rows[0]?.status ?? null;
    if (status !== 'in progress') return status;
    await sleep(OUTCOME_MS);
  }
}

const OUTCOME_MS = 200;

async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

const SNAPSHOT = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Several queries are sent at once, in one transaction. */
async function snapshot<const Queries extends readonly Query<unknown>[]>(
  readers: Pool,
  queries: Queries,
): Promise<RowsOf<Queries>> {
  if (queries.length <= 1) {
    const results = await Promise.all(queries.map((query) => readers.query(configOf(query))));
    return results.map(({ rows }) => rows) as unknown as RowsOf<Queries>;
  }
  const client = await readers.connect();
  const sent = [SNAPSHOT, ...queries.map(configOf), 'COMMIT'].map((query) => client.query(query));
  const settled = await Promise.allSettled(sent);
  const failed = settled.find((one) => one.status === 'rejected');
  client.release(failed !== undefined && isLostConnection(failed.reason));
  if (failed !== undefined) throw failed.reason;
  const results = await Promise.all(sent.slice(1, -1));
  return results.map(({ rows }) => rows) as unknown as RowsOf<Queries>;
}
