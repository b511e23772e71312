/** The worker's end of the process that does its shards. */
import { type ChildProcess, fork } from 'node:child_process';
import type { ShardOutcome, ShardProcess } from '../../jobs/fleet/worker.ts';
import type { FromProcess, ProcessSetup, ToProcess } from './messages.ts';

/** `shard.child.ts` in a checkout, `shard.child.js` when compiled. */
const CHILD = new URL(`./shard.child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

interface Waiting {
  resolve(outcome: ShardOutcome): void;
  reject(error: Error): void;
}

/** @param module default: the child of this folder */
export function startShardProcess(setup: ProcessSetup, module: URL = CHILD): ShardProcess {
  const child = fork(module, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      hasEnded = true;
      for (const { reject } of waiting.values()) reject(new Error(reason));
      waiting.clear();
      resolve();
    };
    child.once('error', (error) => end(`its process could not begin (${error.message})`));
    child.once('exit', (code, signal) => end(`its process ended with ${signal ?? code}`));
  });
  child.on('message', (message) => {
    const { id, outcome } = message as FromProcess;
    waiting.get(id)?.resolve(outcome);
    waiting.delete(id);
  });
  send(child, { kind: 'setup', setup });
  return {
    get hasEnded() {
      return hasEnded;
    },
    run(job) {
      return new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        send(child, { kind: 'shard', id, job });
      });
    },
    async close() {
      send(child, { kind: 'close' });
      const late = setTimeout(() => child.kill('SIGKILL'), MAX_CLOSE_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Models take a moment to let go. */
const MAX_CLOSE_MS = 20_000;

function send(child: ChildProcess, message: ToProcess): void {
  // One that has ended is told of by its exit.
  if (child.connected) child.send(message, () => {});
}
