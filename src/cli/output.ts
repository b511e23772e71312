/** What the command line prints and where: results on stdout, everything about the way there on stderr. */

import { formatCount } from '../core/count-text.ts';
import type { Progress } from '../jobs/stage.ts';
import { Rarely } from './rarely.ts';
import { formatDuration, jsonText, printable } from './words.ts';

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** A line of what was asked for; nothing with `--json`, where the document says it. */
  line(text?: string): void;
  /** A line of what was done, and what to do next; nothing with `--json` or `--quiet`. */
  summary(text?: string): void;
  /** The one JSON document of `--json`. */
  document(value: unknown): void;
  /** A remark on stderr; nothing with `--quiet`. */
  note(text: string): void;
  /** A warning on stderr, `--quiet` or not. */
  warn(text: string): void;
  /** Shows how far stages are, one after the other; `done` ends the line of the last one, before anything else is printed. */
  progress(): { update(progress: Progress): void; done(): void };
  /** Lines on stderr that change: drawn over on a terminal, said now and then in a log; nothing with `--quiet`. */
  board(): { show(lines: readonly string[]): void; done(): void };
}

/** The part of a terminal or file that is written to. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 5000;

export function createOutput(
  options: { readonly json: boolean; readonly quiet: boolean },
  stdout: Sink = process.stdout,
  stderr: Sink = process.stderr,
  summaryTo?: Sink,
): Output {
  const { json, quiet } = options;
  return {
    json,
    quiet,
    line(text = '') {
      if (!json) stdout.write(`${printable(text)}\n`);
    },
    summary(text = '') {
      if (!json && !quiet) stdout.write(`${printable(text)}\n`);
      summaryTo?.write(`${printable(text)}\n`);
    },
    document(value) {
      if (json) stdout.write(`${jsonText(value)}\n`);
    },
    note(text) {
      if (!quiet) stderr.write(`${printable(text)}\n`);
    },
    warn(text) {
      stderr.write(`${printable(text)}\n`);
    },
    progress() {
      if (quiet) return { update() {}, done() {} };
      return stderr.isTTY ? progressBar(stderr) : progressLog(stderr);
    },
    board() {
      if (quiet) return { show() {}, done() {} };
      return stderr.isTTY ? terminalBoard(stderr) : logBoard(stderr);
    },
  };
}

function terminalBoard(stderr: Sink) {
  let drawn = 0;
  return {
    show(lines: readonly string[]) {
      const width = Math.max(20, (stderr.columns ?? 80) - 1);
      const up = drawn === 0 ? '' : `\x1b[${drawn}A\x1b[J`;
      stderr.write(`${up}${lines.map((line) => `${printable(line).slice(0, width)}\n`).join('')}`);
      drawn = lines.length;
    },
    done() {},
  };
}

function logBoard(stderr: Sink) {
  let shownAt = Number.NEGATIVE_INFINITY;
  let last: readonly string[] = [];
  let isShown = true;
  const say = () => stderr.write(last.map((line) => `${printable(line)}\n`).join(''));
  return {
    show(lines: readonly string[]) {
      isShown = isShown && lines.join('\n') === last.join('\n');
      last = lines;
      const now = Date.now();
      if (isShown || now - shownAt < LOG_INTERVAL_MS) return;
      shownAt = now;
      isShown = true;
      say();
    },
    done() {
      if (!isShown) say();
      isShown = true;
    },
  };
}

function progressBar(stderr: Sink) {
  let shownAt = 0;
  let last: Progress | undefined;
  const show = (progress: Progress) => {
    stderr.write(`\r\x1b[K${barLine(progress, stderr.columns ?? 80)}`);
  };
  return {
    update(progress: Progress) {
      if (last && isAnother(progress, last)) this.done();
      last = progress;
      const now = Date.now();
      if (now - shownAt < BAR_INTERVAL_MS) return;
      shownAt = now;
      show(progress);
    },
    done() {
      if (!last) return;
      show(last);
      stderr.write('\n');
      last = undefined;
    },
  };
}

/** Where nothing was done since the last line, lines come at intervals that double, and say for how long. */
function progressLog(stderr: Sink) {
  let shownAt = Date.now();
  let movedAt = shownAt;
  let last: Progress | undefined;
  const rarely = new Rarely(LOG_INTERVAL_MS);
  return {
    update(progress: Progress) {
      if (last && isAnother(progress, last)) this.done();
      const now = Date.now();
      if (last?.done !== progress.done) {
        movedAt = now;
        rarely.beginAnew();
      }
      last = progress;
      if (now - shownAt < LOG_INTERVAL_MS) return;
      const stoodMs = now - movedAt;
      const stands = stoodMs >= LOG_INTERVAL_MS;
      if (stands && !rarely.isDue(stoodMs)) return;
      shownAt = now;
      stderr.write(`${barLine(progress, 0)}${stands ? `  (nothing more for ${formatDuration(stoodMs)})` : ''}\n`);
    },
    done() {
      if (last) stderr.write(`${barLine(last, 0)}\n`);
      last = undefined;
    },
  };
}

/** Workers may be at the shards of other commands, so that none is certain to be missing. */
export const UNTAKEN =
  'no worker begins any of it: labelsmith worker starts one, or labelsmith worker resume where they are paused';

/** A stage that begins anew says nothing of how long it took before. */
function isAnother(progress: Progress, last: Progress): boolean {
  return progress.stage !== last.stage || progress.elapsedMs < last.elapsedMs;
}

/** `detect  ████████░░░░  1,204/5,000  24.1/s  2 min left`; without a bar where `columns` is 0. */
export function barLine(progress: Progress, columns: number): string {
  const { stage, done, total, worked, rate, remainingMs, elapsedMs } = progress;
  const finished = total !== undefined && done >= total;
  const parts = [total === undefined ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`];
  if (finished && elapsedMs > 0) {
    // What was done before says nothing of how fast this machine is.
    if (worked > 0) parts.push(`${((worked * 1000) / elapsedMs).toFixed(1)}/s`);
    parts.push(formatDuration(elapsedMs));
  } else {
    if (rate > 0) parts.push(`${rate.toFixed(1)}/s`);
    if (remainingMs !== undefined) parts.push(`${formatDuration(remainingMs)} left`);
    if (progress.isUntaken) parts.push(UNTAKEN);
  }
  const text = `${stage.padEnd(8)} `;
  const tail = parts.join('  ');
  if (columns === 0 || total === undefined || total === 0) return `${text}${tail}`;
  const width = Math.min(30, columns - text.length - tail.length - 4);
  if (width < 5) return `${text}${tail}`;
  const filled = Math.min(width, Math.round((done / total) * width));
  return `${text}${'█'.repeat(filled)}${'░'.repeat(width - filled)}  ${tail}`;
}
