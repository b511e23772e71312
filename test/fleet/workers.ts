/** Workers of a test as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import { fleetEngine } from '../../src/jobs/fleet/fleet-engine.ts';
import type { WorkerSummary } from '../../src/jobs/fleet/worker.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import type { Engine } from '../../src/jobs/stage.ts';

const PROGRAM = fileURLToPath(new URL('./worker.program.ts', import.meta.url));
const SKEWED = new URL('./skewed-clock.ts', import.meta.url).href;

export interface TestWorker {
  readonly child: ChildProcess;
  /** Ends it gently. @returns what it did; undefined where it was killed */
  stop(): Promise<WorkerSummary | undefined>;
}

export interface StartWorkerOptions {
  /** Its clock is so far ahead of this machine's, milliseconds. */
  readonly skewMs?: number;
  /** In place of the errors of the test's own. */
  readonly quiet?: boolean;
}

/** It leads a process group of its own, its child in it, so that both can be stopped at once. */
export function startWorker(
  location: string,
  name: string,
  cacheDir: string,
  { skewMs = 0, quiet = false }: StartWorkerOptions = {},
): TestWorker {
  const clock = skewMs === 0 ? {} : { LABELSMITH_TEST_SKEW_MS: String(skewMs), NODE_OPTIONS: `--import=${SKEWED}` };
  const env = { ...process.env, LABELSMITH_TEST_CACHE: cacheDir, ...clock };
  const child = spawn(process.execPath, [PROGRAM, location, name], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  return {
    child,
    async stop() {
      child.kill('SIGTERM');
      await closed;
      return said === '' ? undefined : (JSON.parse(said) as WorkerSummary);
    },
  };
}

/** Gives `work` an engine whose shards so many workers do. @returns its outcome, and how many shards they did */
export async function withWorkers<Outcome>(
  location: string,
  { count, cacheDir }: { readonly count: number; readonly cacheDir: string },
  work: (engine: Engine) => Promise<Outcome>,
): Promise<{ readonly outcome: Outcome; readonly shards: number }> {
  const workers: TestWorker[] = [];
  const openQueue = async () => {
    const queue = await bossQueue({ location });
    for (let n = 0; n < count; n++) workers.push(startWorker(location, `worker ${n}`, cacheDir));
    return queue;
  };
  const engine = fleetEngine({ local: localEngine(), pollMs: 20, openQueue });
  let summaries: (WorkerSummary | undefined)[] = [];
  const outcome = await work(engine).finally(async () => {
    await engine.close();
    summaries = await Promise.all(workers.map((worker) => worker.stop()));
  });
  return { outcome, shards: summaries.reduce((sum, one) => sum + (one?.shards ?? 0), 0) };
}
