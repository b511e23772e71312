/**
 * Many machines: what one worker costs beside the engine of one machine, what ingest, plan, results and commits of `detect` cost in PostgreSQL as the record grows, and, with these
 * constants, fleets of 10 to 300 workers in virtual time: where they stop scaling.
 *
 * `LABELSMITH_BENCH_FLEET_IMAGES` is the number of images whose records are committed (default 1,000,000).
 */
import { startPostgres } from '../test/postgres/server.ts';
import { commits } from './fleet/commits.ts';
import { overhead } from './fleet/overhead.ts';
import { simulate } from './fleet/simulate.ts';
import { rounded } from './process.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_FLEET_IMAGES ?? 1_000_000);

export async function run(): Promise<unknown> {
  // As Debian installs it; tests do with less.
  const server = await startPostgres(['shared_buffers=128MB']);
  try {
    const costs = await commits(`${server.url}?schema=commits`, IMAGES);
    const oneWorker = await overhead(server.url, { detect: 160, embed: 800 });
    return { oneWorker, commits: costs, simulated: await fleets(costs.resultMs, costs.commitMs) };
  } finally {
    await server.stop();
  }
}

/** Workers of one thread that take 9 images a second, as `detect` does on one core, in shards of 1,000. */
async function fleets(resultMs: number, commitMs: number) {
  const found: unknown[] = [];
  for (const workers of [10, 100, 300]) {
    const plan = { shards: 10 * workers, imagesAShard: 1000, shardMs: 111_000, slow: 0.02, lost: 0.01, seed: 1 };
    const simulated = await simulate({ workers, ...plan, resultMs, commitMs, maxAhead: Math.max(256, 3 * workers) });
    found.push({ workers, ...Object.fromEntries(Object.entries(simulated).map(([name, n]) => [name, rounded(n, 3)])) });
  }
  return found;
}
