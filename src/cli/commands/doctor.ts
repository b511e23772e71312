import { type Check, machineChecks } from '../../jobs/machine-checks.ts';
import { versions } from '../../jobs/run.ts';
import { ffmpegCheck } from '../../stages/capture/ffmpeg.ts';
import { command } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';

export const doctor = command({
  name: 'doctor',
  summary: 'is this machine fit: runtime, engine, memory, disk, models',
  examples: [
    ['labelsmith doctor', 'a line for each thing that is looked at; exit 1 when one is not well'],
    ['labelsmith doctor --device webgpu', 'whether models can run on the graphics card'],
  ],
  async run({ global, output, signal }) {
    const machine = await machineChecks(global.workspace, global.device, fetchOptionsFor(output, signal));
    const checks: Check[] = [...machine, await ffmpegCheck()];
    const ok = checks.every((check) => check.ok);
    output.document({ ok, versions: await versions(), checks });
    for (const { name, ok: well, what, hint } of checks) {
      output.line(`${well ? '✓' : '✗'} ${name.padEnd(14)} ${what}`);
      if (!well && hint) output.line(`  ${' '.repeat(14)} ${hint}`);
    }
    return ok ? 0 : 1;
  },
});
