/** What came of shards that other machines did, and shards that were given up. */
import type { DeadShard, ShardResult, ShardStore } from '../store.ts';
import { chunks } from './chunks.ts';
import { NO_BYTES } from './column.ts';
import { runKeyOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { shardResults } from './stage-tables.ts';
import { insert, remove } from './table.ts';

const put = insert(shardResults, {
  existing: 'ignore',
  unless: `select 1 from run where key = :runKey and status <> 'running'`,
});
const drop = remove(shardResults, ['runKey', 'shard']);

export function shardStore(session: Session): ShardStore {
  const { db, driver } = session;
  return {
    putShardResult: ({ runId, ...result }) =>
      session.write(null, async (work) => {
        work.add(put, { ...result, runKey: runKeyOf(work.dictionary, runId), state: 'done', reason: '' });
        const [kept = 0] = await work.changed();
        return kept > 0;
      }),

    async shardResults(runId, shards) {
      const runKey = runKeyOf(await session.freshDictionary(), runId);
      const found: ShardResult[] = [];
      for (const chunk of chunks(shards)) {
        const query = db.selectFrom('shard_result').select(['shard', 'items', 'data', 'worker']);
        const [rows] = await driver.read([
          query.where('run_key', '=', runKey).where('shard', 'in', chunk).where('state', '=', 'done'),
        ]);
        for (const row of rows) found.push({ runId, ...row });
      }
      return found;
    },

    async shardsDone(runId, shards) {
      const runKey = runKeyOf(await session.freshDictionary(), runId);
      const done = new Map<string, number>();
      for (const chunk of chunks(shards)) {
        const query = db.selectFrom('shard_result').select(['shard', 'items']).where('run_key', '=', runKey);
        const [rows] = await driver.read([query.where('shard', 'in', chunk).where('state', '=', 'done')]);
        for (const { shard, items } of rows) done.set(shard, items);
      }
      return done;
    },

    async dropShardResults(runId, shards) {
      if (shards.length === 0) return;
      await session.write(null, async (work) => {
        const runKey = runKeyOf(work.dictionary, runId);
        for (const shard of shards) work.add(drop, { runKey, shard });
      });
    },

    async putDeadShard({ runId, shard, items, reason }) {
      await session.write(null, async (work) => {
        const runKey = runKeyOf(work.dictionary, runId);
        work.add(drop, { runKey, shard });
        work.add(put, { runKey, shard, state: 'dead', items, data: NO_BYTES, worker: '', reason });
      });
    },

    async deadShards() {
      const query = db
        .selectFrom('shard_result')
        .innerJoin('run', 'run.key', 'shard_result.run_key')
        .select(['run.id', 'run.stage', 'shard_result.shard', 'shard_result.items', 'shard_result.reason'])
        .where('shard_result.state', '=', 'dead')
        .where(({ exists, not, selectFrom }) =>
          not(
            exists(
              selectFrom('run as later')
                .select('later.key')
                .whereRef('later.stage', '=', 'run.stage')
                .whereRef('later.key', '>', 'run.key')
                .where('later.status', '=', 'done'),
            ),
          ),
        )
        .orderBy('run.id', 'desc')
        .orderBy('shard_result.shard');
      const [rows] = await driver.read([query]);
      return rows.map(({ id, ...dead }): DeadShard => ({ runId: id, ...dead }));
    },
  };
}
