import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { LabelsmithError } from '../../errors.ts';
import { changeOrders, type FleetOrders } from '../../jobs/fleet/orders.ts';
import type { QueueEvent, WorkerEvent } from '../../jobs/fleet/worker.ts';
import { requireShared } from '../../jobs/place.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { startCommand } from '../../stages/worker/command-process.ts';
import { cancelCommand } from '../../stages/worker/follow-fleet.ts';
import { refuseUnknownModels } from '../../stages/worker/known-models.ts';
import type { CommandEvent } from '../../stages/worker/run-commands.ts';
import { work } from '../../stages/worker/work.ts';
import { type Context, command } from '../command.ts';
import { refusalOf } from '../detach.ts';
import type { Output } from '../output.ts';
import { commandText } from '../print/follow.ts';
import { Rarely } from '../rarely.ts';
import { duration, modelLimits, port, wholeNumber } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { formatDuration, oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const worker = command({
  name: 'worker',
  summary: 'do shards of a workspace in PostgreSQL, on as many machines as there are',
  details:
    'Takes shards of any stage from the queue of the workspace, as labelsmith … --fleet puts them there, and whole commands that were\n' +
    'given with --detach, until it is told to end\n' +
    '(Ctrl-C, SIGTERM): then it finishes what it has begun. Killed, its shards are done by others. Workers of another version,\n' +
    'or with other models, leave shards to those that fit, and say so.',
  args: {
    action: argument(
      '[action]',
      'nothing: work. To all workers: pause, resume, drain (end with what is under way), limit (with --model-limit), cancel\n' +
        '(take back the command that was given last)',
      z.enum(['work', 'pause', 'resume', 'drain', 'limit', 'cancel']).default('work'),
    ),
  },
  options: {
    concurrency: option('--concurrency <n>', 'shards at once', wholeNumber(1).default(2)),
    perModel: option('--per-model <n>', 'of these, shards of one model at once', wholeNumber(1).optional()),
    modelLimit: option(
      '--model-limit <name=n>',
      'with limit: shards of this model at once, over all workers (0: no limit)',
      modelLimits().optional(),
    ),
    onlyShards: flag('--only-shards', 'take no whole commands that were given with --detach'),
    drain: option(
      '--drain <time>',
      'end when there was nothing to do for so long, as 30s or 10m',
      duration().optional(),
    ),
    metricsPort: option('--metrics-port <n>', 'serve /metrics for Prometheus there, and /healthz', port().optional()),
  },
  examples: [
    ['labelsmith worker -w postgres://db/images', 'works until it is stopped'],
    ['labelsmith worker -w postgres://db/images --drain 5m', 'as a job that ends with the work'],
    ['labelsmith worker -w postgres://db/images --metrics-port 9464', 'with metrics for Prometheus'],
    ['labelsmith worker pause -w postgres://db/images', 'all workers wait, until resume'],
    [
      'labelsmith worker limit --model-limit centernet=4 -w postgres://db/images',
      'four shards of it at once over all workers',
    ],
  ],
  async run({ args, options, ...context }) {
    const { global, output, signal } = context;
    if (args.action !== 'work') return order(args.action, options.modelLimit, context);
    const { workspace: location, blobs: blobsAt, threads, device } = global;
    const [script] = process.argv.slice(1);
    const own = ['--workspace', location, '--fleet', '--json', '--threads', String(threads), '--device', device];
    const startedAt = performance.now();
    const [onShards, onCommands] = [teller('the queue', output), teller('the queue of commands', output)];
    const done = await work({
      location,
      blobsAt,
      threads,
      device,
      signal,
      concurrency: options.concurrency,
      perModel: options.perModel,
      commands: options.onlyShards
        ? undefined
        : {
            start: (words) => startCommand([...process.execArgv, script, ...own], words),
            refusal: refusalOf,
            onEvent: (event) => toldCommand(event, output, onCommands),
          },
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
      onEvent: (event) => told(event, output, onShards),
    });
    output.document(done);
    const took = formatDuration(performance.now() - startedAt);
    output.summary(`Did ${plural(done.shards, 'shard')} with ${plural(done.items, 'item')} in ${took}.`);
    if (done.refused !== undefined) output.warn(`This worker ended: ${done.refused}.`);
    return done.refused === undefined ? 0 : 1;
  },
});

async function order(
  action: 'pause' | 'resume' | 'drain' | 'limit' | 'cancel',
  limits: Readonly<Record<string, number>> | undefined,
  context: Pick<Context, 'global' | 'output' | 'signal'>,
): Promise<number> {
  const { output } = context;
  requireShared(context.global.workspace);
  if ((action === 'limit') !== (limits !== undefined)) {
    throw new LabelsmithError('USAGE', 'worker limit and --model-limit belong together.', {
      hint: 'As in: labelsmith worker limit --model-limit centernet=4',
    });
  }
  return withWorkspace(context, async (workspace) => {
    if (action === 'cancel') return cancel(workspace, output);
    const change = (now: FleetOrders): FleetOrders => {
      if (action === 'drain') return { ...now, drains: now.drains + 1 };
      if (action !== 'limit') return { ...now, paused: action === 'pause' };
      const all = Object.entries({ ...now.limits, ...limits }).filter(([, count]) => count > 0);
      return { ...now, limits: Object.fromEntries(all) };
    };
    if (action === 'limit') await refuseUnknownModels(Object.keys(limits ?? {}), workspace);
    const orders = await changeOrders(workspace.store, change, { anew: action === 'resume' });
    output.document(orders);
    output.summary(ORDERED[action]);
    return 0;
  });
}

/** Exit code 1 where there was nothing to take back. */
async function cancel(workspace: Workspace, output: Output): Promise<number> {
  const command = await cancelCommand(workspace);
  const isCancelled = command?.state.kind === 'cancelled';
  output.document({ cancelled: isCancelled ? command.words : null, ...(command && { state: command.state }) });
  if (command === undefined) output.summary('No command was given.');
  else if (isCancelled) output.summary(`Taken back: labelsmith ${oneLine(command.words.join(' '))}`);
  else output.summary(`It was over before. ${commandText(command)}`);
  return isCancelled ? 0 : 1;
}

const ORDERED = {
  pause: 'Workers finish what they have begun and wait: labelsmith worker resume.',
  resume: 'Workers go on.',
  drain: 'Workers that run now finish what they have begun and end.',
  limit: 'Workers keep to it from their next shard on.',
};

type TellOfQueue = (event: QueueEvent) => void;

/** After this a queue that still does not answer is told of again, milliseconds. */
const STILL_AWAY_MS = 60_000;

function teller(queue: string, output: Output): TellOfQueue {
  const rarely = new Rarely(STILL_AWAY_MS);
  return (event) => {
    const { kind, forMs } = event;
    const time = formatDuration(forMs);
    if (kind === 'back') {
      rarely.beginAnew();
      output.note(`${queue} answers again, after ${time}`);
    } else if (rarely.isDue(forMs)) {
      const still = forMs < STILL_AWAY_MS ? ', and is asked again' : ` for ${time}, and is still asked`;
      output.warn(`${queue} does not answer${still}: ${event.reason}`);
    }
  };
}

function toldCommand(event: CommandEvent, output: Output, tellOfQueue: TellOfQueue): void {
  if (event.kind === 'away' || event.kind === 'back') {
    tellOfQueue(event);
    return;
  }
  const code = event.kind === 'ended' ? ` with ${event.exitCode}` : '';
  output.note(`command ${event.kind}${code}: labelsmith ${oneLine(event.words.join(' '))}`);
  if (event.kind === 'ended' && event.reason !== undefined) output.warn(oneLine(event.reason));
}

function told(event: WorkerEvent, output: Output, tellOfQueue: TellOfQueue): void {
  if (event.kind === 'away' || event.kind === 'back') {
    tellOfQueue(event);
    return;
  }
  const which = `${event.stage} ${event.shard}`;
  if (event.kind !== 'done') output.warn(`${which} ${event.kind}: ${event.reason}`);
  else output.note(`${which}: ${plural(event.items, 'item')} in ${formatDuration(event.ms)}`);
}
