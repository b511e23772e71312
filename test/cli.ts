/** The built command line, run as a user runs it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';

export const CLI = resolve(import.meta.dirname, '../dist/cli/main.js');
export const DATA = resolve(process.env.LABELSMITH_BENCH_DATA ?? resolve(import.meta.dirname, '../../shared/data'));
export const MODELS = resolve(DATA, '../models');

/** The reason to skip a test of a data set, or false when the set is there. */
export function without(set: string): string | false {
  return existsSync(join(DATA, set))
    ? false
    : `no benchmark data at ${join(DATA, set)} (LABELSMITH_BENCH_DATA names its folder)`;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  /** User and group to run as; only root may name another. */
  readonly uid?: number;
  /** SIGKILL after this long. */
  readonly killAfterMs?: number;
}

export interface CliResult {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startCli(args: readonly string[], options: CliOptions): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    // Which models happen to be in the cache of whoever runs the tests must not decide what they see.
    env: { ...process.env, LABELSMITH_QUALITY: 'fast', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    uid: options.uid,
    gid: options.uid,
  });
}

export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = startCli(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {}); // a command that ends early closes its stdin
  child.stdin?.end(options.input ?? '');
  const timer =
    options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  const code = await new Promise<number | null>((done, fail) => child.on('close', done).on('error', fail));
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** Runs with `--json`, expects exit code 0 (or `expected`) and gives the document. */
export async function runJson<T = Record<string, unknown>>(
  args: readonly string[],
  options: CliOptions & { readonly expected?: number },
): Promise<T> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options);
  if (code !== (options.expected ?? 0)) {
    throw new Error(
      `labelsmith ${args.join(' ')} ended with ${code}, expected ${options.expected ?? 0}\n${stderr}\n${stdout}`,
    );
  }
  return JSON.parse(stdout) as T;
}

/** Runs with `--json` what has to fail with exit code 1, and gives its error: the code, and what is said with what to do. */
export async function runFailing(
  args: readonly string[],
  options: CliOptions,
): Promise<{ code: string; text: string }> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options);
  assert.equal(code, 1, `labelsmith ${args.join(' ')}\n${stdout}\n${stderr}`);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint?: string } };
  return { code: error.code, text: `${error.message} ${error.hint ?? ''}` };
}

/** An empty folder that is gone after the test. */
export async function scratch(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-test-'));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}
