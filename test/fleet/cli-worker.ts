/** `labelsmith worker` of a test, as the built command line. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type CliOptions, startCli } from '../cli.ts';

export interface CliWorker {
  readonly child: ChildProcess;
  /** What it said so far. */
  said(): string;
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
}

export function startCliWorker(args: readonly string[], options: CliOptions): CliWorker {
  const child = startCli(['worker', ...args], options);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout?.resume();
  return { child, said: () => said, ended: once(child, 'close').then(([code]) => code as number | null) };
}
