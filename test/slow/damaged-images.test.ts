/**
 * Damaged images and archives, 10,000 of them (`LABELSMITH_DAMAGED` another number): no crash, no hang, no fault of ours,
 * and memory stays bounded. They are read in child processes, a thousand each, since a decoder that crashes takes its
 * process with it. A failure names the index; `node test/slow/damaged-images.program.ts INDEX INDEX+1` reads it again.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const COUNT = Number(process.env.LABELSMITH_DAMAGED ?? 10_000);
const A_PROCESS = 1000;
/** The files have some kilobytes; HEIC has the module to load. */
const MAX_MS_EACH = 30_000;
/** The program alone has 200 MB; pictures are refused above 16 million pixels. */
const MAX_BYTES = 1.2 * 2 ** 30;

interface Line {
  readonly begins?: number;
  readonly ends?: number;
  readonly name?: string;
  readonly failed?: number;
  readonly message?: string;
  readonly tookMs?: number;
  readonly peakBytes?: number;
}

async function read(from: number, to: number): Promise<readonly string[]> {
  const program = join(import.meta.dirname, 'damaged-images.program.ts');
  const child = spawn(process.execPath, [program, String(from), String(to)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<string>((done) => child.on('close', (code, signal) => done(signal ?? String(code))));
  const problems: string[] = [];
  let current = 'nothing yet';
  let peakBytes = Number.POSITIVE_INFINITY;
  let watch: NodeJS.Timeout | undefined;
  const expectLine = () => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      problems.push(`hangs: ${current}`);
      child.kill('SIGKILL');
    }, MAX_MS_EACH);
  };
  expectLine();
  for await (const text of createInterface({ input: child.stdout })) {
    expectLine();
    const line: Line = JSON.parse(text);
    if (line.begins !== undefined) current = `${line.begins} (${line.name})`;
    if (line.failed !== undefined) problems.push(`fails: ${current}: ${line.message}`);
    if (line.peakBytes !== undefined) peakBytes = line.peakBytes;
  }
  clearTimeout(watch);
  const code = await ended;
  if (code !== '0') problems.push(`ended with ${code} at ${current}`);
  else if (!(peakBytes <= MAX_BYTES)) problems.push(`${peakBytes} bytes between ${from} and ${to}`);
  return problems;
}

test(`${COUNT} damaged images and archives`, async () => {
  const problems: string[] = [];
  for (let from = 0; from < COUNT; from += A_PROCESS) {
    problems.push(...(await read(from, Math.min(COUNT, from + A_PROCESS))));
  }
  assert.deepEqual(problems, []);
});
