/** What a worker did, for Prometheus: counters in its text format, version 0.0.4, and a server of them. */
import { createServer } from 'node:http';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import type { WorkerEvent } from '../../jobs/fleet/worker.ts';

interface StageCounters {
  shards: number;
  items: number;
  seconds: number;
  failed: number;
}

export class WorkerMetrics {
  readonly #stages = new Map<string, StageCounters>();
  #away = 0;

  note(event: WorkerEvent): void {
    if (event.kind === 'away') {
      this.#away++;
      return;
    }
    if (event.kind === 'back') return;
    const of = this.#stages.get(event.stage) ?? { shards: 0, items: 0, seconds: 0, failed: 0 };
    this.#stages.set(event.stage, of);
    if (event.kind !== 'done') {
      of.failed++;
      return;
    }
    of.shards++;
    of.items += event.items;
    of.seconds += event.ms / 1000;
  }

  text(): string {
    const lines: string[] = [];
    const family = (name: string, help: string, read: (counters: StageCounters) => number) => {
      lines.push(`# HELP labelsmith_worker_${name} ${help}`, `# TYPE labelsmith_worker_${name} counter`);
      for (const [stage, counters] of this.#stages) {
        lines.push(`labelsmith_worker_${name}{stage="${stage}"} ${read(counters)}`);
      }
    };
    family('shards_total', 'Shards that were done.', ({ shards }) => shards);
    family('items_total', 'Images and other items in them.', ({ items }) => items);
    family('shard_seconds_total', 'Time that shards took, from taking them to their result.', ({ seconds }) => seconds);
    family('failures_total', 'Attempts at shards that failed.', ({ failed }) => failed);
    lines.push('# HELP labelsmith_worker_queue_errors_total Times that the queue did not answer.');
    lines.push('# TYPE labelsmith_worker_queue_errors_total counter');
    lines.push(`labelsmith_worker_queue_errors_total ${this.#away}`);
    return `${lines.join('\n')}\n`;
  }
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers `/metrics`, and `/healthz` for what asks whether the worker lives. @param port 0 for any that is free */
export async function serveMetrics(metrics: WorkerMetrics, port: number, host = '0.0.0.0'): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.text());
    } else if (request.url === '/healthz') response.writeHead(200).end('ok\n');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new LabelsmithError('BUSY', `Port ${port} for metrics cannot be had (${systemCodeOf(cause)}).`, {
          hint: 'Name another one with --metrics-port.',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
