/** The ledger of a pushed folder as a SQLite file. A statement takes some 30 µs, so it runs where it is called. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { PushedFile, PushLedger } from '../push-ledger.ts';
import { sqlite } from './connection.ts';

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

/** The ledger of a folder, made where there is none. */
export function openPushLedger(folder: string): PushLedger {
  const file = join(folder, LEDGER_NAME);
  const { DatabaseSync } = sqlite();
  try {
    const database = new DatabaseSync(file, { timeout: 30_000 });
    const { application_id } = z
      .object({ application_id: z.number() })
      .parse(database.prepare('PRAGMA application_id').get());
    if (application_id !== 0 && application_id !== APPLICATION_ID) throw new Error('it is another program’s database');
    // In the log, what was committed survives the process; a power cut may lose the last lines, and the target has them.
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(SCHEMA);
    return ledgerOn(database);
  } catch (cause) {
    throw new LabelsmithError('REFUSED', `the ledger ${file} cannot be opened: ${messageOf(cause)}`, {
      hint: 'The folder has to be writable; a damaged ledger may be deleted: the next push compares with the target.',
      cause,
    });
  }
}

function ledgerOn(database: import('node:sqlite').DatabaseSync): PushLedger {
  const columns = Object.keys(PUSHED.shape);
  const find = database.prepare(`SELECT ${columns} FROM pushed WHERE target = ? AND key = ?`);
  const record = database.prepare(
    `INSERT OR REPLACE INTO pushed (target, ${columns}) VALUES (?, ${columns.map(() => '?')})`,
  );
  const recordDeleted = database.prepare('UPDATE pushed SET deletedAtMs = ? WHERE target = ? AND key = ?');
  const unfinished = database.prepare('SELECT sha256, token FROM unfinished WHERE target = ? AND key = ?');
  const keep = database.prepare('INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?)');
  const forget = database.prepare('DELETE FROM unfinished WHERE target = ? AND key = ?');
  const isPushed = database.prepare('SELECT 1 FROM pushed WHERE key = ? AND localVersion = ?');
  const targets = database.prepare(`
    SELECT target, count(*) AS files, sum(byteSize) AS byteSize, count(deletedAtMs) AS deleted,
      max(pushedAtMs) AS lastPushedAtMs FROM pushed GROUP BY target ORDER BY target`);
  return {
    pushed(target, key) {
      const row = find.get(target, key);
      return row && PUSHED.parse(row);
    },
    record(target, file) {
      const { key, byteSize, localVersion, sha256, version, verifiedBy, pushedAtMs, deletedAtMs } =
        file satisfies PushedFile;
      record.run(target, key, byteSize, localVersion, sha256, version, verifiedBy, pushedAtMs, deletedAtMs);
    },
    recordDeleted: (target, key, atMs) => void recordDeleted.run(atMs, target, key),
    unfinished(target, key) {
      const row = unfinished.get(target, key);
      return row && UNFINISHED.parse(row);
    },
    keepUnfinished: (target, key, { sha256, token }) => void keep.run(target, key, sha256, token),
    forgetUnfinished: (target, key) => void forget.run(target, key),
    isPushed: (key, localVersion) => isPushed.get(key, localVersion) !== undefined,
    targets: () => TARGET.array().parse(targets.all()),
    close: () => database.close(),
  };
}
