/** An output that is cut short: a process of its own writes it, and kills itself at one of its steps. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { OutputOptions } from '../src/files/output.ts';

/** Renames are counted by wrapping the file system: each has a step before it and one after it. */
const SCRIPT = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const [module, out, options, file, text, step] = JSON.parse(process.argv[1]);
  let done = 0;
  const die = () => { if (done++ === step) process.kill(process.pid, 'SIGKILL'); };
  const { rename } = fs.promises;
  fs.promises.rename = async (...args) => { die(); await rename(...args); die(); };
  syncBuiltinESMExports();
  const { writeOutput } = await import(module);
  await writeOutput(out, options, async (target) => {
    fs.writeFileSync(target + file, text);
    if (step < 0) process.kill(process.pid, 'SIGKILL');
  });
`;

interface Killed {
  readonly options: OutputOptions;
  /** Below the output: `/new`. Default: the output itself. */
  readonly file?: string;
  readonly text: string;
  /** From 0, in order of the steps; below 0: as soon as the text is written, before any rename. */
  readonly step: number;
}

/** Returns when the process is dead; fails where it came to its end. */
export function writeKilledAt(out: string, { options, file = '', text, step }: Killed): void {
  const module = join(import.meta.dirname, '../src/files/output.ts');
  const given = JSON.stringify([module, out, options, file, text, step]);
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, given], {
    encoding: 'utf8',
  });
  assert.equal(signal, 'SIGKILL', stderr);
}
