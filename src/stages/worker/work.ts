/** `worker`: does shards of any stage of a workspace in PostgreSQL until it is told to end, or there is nothing left. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { bossQueue } from '../../jobs/fleet/boss-queue.ts';
import { commandQueue } from '../../jobs/fleet/commands.ts';
import { watchedOrders } from '../../jobs/fleet/orders.ts';
import { Outage } from '../../jobs/fleet/outage.ts';
import type { ShardQueue } from '../../jobs/fleet/queue.ts';
import { loadTraces } from '../../jobs/fleet/traces.ts';
import { runWorker, type WorkerEvent, type WorkerSummary } from '../../jobs/fleet/worker.ts';
import { requireShared } from '../../jobs/place.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import type { Device } from '../../onnx/device.ts';
import { isLostConnection } from '../../store/postgres/errors.ts';
import { serveMetrics, WorkerMetrics } from './metrics.ts';
import { CommandRunner, type RunCommandsOptions } from './run-commands.ts';
import { startShardProcess } from './shard-process.ts';

export interface WorkRequest {
  /** The workspace's address in PostgreSQL. */
  readonly location: string;
  readonly blobsAt?: string;
  /** Inference threads. */
  readonly threads: number;
  readonly device: Device;
  /** Shards at once. */
  readonly concurrency: number;
  /** Ends when there was nothing to do for so long, milliseconds. Default: never. */
  readonly drainMs?: number;
  /** Where metrics are served; none by default. */
  readonly metricsPort?: number;
  /** Shards of one model at once. */
  readonly perModel?: number;
  /** How whole commands are run that were given to the fleet; none are by default. */
  readonly commands?: Pick<RunCommandsOptions, 'start' | 'refusal' | 'onEvent'>;
  readonly signal: AbortSignal;
  /** Told once, before the first shard. */
  readonly onStart: (about: { readonly worker: string; readonly metricsPort?: number }) => void;
  readonly onEvent: (event: WorkerEvent) => void;
  /** Shards that wait for workers of another version; once a version, whenever they come. */
  readonly onOthers: (waiting: ReadonlyMap<string, number>) => void;
}

export async function work(request: WorkRequest): Promise<WorkerSummary> {
  const { location, blobsAt, threads, device, metricsPort, onEvent } = request;
  requireShared(location);
  // What is wrong with the place is told now, and not by every shard.
  const patiently = <T>(open: () => Promise<T>) => whenAnswering(open, request);
  const workspace = await patiently(() => openWorkspace(location, { create: false, blobsAt }));
  try {
    const orders = await watchedOrders(workspace.store);
    const queue = await patiently(() => bossQueue({ location }));
    const metrics = new WorkerMetrics();
    let server: Awaited<ReturnType<typeof serveMetrics>> | undefined;
    try {
      // A port that is taken ends the worker, and so whatever was opened before it.
      if (metricsPort !== undefined) server = await serveMetrics(metrics, metricsPort);
      const worker = `${hostname()}-${process.pid}`;
      request.onStart({ worker, metricsPort: server?.port });
      const stopLooking = await patiently(() => lookForOthers(queue, request.onOthers));
      const traces = await loadTraces();
      // A command that was given just after `worker pause` waits too.
      const ordersNow = await watchedOrders(workspace.store, { knownMs: 0 });
      return await besideCommands(request, ordersNow, (isBusy) =>
        runWorker({
          queue,
          orders,
          isBusy,
          traces,
          concurrency: request.concurrency,
          perModel: request.perModel,
          drainMs: request.drainMs,
          signal: request.signal,
          startProcess: () => startShardProcess({ location, threads, device, worker }),
          onEvent(event) {
            metrics.note(event);
            onEvent(event);
          },
        }),
      ).finally(stopLooking);
    } finally {
      await server?.close();
      await queue.close();
    }
  } finally {
    await workspace.close();
  }
}

/** As long as PostgreSQL takes to be begun again, or moved; a wrong address is told then. */
const PATIENCE_MS = 300_000;
const ASKED_AGAIN_MS = 2000;

/** Opens something on PostgreSQL, and waits for it where it does not answer, as workers do that run. */
export async function whenAnswering<T>(
  open: () => Promise<T>,
  { signal, onEvent }: Pick<WorkRequest, 'signal' | 'onEvent'>,
  { patienceMs = PATIENCE_MS, everyMs = ASKED_AGAIN_MS } = {},
): Promise<T> {
  const until = performance.now() + patienceMs;
  const outage = new Outage();
  for (;;) {
    try {
      const opened = await open();
      const forMs = outage.answered();
      if (forMs !== undefined) onEvent({ kind: 'back', forMs });
      return opened;
    } catch (error) {
      if (!isLostConnection(error) || signal.aborted || performance.now() >= until) throw error;
      onEvent({ kind: 'away', reason: messageOf(error), forMs: outage.missed() });
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** How often a worker asks whether shards wait for others; what it hears is some seconds old. */
const OTHERS_MS = 15_000;

/** @returns ends it */
async function lookForOthers(
  queue: Pick<ShardQueue, 'waitingForOthers'>,
  onOthers: WorkRequest['onOthers'],
): Promise<() => void> {
  const told = new Set<string>();
  const look = async () => {
    const waiting = [...(await queue.waitingForOthers())].filter(([version]) => !told.has(version));
    for (const [version] of waiting) told.add(version);
    if (waiting.length > 0) onOthers(new Map(waiting));
  };
  await look();
  // A queue that does not answer is told of by the taking of shards.
  const timer = setInterval(() => void look().catch(() => {}), OTHERS_MS);
  return () => clearInterval(timer);
}

/** Commands are taken for as long as shards are. */
async function besideCommands<T>(
  { location, commands, signal, onEvent }: WorkRequest,
  orders: RunCommandsOptions['orders'],
  shards: (isBusy: () => boolean) => Promise<T>,
): Promise<T> {
  if (commands === undefined) return shards(() => false);
  const queue = await whenAnswering(() => commandQueue({ location }), { signal, onEvent });
  const end = new AbortController();
  const runner = new CommandRunner({ queue, orders, signal: AbortSignal.any([signal, end.signal]), ...commands });
  const running = runner.run();
  try {
    return await shards(() => runner.isBusy);
  } finally {
    end.abort();
    await running;
    await queue.close();
  }
}
