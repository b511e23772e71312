/**
 * An engine that trusts nothing in memory: settings and every shard go through JSON text to another process, which opens
 * the workspace for itself, does the shard, and hands the result back as a clone. Commits happen here, in order.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { localEngine } from '../../../src/jobs/local-engine.ts';
import { type Counts, type Engine, type StageDefinition, type StageJob, sumCounts } from '../../../src/jobs/stage.ts';
import { InferencePool } from '../../../src/onnx/pool.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('./worker.program.ts', import.meta.url));

export interface ChildEngine extends Engine, Disposable {
  /** Names of the stages that were run, with how many shards each had. */
  readonly shardsOf: ReadonlyMap<string, number>;
}

export function childEngine(cacheDir: string): ChildEngine {
  const shardsOf = new Map<string, number>();
  const local = localEngine();
  const child = fork(PROGRAM, { serialization: 'advanced', execArgv: [] });
  const openInference: Engine['openInference'] = ({ threads }) => InferencePool.create({ threads });
  return {
    shardsOf,
    opensElsewhere: true,
    [Symbol.dispose]: () => {
      if (child.connected) child.disconnect();
    },
    async run(stage, job, context) {
      const own = context ?? (await stage.open(job));
      // What is done at once is done where it is, and has nothing to tell another process.
      if (stage.isQuick?.(own)) {
        const done = await local.run(stage, job, own);
        if (context === undefined) await stage.close?.(own);
        return done;
      }
      const worker = workerOf(child, stage.name, job, cacheDir);
      try {
        const { counts, shards } = await runStage(stage, job, own, worker.process);
        shardsOf.set(stage.name, (shardsOf.get(stage.name) ?? 0) + shards);
        return { counts, shards, interrupted: false, elapsedMs: 0 };
      } finally {
        await worker.close();
        if (context === undefined) await stage.close?.(own);
      }
    },
    openInference,
    async withInference(options, work) {
      await using pool = await openInference(options);
      return await work(pool);
    },
  };
}

async function runStage<Settings, Context, Shard, Result>(
  stage: StageDefinition<Settings, Context, Shard, Result>,
  _job: StageJob<Settings>,
  context: Context,
  work: (shard: string) => Promise<unknown>,
): Promise<{ counts: Counts; shards: number }> {
  let counts: Counts = {};
  let shards = 0;
  for await (const shard of stage.plan(context)) {
    const text = JSON.stringify(shard);
    // What `process` of the same stage gave, cloned.
    const result = (await work(text)) as Result;
    counts = sumCounts(counts, await stage.commit(context, stage.shard.parse(JSON.parse(text)), result));
    shards++;
  }
  return { counts, shards };
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message);
}

function workerOf<Settings>(
  child: ChildProcess,
  stage: string,
  { workspace: { dir }, settings, runId, seed, threads }: StageJob<Settings>,
  cacheDir: string,
): { process: (shard: string) => Promise<unknown>; close: () => Promise<void> } {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  const closed = Promise.withResolvers<void>();
  const onMessage = (message: FromWorker) => {
    if (message.kind === 'closed') return closed.resolve();
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'done') asked?.resolve(message.result);
    else asked?.reject(new Error(`in the other process: ${message.message}`));
  };
  const onExit = (code: number | null) => {
    for (const { reject } of waiting.values()) reject(new Error(`the other process ended with ${code}`));
    closed.resolve();
  };
  child.on('message', onMessage);
  child.on('exit', onExit);
  send(child, {
    kind: 'open',
    job: { stage, dir, cacheDir, runId, seed, threads, settings: JSON.stringify(settings) },
  });
  let next = 0;
  return {
    process: async (shard) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      if (!child.connected) throw new Error('the other process is gone');
      const id = next++;
      waiting.set(id, { resolve, reject });
      send(child, { kind: 'shard', id, shard });
      return await promise;
    },
    close: async () => {
      if (!child.connected) return;
      send(child, { kind: 'close' });
      await closed.promise;
      child.off('message', onMessage);
      child.off('exit', onExit);
    },
  };
}
