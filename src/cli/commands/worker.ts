import type { WorkerEvent } from '../../jobs/fleet/worker.ts';
import { work } from '../../stages/worker/work.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { duration, wholeNumber } from '../text-values.ts';
import { option } from '../values.ts';
import { formatDuration, plural } from '../words.ts';

export const worker = command({
  name: 'worker',
  summary: 'do shards of a workspace in PostgreSQL, on as many machines as there are',
  details:
    'Takes shards of any stage from the queue of the workspace, as labelsmith … --fleet puts them there, until it is told to end\n' +
    '(Ctrl-C, SIGTERM): then it finishes what it has begun. Killed, its shards are done by others. Workers of another version,\n' +
    'or with other models, leave shards to those that fit, and say so.',
  options: {
    concurrency: option('--concurrency <n>', 'shards at once', wholeNumber(1).default(2)),
    drain: option(
      '--drain <time>',
      'end when there was nothing to do for so long, as 30s or 10m',
      duration().optional(),
    ),
    metricsPort: option(
      '--metrics-port <n>',
      'serve /metrics for Prometheus there, and /healthz',
      wholeNumber(0).optional(),
    ),
  },
  examples: [
    ['labelsmith worker -w postgres://db/images', 'works until it is stopped'],
    ['labelsmith worker -w postgres://db/images --drain 5m', 'as a job that ends with the work'],
    ['labelsmith worker -w postgres://db/images --metrics-port 9464', 'with metrics for Prometheus'],
  ],
  async run({ options, global, output, signal }) {
    const { workspace: location, blobs: blobsAt, threads, device } = global;
    const startedAt = performance.now();
    const done = await work({
      ...{ location, blobsAt, threads, device, signal },
      concurrency: options.concurrency,
      drainMs: options.drain,
      metricsPort: options.metricsPort,
      onStart({ worker: name, metricsPort }) {
        const metrics = metricsPort === undefined ? '' : `, metrics at port ${metricsPort}`;
        output.note(`Worker ${name} waits for shards${metrics}.`);
      },
      onOthers(waiting) {
        for (const [version, count] of waiting) {
          output.note(
            `note: ${plural(count, 'shard')} wait for workers of another version (${version}); this one leaves them.`,
          );
        }
      },
      onEvent: (event) => told(event, output),
    });
    output.document(done);
    const took = formatDuration(performance.now() - startedAt);
    output.summary(`Did ${plural(done.shards, 'shard')} with ${plural(done.items, 'item')} in ${took}.`);
    if (done.refused !== undefined) output.warn(`This worker ended: ${done.refused}.`);
    return done.refused === undefined ? 0 : 1;
  },
});

function told(event: WorkerEvent, output: Output): void {
  if (event.kind === 'away') {
    output.warn(`the queue does not answer, and is asked again: ${event.reason}`);
    return;
  }
  const which = `${event.stage} ${event.shard}`;
  if (event.kind !== 'done') output.warn(`${which} ${event.kind}: ${event.reason}`);
  else output.note(`${which}: ${plural(event.items, 'item')} in ${formatDuration(event.ms)}`);
}
