/**
 * The queue on pg-boss, in a schema beside the workspace's. Workers of another version have another queue: they would not
 * make the same bytes. A worker that dies is noticed by its heartbeats; a shard that failed often enough stays failed.
 */
import { randomUUID } from 'node:crypto';
import type { PgBoss } from 'pg-boss';
import { whileLost } from '../../store/postgres/while-lost.ts';
import { versionOfResults } from '../run.ts';
import { reasonIn, startBoss, withQueue } from './boss.ts';
import { type JobState, modelOf, SHARD_JOB, type ShardQueue, type TakenJob } from './queue.ts';

export interface BossOptions {
  /** The workspace's address. */
  readonly location: string;
  /** A job that is not heard of for so long is given to another worker, seconds (default 15, at least 10). */
  readonly heartbeatSeconds?: number;
  /** Attempts after the first (default 2). */
  readonly retries?: number;
}

const PREFIX = 'shards_';
/** A shard takes seconds; one that takes longer than this stands still. */
const EXPIRE_SECONDS = 3600;
/** What is done is of no use to anybody. */
const KEPT_SECONDS = 3600;
/** What pg-boss says of a job whose worker was silent. */
const HEARTBEAT_TIMEOUT = 'job heartbeat timeout';
/** Of a model that has no limit, while another one has. */
const UNLIMITED = 1_000_000;

export async function bossQueue({ location, heartbeatSeconds = 15, retries = 2 }: BossOptions): Promise<ShardQueue> {
  const boss = await startBoss(location);
  const name = `${PREFIX}${await versionOfResults()}`;
  await withQueue(boss, name, {
    retryLimit: retries,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 30,
    heartbeatSeconds,
    expireInSeconds: EXPIRE_SECONDS,
    deleteAfterSeconds: KEPT_SECONDS,
  });
  return {
    // Where the answer alone was lost they are in it twice, and the first result of a shard stands.
    send: (jobs, { priority = 0 } = {}) =>
      whileLost(async () => {
        const ids = jobs.map(() => randomUUID());
        const rows = jobs.map((data, i) => {
          const model = modelOf(data);
          return { id: ids[i], data, priority, ...(model !== '' && { group: { id: model, tier: model } }) };
        });
        await boss.insert(name, rows);
        return ids;
      }),
    async take(count, { notOf = [], limits = {} } = {}) {
      const jobs = await boss.fetch<unknown>(name, {
        batchSize: count,
        ...(notOf.length > 0 && { ignoreGroups: [...notOf] }),
        ...(Object.keys(limits).length > 0 && { groupConcurrency: { default: UNLIMITED, tiers: { ...limits } } }),
      });
      return jobs.flatMap(({ id, retryCount, data }): TakenJob[] => {
        const job = SHARD_JOB.safeParse(data);
        // Somebody else's, which no attempt makes better.
        if (!job.success) return [];
        const attempt = { id, retryCount };
        return [
          {
            job: job.data,
            touch: async () => void (await boss.touch(name, attempt)),
            done: async () => void (await boss.complete(name, attempt)),
            fail: async (reason) => void (await boss.fail(name, attempt, { message: reason })),
          },
        ];
      });
    },
    stateOf: (id) => whileLost(() => stateOf(boss, name, id)),
    async cancel(ids) {
      if (ids.length > 0) await boss.cancel(name, [...ids]);
    },
    async waitingForOthers() {
      const queues = await boss.getQueues();
      const others = queues.filter((queue) => queue.name.startsWith(PREFIX) && queue.name !== name);
      const waiting = others.map((queue) => [queue.name.slice(PREFIX.length), queue.queuedCount] as const);
      return new Map(waiting.filter(([, count]) => count > 0));
    },
    close: () => boss.stop({ graceful: false }),
  };
}

function failed(reason: string): JobState {
  if (reason !== HEARTBEAT_TIMEOUT) return { kind: 'failed', reason, isLost: false };
  return { kind: 'failed', reason: 'its workers were not heard of any more', isLost: true };
}

async function stateOf(boss: PgBoss, name: string, id: string): Promise<JobState> {
  const job = await boss.getJobById(name, id);
  switch (job?.state) {
    case 'created':
    case 'retry':
      return { kind: 'waiting' };
    case 'active':
      return { kind: 'active' };
    case 'failed':
      return failed(reasonIn(job.output));
    default:
      return { kind: 'gone' };
  }
}
