/** Workers of a test as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerSummary } from '../../src/jobs/fleet/worker.ts';

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
