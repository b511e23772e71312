/** A command of the fleet as a process: the command line itself, with the workspace of the worker, its document kept. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CommandProcess } from './run-commands.ts';

/** What is kept of what a command says on the way, and the longest document that is, characters. */
const SAID_KEPT = 4000;
const DOCUMENT_MAX = 1_000_000;
/** The longest summary, characters. */
const SUMMARY_MAX = 20_000;

/** Tells a command line to which of its file descriptors it writes its summary too; with `--json` it goes nowhere else. */
export const SUMMARY_TO = 'LABELSMITH_SUMMARY_TO';
const SUMMARY_FD = 3;

/** @param program the words before those of the command: Node's options and the script */
export function startCommand(program: readonly string[], words: readonly string[]): CommandProcess {
  const child = spawn(process.execPath, [...program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, [SUMMARY_TO]: String(SUMMARY_FD) },
  });
  let document = '';
  let summary = '';
  let said = '';
  (child.stdio[SUMMARY_FD] as Readable | undefined)?.setEncoding('utf8').on('data', (text: string) => {
    summary = (summary + text).slice(0, SUMMARY_MAX);
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (document.length < DOCUMENT_MAX) document += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_KEPT);
  });
  return {
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve({ exitCode: null, document: null, said: error.message, summary: '' }));
      child.once('close', (exitCode) => {
        resolve({ exitCode, document: parsed(document), said: said.trim(), summary: summary.trim() });
      });
    }),
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
