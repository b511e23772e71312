/**
 * The ledger of a pushed folder as a SQLite file. A statement takes some 30 µs, so it runs where it is called. Lines of pushed
 * files are written many at once, since a transaction costs more than the put of a small file leaves for it; before a local
 * file is deleted, its line is there.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { PushedFile, PushLedger } from '../push-ledger.ts';
import { isDiskFull, sqlite, translated } from './connection.ts';

/** In the folder that is pushed. */
const LEDGER_NAME = '.labelsmith-push.sqlite';

/** `LSPL`, so that another program's file is not taken for a ledger. */
const APPLICATION_ID = 0x4c53504c;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS pushed (
    target TEXT NOT NULL, key TEXT NOT NULL, byteSize INTEGER NOT NULL, localVersion TEXT NOT NULL,
    sha256 TEXT NOT NULL, version TEXT NOT NULL, verifiedBy TEXT NOT NULL, pushedAtMs INTEGER NOT NULL,
    deletedAtMs INTEGER, PRIMARY KEY (target, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS pushed_by_key ON pushed (key);
  CREATE TABLE IF NOT EXISTS unfinished (
    target TEXT NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY (target, key)
  ) WITHOUT ROWID;
`;

const PUSHED = z.object({
  key: z.string(),
  byteSize: z.number(),
  localVersion: z.string(),
  sha256: z.string(),
  version: z.string(),
  verifiedBy: z.enum(['store', 'bytes']),
  pushedAtMs: z.number(),
  deletedAtMs: z.number().nullable(),
});
const UNFINISHED = z.object({ sha256: z.string(), token: z.string() });
const TARGET = z.object({
  target: z.string(),
  files: z.number(),
  byteSize: z.number(),
  deleted: z.number(),
  lastPushedAtMs: z.number(),
});

/** The ledger of a folder; undefined where nothing of it was ever pushed. */
export function existingPushLedger(folder: string): PushLedger | undefined {
  return existsSync(join(folder, LEDGER_NAME)) ? openPushLedger(folder) : undefined;
}

/**
 * The ledger of a folder, made where there is none. On a full disk, where SQLite cannot open a file, it is in memory: what is
 * pushed may be deleted then all the same, which makes room.
 */
export function openPushLedger(folder: string): PushLedger {
  const file = join(folder, LEDGER_NAME);
  const { DatabaseSync } = sqlite();
  // With a log beside it, another process has it open, or left there what the file lacks.
  const isInMemory = isDiskFull(file) && !existsSync(`${file}-wal`);
  try {
    if (isInMemory) return ledgerOn(inMemory(file), false);
    const database = new DatabaseSync(file, { timeout: 30_000 });
    const { application_id } = z
      .object({ application_id: z.number() })
      .parse(database.prepare('PRAGMA application_id').get());
    if (application_id !== 0 && application_id !== APPLICATION_ID) throw new Error('it is another program’s database');
    // In the log, what was committed survives the process; a power cut may lose the last lines, and the target has them.
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(SCHEMA);
    return ledgerOn(database, true);
  } catch (cause) {
    throw new LabelsmithError('REFUSED', `the ledger ${file} cannot be opened: ${messageOf(cause)}`, {
      hint: 'The folder has to be writable; a damaged ledger may be deleted: the next push compares with the target.',
      cause,
    });
  }
}

/** All that the file has. SQLite makes no files of its own beside one that is said not to change. */
function inMemory(file: string): import('node:sqlite').DatabaseSync {
  const database = new (sqlite().DatabaseSync)(':memory:');
  database.exec(SCHEMA);
  if (!existsSync(file)) return database;
  database.prepare('ATTACH ? AS kept').run(`${pathToFileURL(file).href}?immutable=1`);
  for (const table of ['pushed', 'unfinished']) database.exec(`INSERT INTO ${table} SELECT * FROM kept.${table}`);
  database.exec('DETACH kept');
  return database;
}

function ledgerOn(database: import('node:sqlite').DatabaseSync, isKept: boolean): PushLedger {
  const columns = Object.keys(PUSHED.shape);
  const find = database.prepare(`SELECT ${columns} FROM pushed WHERE target = ? AND key = ?`);
  const record = database.prepare(
    `INSERT OR REPLACE INTO pushed (target, ${columns}) VALUES (?, ${columns.map(() => '?')})`,
  );
  const recordDeleted = database.prepare('UPDATE pushed SET deletedAtMs = ? WHERE target = ? AND key = ?');
  const unfinished = database.prepare('SELECT sha256, token FROM unfinished WHERE target = ? AND key = ?');
  const keep = database.prepare('INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?)');
  const forgetPushed = database.prepare('DELETE FROM pushed WHERE target = ? AND key = ?');
  const forgetUnfinished = database.prepare('DELETE FROM unfinished WHERE target = ? AND key = ?');
  const isPushed = database.prepare('SELECT 1 FROM pushed WHERE key = ? AND localVersion = ?');
  const targets = database.prepare(`
    SELECT target, count(*) AS files, sum(byteSize) AS byteSize, count(deletedAtMs) AS deleted,
      max(pushedAtMs) AS lastPushedAtMs FROM pushed GROUP BY target ORDER BY target`);
  // What another process begins from now on is its own; what it pushes is found at the target.
  let hasPushed = database.prepare('SELECT 1 FROM pushed LIMIT 1').get() !== undefined;
  let hasUnfinished = database.prepare('SELECT 1 FROM unfinished LIMIT 1').get() !== undefined;
  const lines = new LinesToCome(database, (target, file) => {
    hasPushed = true;
    const { key, byteSize, localVersion, sha256, version, verifiedBy, pushedAtMs, deletedAtMs } =
      file satisfies PushedFile;
    record.run(target, key, byteSize, localVersion, sha256, version, verifiedBy, pushedAtMs, deletedAtMs);
  });
  return {
    isKept,
    pushed(target, key) {
      const line = lines.of(target, key);
      if (line !== undefined) return line;
      const row = hasPushed ? find.get(target, key) : undefined;
      return row && PUSHED.parse(row);
    },
    record: (target, file) => lines.add(target, file),
    recordDeleted(target, key, atMs) {
      lines.write();
      recordDeleted.run(atMs, target, key);
    },
    forget(target, key) {
      lines.write();
      forgetPushed.run(target, key);
    },
    unfinished(target, key) {
      const row = hasUnfinished ? unfinished.get(target, key) : undefined;
      return row && UNFINISHED.parse(row);
    },
    keepUnfinished(target, key, { sha256, token }) {
      hasUnfinished = true;
      keep.run(target, key, sha256, token);
    },
    forgetUnfinished: (target, key) => void forgetUnfinished.run(target, key),
    isPushed(key, localVersion) {
      lines.write();
      return isPushed.get(key, localVersion) !== undefined;
    },
    targets() {
      lines.write();
      return TARGET.array().parse(targets.all());
    },
    close() {
      try {
        lines.write();
      } finally {
        database.close();
      }
    },
  };
}

const [MAX_LINES, WRITTEN_AFTER_MS] = [256, 100];

/** Lines that the file does not have yet, for a tenth of a second at most. */
class LinesToCome {
  readonly #database: import('node:sqlite').DatabaseSync;
  readonly #writeOne: (target: string, file: PushedFile) => void;
  readonly #lines = new Map<string, readonly [target: string, file: PushedFile]>();
  #timer: NodeJS.Timeout | undefined;
  /** What went wrong when nobody waited for it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(database: import('node:sqlite').DatabaseSync, writeOne: (target: string, file: PushedFile) => void) {
    [this.#database, this.#writeOne] = [database, writeOne];
  }

  of(target: string, key: string): PushedFile | undefined {
    return this.#lines.get(nameOf(target, key))?.[1];
  }

  add(target: string, file: PushedFile): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#lines.set(nameOf(target, file.key), [target, file]);
    if (this.#lines.size >= MAX_LINES) {
      this.write();
      return;
    }
    this.#timer ??= setTimeout(() => {
      try {
        this.write();
      } catch (error) {
        this.#failure = { error };
      }
    }, WRITTEN_AFTER_MS).unref();
  }

  /** All of them or none; those stay to come then. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.size === 0) return;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const [target, file] of this.#lines.values()) this.#writeOne(target, file);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw translated(error, this.#database.location() ?? LEDGER_NAME);
    }
    this.#lines.clear();
    this.#failure = undefined;
  }
}

function nameOf(target: string, key: string): string {
  return `${target}\n${key}`;
}
