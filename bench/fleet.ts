/**
 * Many machines: what ingest, plan, results and commits cost in PostgreSQL as the record grows, what the queue's calls cost,
 * and, with these constants, fleets of 10 to 1,000 workers in virtual time: undisturbed, with slow machines and such as are
 * taken away, and on a slow database that stands still now and then. Says where they stop scaling and why, and what a billion
 * images take. `fleet-overhead` and `fleet-million` measure the rest.
 *
 * `LABELSMITH_BENCH_FLEET_IMAGES` is the number of images whose records are committed (default 100,000).
 */
import { startPostgres } from '../test/postgres/server.ts';
import { billion } from './fleet/billion.ts';
import { commits } from './fleet/commits.ts';
import { fleets, IMAGES_A_SHARD } from './fleet/fleets.ts';
import { overhead } from './fleet/overhead.ts';
import { queueCalls } from './fleet/queue-calls.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_FLEET_IMAGES ?? 100_000);
/** For the rate of a core, not for what a fleet costs beside it. */
const LOADS = { detect: { images: 60, shardSize: 20 }, embed: { images: 300, shardSize: 100 } };

export async function run(): Promise<unknown> {
  // As Debian installs it; tests do with less.
  const server = await startPostgres(['shared_buffers=128MB']);
  try {
    const costs = await commits(`${server.url}?schema=commits`, IMAGES);
    const queue = await queueCalls(`${server.url}?schema=calls`);
    const { stages, vectorBytesAnImage } = await overhead(server.url, LOADS, 1);
    const rateOf = (of: string) => stages.find(({ stage }) => stage === of)?.rates[0]?.local ?? 0;
    const perCore = { detect: rateOf('detect'), embed: rateOf('embed') };
    const last = (rates: readonly number[]) => rates[rates.length - 1];
    process.stderr.write(`${JSON.stringify({ costs, queue, perCore, vectorBytesAnImage })}\n`);
    const rates = {
      add: last(costs.ingestPerSecond),
      detect: last(costs.detectPerSecond),
      assign: last(costs.assignPerSecond),
    };
    const constants = {
      shardMs: (IMAGES_A_SHARD * 1000) / perCore.detect,
      resultMs: costs.resultMs,
      commitMs: costs.commitMs,
      queueMs: queue.take,
    };
    return {
      commits: costs,
      queueCallsMs: queue,
      perCore,
      vectorBytesAnImage,
      simulated: await fleets(constants),
      billion: billion({
        perCore,
        commits: rates,
        vectorBytesAnImage,
        recordBytesAnImage: costs.recordBytesAnImage,
      }),
    };
  } finally {
    await server.stop();
  }
}
