/** `worker`: does shards of any stage of a workspace in PostgreSQL until it is told to end, or there is nothing left. */
import { hostname } from 'node:os';
import { LabelsmithError } from '../../errors.ts';
import { bossQueue } from '../../jobs/fleet/boss-queue.ts';
import { runWorker, type WorkerEvent, type WorkerSummary } from '../../jobs/fleet/worker.ts';
import { placeOfWorkspace } from '../../jobs/place.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import type { Device } from '../../onnx/device.ts';
import { serveMetrics, WorkerMetrics } from './metrics.ts';
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
  readonly signal: AbortSignal;
  /** Told once, before the first shard. */
  readonly onStart: (about: { readonly worker: string; readonly metricsPort?: number }) => void;
  readonly onEvent: (event: WorkerEvent) => void;
  /** Shards that wait for workers of another version. */
  readonly onOthers: (waiting: ReadonlyMap<string, number>) => void;
}

export async function work(request: WorkRequest): Promise<WorkerSummary> {
  const { location, blobsAt, threads, device, metricsPort, onEvent } = request;
  if (!placeOfWorkspace(location).isShared) {
    throw new LabelsmithError('USAGE', 'A worker works on a workspace in PostgreSQL.', {
      hint: 'Name it with --workspace postgres://HOST/DATABASE; labelsmith workspace copy brings one there.',
    });
  }
  // What is wrong with the place is told now, and not by every shard.
  await (await openWorkspace(location, { create: false, blobsAt })).close();
  const queue = await bossQueue({ location });
  const metrics = new WorkerMetrics();
  const server = metricsPort === undefined ? undefined : await serveMetrics(metrics, metricsPort);
  try {
    const worker = `${hostname()}-${process.pid}`;
    request.onStart({ worker, metricsPort: server?.port });
    const others = await queue.waitingForOthers();
    if (others.size > 0) request.onOthers(others);
    return await runWorker({
      queue,
      startProcess: () => startShardProcess({ location, threads, device, worker }),
      concurrency: request.concurrency,
      drainMs: request.drainMs,
      signal: request.signal,
      onEvent(event) {
        metrics.note(event);
        onEvent(event);
      },
    });
  } finally {
    await server?.close();
    await queue.close();
  }
}
