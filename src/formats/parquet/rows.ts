/**
 * Rows of a Parquet file, a row group at a time, decoded in a thread that is ended when a step takes longer than any
 * healthy file of that size does. A thread that has done its work is kept for the next file.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { badFile } from '../check.ts';
import { regularFileSize } from '../special-files.ts';
import type { ParquetColumns, ParquetReply, ParquetRequest } from './rows.worker.ts';

/** Time for one step: to begin with, and a megabyte of the file. Decoding takes some 20 ms a megabyte. */
const STEP_MS = 15_000;
const STEP_MS_PER_MB = 2_000;
/** Of the thread's JavaScript heap; a row group of a million rows stays below. */
const MAX_HEAP_MB = 2_048;

export interface ParquetRows {
  /** Position of the first row in the file, from 0. */
  readonly from: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

let idle: Worker | null = null;

function takeWorker(): Worker {
  const worker = idle ?? startWorker();
  idle = null;
  worker.ref();
  return worker;
}

function startWorker(): Worker {
  // Run from src under type stripping it is a .ts file, from dist a .js file.
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new Worker(new URL(`./rows.worker${extension}`, import.meta.url), {
    // Those of this process may be for a script that it was given.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}

/** It does not keep the process alive while it waits. */
async function giveBack(worker: Worker): Promise<void> {
  if (idle !== null) {
    await worker.terminate();
    return;
  }
  worker.unref();
  idle = worker;
}

/** Which columns there are. */
export async function parquetColumns(path: string, name: string): Promise<ParquetColumns> {
  await regularFileSize(path, name);
  const worker = takeWorker();
  let done = false;
  try {
    const reply = await replyOf(worker, { kind: 'open', path, columns: [] }, STEP_MS, name);
    done = true;
    if (reply.kind === 'columns') return reply;
    throw badFile(name, `not valid Parquet${reply.kind === 'fault' ? `: ${reply.what}` : ''}`);
  } finally {
    if (done) await giveBack(worker);
    else await worker.terminate();
  }
}

/**
 * @param columns those that are wanted where they are there
 * @param required those that must be there
 */
export async function* parquetRows(
  path: string,
  name: string,
  columns: readonly string[],
  required: readonly string[],
): AsyncGenerator<ParquetRows> {
  const bytes = await regularFileSize(path, name);
  const stepMs = Math.ceil(STEP_MS + (bytes / 1e6) * STEP_MS_PER_MB);
  const worker = takeWorker();
  let done = false;
  try {
    let request: ParquetRequest = { kind: 'open', path, columns };
    for (;;) {
      const reply = await replyOf(worker, request, stepMs, name);
      request = { kind: 'next' };
      done = reply.kind === 'end' || reply.kind === 'fault';
      switch (reply.kind) {
        case 'columns': {
          const missing = required.find((column) => !reply.top.includes(column));
          const hint = `Its columns are ${reply.top.slice(0, 20).join(', ')}.`;
          if (missing !== undefined) throw badFile(name, `there is no column ${missing}`, hint);
          break;
        }
        case 'rows':
          yield { from: reply.from, rows: reply.rows };
          break;
        case 'fault':
          if (reply.systemCode !== undefined)
            throw Object.assign(new Error(reply.what), { code: reply.systemCode, path });
          throw badFile(name + reply.place, `not valid Parquet: ${reply.what}`);
        case 'end':
          return;
        default:
          reply satisfies never;
      }
    }
  } finally {
    if (done) await giveBack(worker);
    else await worker.terminate();
  }
}

async function replyOf(worker: Worker, request: ParquetRequest, stepMs: number, name: string): Promise<ParquetReply> {
  const signal = AbortSignal.timeout(stepMs);
  try {
    const reply = once(worker, 'message', { signal });
    worker.postMessage(request);
    const [message] = (await reply) as [ParquetReply];
    return message;
  } catch (error) {
    const what = signal.aborted
      ? `nothing came of it in ${Math.round(stepMs / 1000)} s: it is damaged`
      : `not valid Parquet: ${messageOf(error)}`;
    throw badFile(name, what, undefined, error);
  }
}
