/**
 * Runs: one execution of a stage each. A run that is under way has a lease, which its process renews: once the lease has
 * ended, the process was killed, or its machine is gone. A process of this machine that is gone is noticed at once.
 */
import { randomBytes } from 'node:crypto';
import { hasEnded, writerName } from '../../files/unfinished.ts';
import type { RunRecord, RunStore } from '../store.ts';
import { runKeyOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { decoder, insert, type RowOf, update } from './table.ts';
import { runs } from './tables.ts';

const MAX_RUNS = 1_000_000;
/** Renewals within a lease: so many may fail before it ends. */
const RENEWALS = 3;

const finish = update(runs, { set: ['endedAtMs', 'status', 'counts', 'metrics', 'leaseUntilMs'], where: ['key'] });
const note = update(runs, { set: ['metrics'], where: ['key', 'status'] });
const renew = update(runs, { set: ['leaseUntilMs'], where: ['key', 'status'] });
const start = insert(runs, {
  fields: [
    'id',
    'stage',
    'settings',
    'modelKey',
    'seed',
    'threads',
    'versions',
    'startedAtMs',
    'endedAtMs',
    'status',
    'counts',
    'metrics',
    'leaseUntilMs',
    'writer',
  ],
});
const fieldsOf = decoder(runs);

export interface RunLeases {
  /** Stops renewing. */
  end(): void;
}

export function runStore(session: Session, leaseMs: number): RunStore & { readonly leases: RunLeases } {
  const { db } = session;
  const active = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  async function renewAll(): Promise<void> {
    await session.write(null, async (work) => {
      for (const id of active) {
        const key = runKeyOf(work.dictionary, id);
        work.add(renew, { key, status: 'running', leaseUntilMs: Date.now() + leaseMs });
      }
    });
  }

  function keep(id: string): void {
    active.add(id);
    // A renewal that fails (a full disk, a lock) is tried again with the next; the work itself will tell of the trouble.
    timer ??= setInterval(() => void renewAll().catch(() => {}), leaseMs / RENEWALS).unref();
  }

  function release(id: string): void {
    active.delete(id);
    if (active.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    async startRun(run) {
      const { now, id } = nextRunId();
      await session.write(null, async (work) => {
        work.add(start, {
          ...run,
          id,
          startedAtMs: now,
          endedAtMs: null,
          status: 'running',
          counts: {},
          metrics: {},
          leaseUntilMs: now + leaseMs,
          writer: writerName(),
        });
      });
      keep(id);
      return id;
    },

    async noteRun(runId, metrics) {
      await session.write(null, async (work) => {
        work.add(note, { key: runKeyOf(work.dictionary, runId), status: 'running', metrics });
      });
    },

    async finishRun(runId, { status, counts, metrics = {} }) {
      release(runId);
      await session.write(null, async (work) => {
        const key = runKeyOf(work.dictionary, runId);
        const [[row]] = await work.read([db.selectFrom('run').selectAll().where('key', '=', key)]);
        const all = { ...(row && fieldsOf(row).metrics), ...metrics };
        work.add(finish, { key, endedAtMs: Date.now(), status, counts, metrics: all, leaseUntilMs: null });
      });
    },

    async runs({ stage, limit = MAX_RUNS } = {}) {
      let query = db.selectFrom('run').selectAll().orderBy('id', 'desc').limit(limit);
      if (stage !== undefined) query = query.where('stage', '=', stage);
      const [rows] = await session.driver.read([query]);
      const now = Date.now();
      return rows.map((row) => runOf(row, now, leaseMs));
    },

    leases: {
      end() {
        for (const id of [...active]) release(id);
      },
    },
  };
}

function runOf(row: RowOf<typeof runs.columns>, now: number, leaseMs: number): RunRecord {
  const { key: _, leaseUntilMs, writer, status, ...run } = fieldsOf(row);
  const isUnderWay = isHeld(leaseUntilMs, now, leaseMs) && !(writer !== null && hasEnded(writer));
  return { ...run, status: status === 'running' && !isUnderWay ? 'interrupted' : status };
}

/** A lease that ends much later than one that is given now is of a clock that was ahead, and says nothing. */
function isHeld(leaseUntilMs: number | null, now: number, leaseMs: number): boolean {
  return leaseUntilMs !== null && leaseUntilMs > now && leaseUntilMs <= now + 2 * leaseMs;
}

let lastRunMs = 0;

/** Ids sort by the time of their start; two of one process never share a millisecond. */
function nextRunId(): { now: number; id: string } {
  const now = Math.max(Date.now(), lastRunMs + 1);
  lastRunMs = now;
  const time = new Date(now).toISOString().replace(/[-:.]/g, '');
  return { now, id: `${time}-${randomBytes(3).toString('hex')}` };
}
