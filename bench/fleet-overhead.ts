/**
 * What a fleet of one worker costs beside the engine of one machine, and the queue's share of the time (`fleet/overhead.ts`).
 * Some three minutes on a machine that does nothing else; on a busy one the ratios say more about what it is busy with.
 */
import { startPostgres } from '../test/postgres/server.ts';
import { overhead } from './fleet/overhead.ts';

export async function run(): Promise<unknown> {
  const server = await startPostgres(['shared_buffers=128MB']);
  try {
    return (await overhead(server.url, { detect: 160, embed: 800 }, 3)).stages;
  } finally {
    await server.stop();
  }
}
