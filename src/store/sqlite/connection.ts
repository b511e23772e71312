/** Opens connections to the database file, brings its schema up to date, and turns SQLite's errors into ours. */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';

export type Row = Record<string, SqlValue>;

export interface ConnectionOptions {
  readonly file: string;
  /** How long to wait for another process's transaction, milliseconds. */
  readonly busyTimeoutMs: number;
  /** Nobody here may write the file or beside it. Default false. */
  readonly readOnly?: boolean;
  /** With `readOnly`: there is no room for the shared memory of the log. */
  readonly diskFull?: boolean;
}

/** Pages a connection keeps in memory, KiB: the writer's working set at a million images is its index tops. */
const CACHE_KIB = 32_768;
/**
 * Pages of 4 KiB the log may hold before it is folded into the file: 32 MiB, so that most commits flush once and a page
 * that several shards change is written back once.
 */
const LOG_PAGES = 8192;
/** Compiled statements kept a connection; look-ups by id list come in a few sizes, the rest are fixed texts. */
const STATEMENTS_KEPT = 256;

/**
 * On Node 22 an empty blob whose memory was asked for, as by sending it to another thread, points nowhere and is bound as
 * NULL; one that points into some memory is bound as what it is.
 */
const EMPTY_BLOB = new Uint8Array(new ArrayBuffer(1), 0, 0);
const isEmptyBlob = (value: SqlValue) => value instanceof Uint8Array && value.length === 0;

/** For statements that are run without {@link Connection.all}. */
export function bindable(values: readonly SqlValue[]): readonly SqlValue[] {
  return values.some(isEmptyBlob) ? values.map((value) => (isEmptyBlob(value) ? EMPTY_BLOB : value)) : values;
}

/** A connection with its compiled statements. Used by one thread. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > STATEMENTS_KEPT) {
      const oldest = this.#statements.keys().next();
      if (!oldest.done) this.#statements.delete(oldest.value);
    }
    return statement;
  }

  all(sql: string, parameters: readonly SqlValue[] = []): Row[] {
    return this.statement(sql).all(...bindable(parameters)) as Row[];
  }

  /** Runs `work` in a transaction that ends whole or not at all. */
  transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
    this.exec(begin);
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** After some errors (disk full) SQLite has rolled back by itself, and there is nothing left to do. */
  rollback(): void {
    try {
      this.exec('ROLLBACK');
    } catch {
      // The error that came before is the one to tell.
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/**
 * `node:sqlite`, without the warning that Node 22 prints on first use. Other warnings pass.
 */
export function sqlite(): typeof import('node:sqlite') {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

export function openReader(options: ConnectionOptions): Connection {
  return guarded(options.file, () => {
    if (options.readOnly !== true) return reader(options.file, options);
    try {
      // A log that another process is writing is read with it, where its shared memory may be read.
      return reader(options.file, options);
    } catch (error) {
      // Without a log there is nothing to share, and the file alone is the whole.
      const code = resultCode(error);
      const isForSharedMemory = options.diskFull || code === SQLITE.CANTOPEN || code === SQLITE.READONLY;
      if (!isForSharedMemory || hasLog(options.file, options)) throw error;
      const url = pathToFileURL(options.file);
      url.searchParams.set('immutable', '1');
      return reader(url, options);
    }
  });
}

/** A log that was begun on a full disk has nothing in it. */
function hasLog(file: string, { diskFull }: ConnectionOptions): boolean {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  return log !== undefined && !(diskFull && log.size === 0);
}

function reader(location: string | URL, { busyTimeoutMs }: ConnectionOptions): Connection {
  const { DatabaseSync } = sqlite();
  const database = new DatabaseSync(location, { readOnly: true });
  try {
    database.exec(
      `PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY`,
    );
    // The first look at the file, which tells whether it can be read at all.
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return new Connection(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Refuses what a reader cannot bring up to date. */
export function refuseOldSchema(connection: Connection, file: string): void {
  refuseOthers(connection, file);
  const version = pragma(connection, 'user_version');
  if (version === MIGRATIONS.length) return;
  throw new LabelsmithError(
    'WORKSPACE',
    `The workspace ${dirname(file)} may only be read here, and was written by an older version of labelsmith (schema ${version}, this one needs ${MIGRATIONS.length})`,
    {
      hint: 'Somebody who may write it brings it up to date with labelsmith status; or copy it to a folder of your own.',
      details: { file, version, known: MIGRATIONS.length },
    },
  );
}

/**
 * WAL lets readers and one writer work side by side. `synchronous = FULL` flushes the log at every commit, so that a
 * resolved promise survives a power cut and not only the death of the process (for which NORMAL would do): a commit is
 * a whole shard or one action of a person, so the flush costs little.
 */
export function openWriter(options: ConnectionOptions): Connection {
  return guarded(options.file, () => {
    const { DatabaseSync } = sqlite();
    const database = new DatabaseSync(options.file, {
      enableForeignKeyConstraints: true,
    });
    try {
      database.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs}`);
      const connection = new Connection(database);
      refuseOthers(connection, options.file);
      enterWal(connection, options.busyTimeoutMs);
      connection.exec(
        `PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${LOG_PAGES}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`,
      );
      migrate(connection, options.file);
      return connection;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * Folds the log into the one file, as far as other processes allow, so that copying that file is a backup. Nobody is waited
 * for: whoever closes the file last does it.
 */
export function checkpoint(connection: Connection): void {
  connection.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
}

function pragma(connection: Connection, name: string): number {
  return Number(Object.values(connection.all(`PRAGMA ${name}`)[0] ?? {})[0] ?? 0);
}

function refuseOthers(connection: Connection, file: string): void {
  const version = pragma(connection, 'user_version');
  const application = pragma(connection, 'application_id');
  const tables = connection.all('SELECT count(*) AS n FROM sqlite_schema')[0]?.n;
  if (application !== APPLICATION_ID && tables !== 0) {
    throw new LabelsmithError('WORKSPACE', `${file} is a database of another program (application id ${application})`, {
      hint: 'Choose another workspace folder with --workspace.',
      details: { file, application },
    });
  }
  if (version > MIGRATIONS.length) {
    throw new LabelsmithError(
      'WORKSPACE',
      `The workspace ${dirname(file)} was written by a newer version of labelsmith (schema ${version}, this one knows ${MIGRATIONS.length})`,
      {
        hint: 'Install the newer version (npm install labelsmith@latest), or choose another workspace folder with --workspace.',
        details: { file, version, known: MIGRATIONS.length },
      },
    );
  }
}

/** Switching to WAL needs the file alone for a moment and does not wait by itself when another process is at it. */
function enterWal(connection: Connection, busyTimeoutMs: number): void {
  const end = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      if (connection.all('PRAGMA journal_mode')[0]?.journal_mode === 'wal') return;
      if (connection.all('PRAGMA journal_mode = WAL')[0]?.journal_mode === 'wal') return;
      throw new LabelsmithError(
        'WORKSPACE',
        'The file system does not allow a write-ahead log (WAL) beside the database',
        {
          hint: 'Network shares often do not. Choose a workspace on a local disk with --workspace.',
        },
      );
    } catch (error) {
      if (resultCode(error) !== SQLITE.BUSY || performance.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Each version in its own transaction; the version is read inside it, so two processes opening at once do it once. */
function migrate(connection: Connection, file: string): void {
  while (pragma(connection, 'user_version') < MIGRATIONS.length) {
    connection.transaction('BEGIN IMMEDIATE', () => {
      const version = pragma(connection, 'user_version');
      const migration = MIGRATIONS[version];
      if (migration === undefined) return refuseOthers(connection, file);
      if (typeof migration === 'string') connection.exec(migration);
      else migration(connection);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`);
    });
  }
}

/** Primary result codes, https://sqlite.org/rescode.html */
const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const;
const CONSTRAINT_FOREIGNKEY = 787;
const FEW_BYTES = 1 << 20;

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

function resultCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** An input or output error on a disk with no room is a full disk (SQLite reports it so for its shared-memory file). */
export function isDiskFull(file: string): boolean {
  try {
    const disk = statfsSync(dirname(file));
    return disk.bavail * disk.bsize < FEW_BYTES;
  } catch {
    return false;
  }
}

export function translated(error: unknown, file: string): unknown {
  const code = resultCode(error);
  if (error instanceof LabelsmithError || code === undefined) return error;
  const reason = messageOf(error);
  const say = (kind: LabelsmithError['code'], message: string, hint: string) =>
    new LabelsmithError(kind, message, { hint, details: { file, sqlite: extendedCode(error) }, cause: error });
  const full = () =>
    say(
      'DISK_FULL',
      `No room left on the disk of ${file}`,
      'Free some space and run the command again: it goes on where it stopped.',
    );
  switch (code) {
    case SQLITE.FULL:
      return full();
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return say(
        'BUSY',
        `Another process kept ${file} locked (${reason})`,
        'Wait for the other labelsmith to finish its shard, or end it, and run the command again.',
      );
    case SQLITE.READONLY:
      return say(
        'WORKSPACE',
        `${file} cannot be written (${reason})`,
        'Check its owner and permissions, or choose another workspace.',
      );
    case SQLITE.CANTOPEN:
      return isDiskFull(file)
        ? full()
        : say('WORKSPACE', `${file} cannot be opened (${reason})`, 'Check that the folder exists and may be written.');
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return say(
        'WORKSPACE',
        `${file} is damaged or not a database (${reason})`,
        'Put back a copy of the file (delete the -wal and -shm files beside it), or begin a new workspace.',
      );
    case SQLITE.IOERR:
      return isDiskFull(file)
        ? full()
        : say(
            'WORKSPACE',
            `Reading or writing ${file} failed (${reason})`,
            'Check the disk and the file system it is on.',
          );
    case SQLITE.CONSTRAINT:
      return extendedCode(error) === CONSTRAINT_FOREIGNKEY
        ? say(
            'NOT_FOUND',
            'A row names an image, region or run that this workspace does not have',
            'Add the images first. Where forget took them out meanwhile, run the command again.',
          )
        : error;
    default:
      return error;
  }
}

export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(error, file);
  }
}
