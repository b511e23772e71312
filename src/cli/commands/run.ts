import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import type { FlowOptions } from '../../flow/run-flow.ts';
import { timesText } from '../../flow/times.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { type Context, command } from '../command.ts';
import { modelsFor } from '../fetching.ts';
import { argument, flag } from '../values.ts';
import { oneLine } from '../words.ts';

export const run = command({
  name: 'run',
  summary: 'the whole flow of a labelsmith.yaml: cameras, targets, schedules of stages',
  details:
    'Keeps it going until SIGTERM or Ctrl-C: cameras are captured, arriving images labelled (watch), and each schedule runs\n' +
    'its stages at its times. SIGHUP reads the file again: what it says the same of goes on, and a file that is wrong changes\n' +
    'nothing. What fails is told and tried again. labelsmith status --flow says how it is. --workspace is not asked: the file\n' +
    'names its own.',
  args: { file: argument('[file]', 'the flow', z.string().default('labelsmith.yaml')) },
  options: {
    once: flag('--once', 'everything once, in order, and an end: for cron, and to try it'),
    check: flag('--check', 'only say whether the file is right, and what it asks for'),
    schema: flag('--schema', 'print the JSON schema of the file, for editors'),
  },
  examples: [
    ['labelsmith run labelsmith.yaml', 'as a service'],
    ['labelsmith run labelsmith.yaml --check', 'what is wrong, by line and column'],
    ['labelsmith run labelsmith.yaml --once', 'cameras to their end, then each schedule once'],
    ['labelsmith run --schema > labelsmith.schema.json', 'completion and checks in an editor'],
  ],
  async run({ args, options, ...context }) {
    const { output } = context;
    if (options.schema) {
      const { flowJsonSchema } = await import('../../flow/flow-schema.ts');
      output.document(flowJsonSchema());
      output.line(JSON.stringify(flowJsonSchema(), null, 2));
      return 0;
    }
    if (options.check) return check(args.file, context);
    const { runFlowOnce, startFlow } = await import('../../flow/run-flow.ts');
    const flowOptions = optionsOf(context);
    if (options.once) {
      const state = await runFlowOnce(args.file, flowOptions);
      output.document(state);
      return 0;
    }
    // Before anything is begun: a signal without a listener would end the process.
    let reload = async () => {};
    const onHangUp = () => void reload();
    process.on('SIGHUP', onHangUp);
    try {
      const flow = await startFlow(args.file, flowOptions);
      reload = flow.reload;
      output.note(`The flow runs as process ${process.pid}: kill -HUP reads the file again, kill stops it.`);
      output.document(await flow.ended);
      return 0;
    } finally {
      process.off('SIGHUP', onHangUp);
    }
  },
});

function optionsOf(context: Pick<Context, 'global' | 'output' | 'signal'>): FlowOptions {
  const { global, output, signal } = context;
  const { seed, threads, device } = global;
  const at = () => new Date().toISOString().slice(11, 19);
  return {
    seed,
    threads,
    device,
    signal,
    openWorkspace: (dir) => openWorkspace(dir, { create: true, device, models: modelsFor(context) }),
    onLine: (text) => output.note(`${at()} ${oneLine(text)}`),
    onWarn: (text) => output.warn(`${at()} ${text}`),
  };
}

async function check(file: string, { output }: Pick<Context, 'output'>): Promise<number> {
  const { readFlow } = await import('../../flow/flow.ts');
  const flow = await readFlow(file);
  const { cameras, schedules, targets, watch, workspace } = flow;
  output.document({
    file: flow.file,
    workspace,
    cameras: cameras.map(({ name }) => name),
    watch: watch?.folder ?? null,
    targets: [...targets.values()].map(({ name, address }) => ({ name, address })),
    schedules: schedules.map((one) => ({
      name: one.name,
      times: timesText(one),
      run: one.run.map(({ stage }) => stage),
    })),
  });
  output.line(
    `${oneLine(flow.file)} is right: ${plural(cameras.length, 'camera')}, ${plural(targets.size, 'target')}.`,
  );
  if (watch !== undefined) output.line(`  watch ${oneLine(watch.folder)}`);
  for (const one of schedules) {
    output.line(`  ${oneLine(one.name)} ${timesText(one)}: ${one.run.map(({ stage }) => stage).join(', ')}`);
  }
  return 0;
}
