/** Workers of a test as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerSummary } from '../../src/jobs/fleet/worker.ts';

const PROGRAM = fileURLToPath(new URL('./worker.program.ts', import.meta.url));

export interface TestWorker {
  readonly child: ChildProcess;
  /** Ends it gently. @returns what it did; undefined where it was killed */
  stop(): Promise<WorkerSummary | undefined>;
}

export function startWorker(location: string, name: string, cacheDir: string): TestWorker {
  const env = { ...process.env, LABELSMITH_TEST_CACHE: cacheDir };
  const child = spawn(process.execPath, [PROGRAM, location, name], { env, stdio: ['ignore', 'pipe', 'inherit'] });
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
