/** A worker with models made by code: `node worker.program.ts LOCATION NAME`. Ends on SIGTERM. */
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { runWorker } from '../../src/jobs/fleet/worker.ts';
import { startShardProcess } from '../../src/stages/worker/shard-process.ts';

const [location = '', worker = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const queue = await bossQueue({ location, heartbeatSeconds: 10 });
const setup = { location, worker, threads: 1, device: 'cpu' };
const summary = await runWorker({
  queue,
  startProcess: () => startShardProcess(setup, new URL('./shard.program.ts', import.meta.url)),
  idleMs: 200,
  heartbeatMs: 2000,
  signal: stop.signal,
});
await queue.close();
process.stdout.write(`${JSON.stringify(summary)}\n`);
