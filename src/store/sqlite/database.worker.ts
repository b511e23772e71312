/**
 * The thread of one connection: the writer, which alone changes the database, or the analyst, which answers the queries
 * that look at everything. Requests are done one after the other; each gets one reply.
 */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { plainError } from '../../threads/plain-error.ts';
import type { Connection } from './connection.ts';
import { bindable, checkpoint, guarded, openReader, openWriter } from './connection.ts';
import type { Answers, PlainQuery, Reply, Request, Step, StepResult, WorkerSetup } from './protocol.ts';

const setup = workerData as WorkerSetup;
const port = parentPort;
if (port === null) throw new Error('database.worker is a worker thread, not a program');

let connection: Connection | undefined;

if (setup.role === 'analyst') giveWay();

/** Counting all there is never takes the processor from a page or a write. Linux alone has priorities of threads. */
function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Without /proc it goes on as the others do.
  }
}

/** Opened by the first request, so that a failure to open is that request's answer, and the next one tries again. */
function opened(): Connection {
  connection ??= setup.role === 'writer' ? openWriter(setup) : openReader(setup);
  return connection;
}

function step({ begin, commit, batches, queries }: Step): StepResult {
  const db = opened();
  if (begin) db.exec('BEGIN IMMEDIATE');
  try {
    const changed = batches.map(({ sql, rows }) => {
      const statement = db.statement(sql);
      let count = 0;
      for (const row of rows) count += Number(statement.run(...bindable(row)).changes);
      return count;
    });
    const rows = queries.map((query) => queried(db, query));
    if (commit) db.exec('COMMIT');
    return { changed, rows };
  } catch (error) {
    db.rollback();
    throw error;
  }
}

function queried(db: Connection, { sql, parameters }: PlainQuery) {
  return db.all(sql, parameters);
}

function check(): string[] {
  const db = opened();
  const integrity = db.all('PRAGMA integrity_check').map((row) => String(row.integrity_check));
  const references = db.all('PRAGMA foreign_key_check');
  return [
    ...integrity.filter((line) => line !== 'ok'),
    ...references.map((row) => `a row of "${row.table}" refers to nothing in "${row.parent}"`),
  ];
}

function answer(request: Request): Answers[keyof Answers] {
  switch (request.kind) {
    case 'open':
      opened();
      return null;
    case 'step':
      return step(request);
    case 'rollback':
      opened().rollback();
      return null;
    case 'query':
      return queried(opened(), request);
    case 'check':
      return check();
    case 'close':
      if (connection !== undefined && setup.role === 'writer') checkpoint(connection);
      connection?.close();
      connection = undefined;
      return null;
    default:
      return request satisfies never;
  }
}

port.on('message', ({ id, request }: { id: number; request: Request }) => {
  let reply: Reply;
  try {
    reply = { id, kind: 'answer', value: guarded(setup.file, () => answer(request)) };
  } catch (error) {
    reply = { id, kind: 'error', error: plainError(error) };
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
});
