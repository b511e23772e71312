/** Runs: one execution of a stage each, with the process it belongs to, so that a killed one can be told. */
import { randomBytes } from 'node:crypto';
import { isGone, thisProcess } from '../process-mark.ts';
import type { RunRecord, Store } from '../store.ts';
import { runKeyOf } from './dictionary.ts';
import type { RunTable } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

const MOST_RUNS = 1_000_000;

export function runStore(session: Session): Pick<Store, 'startRun' | 'finishRun' | 'runs'> {
  const { db } = session;
  const insert = template<RunTable>((v) =>
    db.insertInto('run').values({
      key: v.key,
      id: v.id,
      stage: v.stage,
      settings: v.settings,
      model_key: v.model_key,
      seed: v.seed,
      threads: v.threads,
      versions: v.versions,
      started_at_ms: v.started_at_ms,
      ended_at_ms: v.ended_at_ms,
      status: v.status,
      counts: v.counts,
      metrics: v.metrics,
      host: v.host,
      pid: v.pid,
      process_mark: v.process_mark,
    }),
  );
  const finish = template<Pick<RunTable, 'key' | 'ended_at_ms' | 'status' | 'counts' | 'metrics'>>((v) =>
    db
      .updateTable('run')
      .set({ ended_at_ms: v.ended_at_ms, status: v.status, counts: v.counts, metrics: v.metrics })
      .where('key', '=', v.key),
  );
  return {
    async startRun(run) {
      const { now, id } = nextRunId();
      await session.write((draft) => {
        draft.bump('dictionary');
        draft.add(insert, {
          key: Math.max(0, ...draft.dictionary.runById.keys()) + 1,
          id,
          stage: run.stage,
          settings: JSON.stringify(run.settings),
          model_key: run.modelKey,
          seed: run.seed,
          threads: run.threads,
          versions: JSON.stringify(run.versions),
          started_at_ms: now,
          ended_at_ms: null,
          status: 'running',
          counts: '{}',
          metrics: '{}',
          ...thisProcess(),
        });
      });
      return id;
    },

    async finishRun(runId, outcome) {
      await session.write((draft) => {
        draft.add(finish, {
          key: runKeyOf(draft.dictionary, runId),
          ended_at_ms: Date.now(),
          status: outcome.status,
          counts: JSON.stringify(outcome.counts),
          metrics: JSON.stringify(outcome.metrics ?? {}),
        });
      });
    },

    async runs({ stage, limit = MOST_RUNS } = {}) {
      let query = db.selectFrom('run').selectAll().orderBy('id', 'desc').limit(limit);
      if (stage !== undefined) query = query.where('stage', '=', stage);
      const [rows] = await session.driver.read([query]);
      return rows.map(runOf);
    },
  };
}

function runOf(row: RunTable): RunRecord {
  const status = row.status as RunRecord['status'];
  return {
    id: row.id,
    stage: row.stage,
    settings: JSON.parse(row.settings) as RunRecord['settings'],
    modelKey: row.model_key,
    seed: row.seed,
    threads: row.threads,
    versions: JSON.parse(row.versions) as RunRecord['versions'],
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    status: status === 'running' && isGone(row) ? 'interrupted' : status,
    counts: JSON.parse(row.counts) as RunRecord['counts'],
    metrics: JSON.parse(row.metrics) as RunRecord['metrics'],
  };
}

let lastRunMs = 0;

/** Ids sort by the time of their start; two of one process never share a millisecond. */
function nextRunId(): { now: number; id: string } {
  const now = Math.max(Date.now(), lastRunMs + 1);
  lastRunMs = now;
  const time = new Date(now).toISOString().replace(/[-:.]/g, '');
  return { now, id: `${time}-${randomBytes(3).toString('hex')}` };
}
