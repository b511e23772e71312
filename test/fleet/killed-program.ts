/** A program of a test as a process of its own that is killed, and the parts of reductions that it keeps. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Begun {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

/** @param location of the workspace that it works on. */
export function beginProgram(program: string, location: string): Begun {
  const child = spawn(process.execPath, [program, location], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, said }));
  return { child, ended };
}

/** When each part that is kept was written, by its file. */
export function keptParts(location: string): Map<string, number> {
  const files = globSync('cache/blobs/reductions/*/*.shard', { cwd: location }).map((name) => join(location, name));
  return new Map(files.map((file) => [file, statSync(file).mtimeMs]));
}
