/**
 * What a fleet of one worker costs beside the engine of one machine, the queue's share of the time (`fleet/overhead.ts`), and what
 * a second worker brings (`fleet/two-workers.ts`). Some twelve minutes on a machine that does nothing else; on a busy one the
 * ratios say more about what it is busy with.
 */
import { startPostgres } from '../test/postgres/server.ts';
import { type Loads, overhead } from './fleet/overhead.ts';
import { twoWorkers } from './fleet/two-workers.ts';

/** Shards as large as a fleet has them, or, of the slower stage, so large that its runs end. */
const LOADS: Loads = { detect: { images: 400, shardSize: 100 }, embed: { images: 4000, shardSize: 1000 } };
const ROUNDS = 2;

export async function run(): Promise<unknown> {
  const server = await startPostgres(['shared_buffers=128MB']);
  try {
    const { stages } = await overhead(server.url, LOADS, ROUNDS);
    return { oneWorker: stages, twoWorkers: await twoWorkers(server.url, LOADS) };
  } finally {
    await server.stop();
  }
}
