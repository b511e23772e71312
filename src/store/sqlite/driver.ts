/**
 * SQLite through `node:sqlite`. The module is synchronous, so: one writer in a thread of its own; a read-only connection
 * in the calling thread for short reads; more threads, started as they are needed: two for queries that look at everything, and
 * one for pages, which do not wait for those.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import type { AnalyseOptions, Query, RowsOf, SqlDriver } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import type { Schema } from '../sql/tables.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { guarded, openReader, refuseOldSchema } from './connection.ts';
import { MIGRATIONS } from './migrations.ts';
import { DatabaseThread } from './thread.ts';
import { Transactions } from './transaction.ts';

/** Threads for queries that look at everything, started as they are needed. */
const MAX_ANALYSTS = 2;

/** A file that nobody here may write, or on a disk that is full, is read as it is; its transactions fail. */
export async function openSqlite(options: ConnectionOptions): Promise<SqlDriver> {
  if (mayOnlyBeRead(options.file)) return openReadOnly({ ...options, readOnly: true });
  const folder = dirname(options.file);
  try {
    await makeFolder(folder);
  } catch (error) {
    throw new LabelsmithError('WORKSPACE', `The workspace folder ${folder} cannot be made (${messageOf(error)})`, {
      hint: 'Check the permissions of the folder above it, or choose another workspace with --workspace.',
      cause: error,
    });
  }
  const writer = new DatabaseThread({ ...options, role: 'writer' });
  let reader: Connection;
  try {
    // The first request opens the file and brings its schema up to date; only then can it be opened read-only.
    await writer.ask({ kind: 'open' });
    reader = openReader(options);
  } catch (error) {
    await writer.close();
    if (error instanceof LabelsmithError && error.code === 'DISK_FULL' && existsSync(options.file))
      return openReadOnly({ ...options, readOnly: true, diskFull: true }, error);
    throw error;
  }
  return sqliteDriver(options, writer, reader);
}

function mayOnlyBeRead(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    // The log and its shared memory lie beside the file.
    for (const path of [file, dirname(file)]) accessSync(path, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/** @param full why nothing can be written, where it is not for want of the right to; told too where reading fails */
function openReadOnly(options: ConnectionOptions, full?: LabelsmithError): SqlDriver {
  let reader: Connection;
  try {
    reader = openReader(options);
  } catch (error) {
    throw full ?? error;
  }
  try {
    guarded(options.file, () => refuseOldSchema(reader, options.file));
  } catch (error) {
    reader.close();
    throw error;
  }
  return sqliteDriver(options, null, reader, full);
}

function refuseWriting(file: string, full: LabelsmithError | undefined): Promise<never> {
  return Promise.reject(
    full ??
      new LabelsmithError('WORKSPACE', `The workspace ${dirname(file)} may only be read here`, {
        hint: 'Ask its owner for the right to write, or copy it to a folder of your own and name that with --workspace.',
        details: { file },
      }),
  );
}

/** @param writer null where nobody may write, or can, since the disk is `full` */
function sqliteDriver(
  options: ConnectionOptions,
  writer: DatabaseThread | null,
  reader: Connection,
  full?: LabelsmithError,
): SqlDriver {
  const analysts: DatabaseThread[] = [];
  /** One that is idle, so that a page does not wait for a count of everything. */
  const analyst = () => {
    const idle = analysts.find(({ waiting }) => waiting === 0);
    if (idle) return idle;
    if (analysts.length < MAX_ANALYSTS) analysts.push(new DatabaseThread({ ...options, role: 'analyst' }));
    return analysts.reduce((least, one) => (one.waiting < least.waiting ? one : least));
  };
  /** Pages are asked for here, where no count of everything is under way. */
  let pages: DatabaseThread | undefined;
  let closed = false;
  const read: SqlDriver['read'] = async (queries) => {
    if (closed) throw new LabelsmithError('WORKSPACE', 'The workspace is closed');
    const run = () =>
      queries.map((query) => {
        const { sql, parameters } = query.compile();
        return reader.all(sql, parameters as readonly SqlValue[]);
      });
    const rows = guarded(options.file, () => (queries.length > 1 ? reader.transaction('BEGIN', run) : run()));
    return rows as unknown as RowsOf<typeof queries>;
  };
  const transactions = writer && new Transactions(writer, read);
  return {
    db: new Kysely<Schema>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
    schemaVersion: MIGRATIONS.length,

    read,

    async analyse<Row>(query: Query<Row>, { soon = false }: AnalyseOptions = {}): Promise<Row[]> {
      const { sql, parameters } = query.compile();
      if (soon) pages ??= new DatabaseThread({ ...options, role: 'pages' });
      const thread = soon && pages ? pages : analyst();
      return (await thread.ask({ kind: 'query', sql, parameters: parameters as readonly SqlValue[] })) as Row[];
    },

    joinedHex: (columns) => `group_concat(${columns.map((name) => `hex(${name})`).join(' || ')}, '')`,
    joinedText: (column) => `group_concat(${column}, ' ')`,
    transaction: (work) => transactions?.run(work) ?? refuseWriting(options.file, full),
    // A new number is larger than all that there are, or ever were.
    continueNumbers: async () => {},
    check: () => analyst().ask({ kind: 'check' }),

    async close() {
      if (closed) return;
      closed = true;
      await transactions?.idle();
      // The writer goes last: the last connection to close removes the log.
      reader.close();
      for (const one of analysts) await one.close();
      await pages?.close();
      await writer?.close();
    },
  };
}
