/**
 * Stages started from the page: one at a time, in a process of its own, so that the server answers whatever a stage does and
 * outlives it. A stage that is stopped finishes the shard under way; nothing of it is lost.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { LabelsmithError } from '../errors.ts';
import type { Progress } from '../jobs/stage.ts';
import type { JobMessage, JobOrder, JobRequest } from './job-request.ts';

export interface JobState {
  readonly id: number;
  readonly request: JobRequest;
  readonly state: 'running' | 'done' | 'failed' | 'stopped';
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly progress: Progress | null;
  /** What it said, oldest first, at most {@link MAX_LINES}. */
  readonly lines: readonly string[];
  readonly result: unknown;
  readonly error: { readonly message: string; readonly hint?: string } | null;
}

export interface Jobs {
  /** Newest first. */
  list(): readonly JobState[];
  /** Refused (`BUSY`) while another one runs. */
  start(request: JobRequest): JobState;
  stop(id: number): void;
  /** Told after every change; gives what ends that. */
  watch(onChange: (job: JobState) => void): () => void;
  close(): Promise<void>;
}

export interface JobsOptions extends Omit<JobOrder, 'request'> {
  /** Default: the child of this folder. */
  readonly module?: URL;
}

const MAX_LINES = 200;
const MAX_JOBS = 20;
/** `job.child.ts` in a checkout, `job.child.js` when compiled. */
const CHILD = new URL(`./job.child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export function createJobs(options: JobsOptions): Jobs {
  return new ChildJobs(options);
}

interface Running {
  readonly id: number;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** What it said was its end. It holds once the process is gone: until then no other one can begin. */
  end?: Partial<JobState>;
  isStopped: boolean;
}

class ChildJobs implements Jobs {
  readonly #module: URL;
  readonly #order: Omit<JobOrder, 'request'>;
  readonly #jobs: JobState[] = [];
  readonly #watchers = new Set<(job: JobState) => void>();
  #running: Running | undefined;
  #lastId = 0;

  constructor({ module = CHILD, ...order }: JobsOptions) {
    this.#module = module;
    this.#order = order;
  }

  list(): readonly JobState[] {
    return this.#jobs;
  }

  start(request: JobRequest): JobState {
    if (this.#running) {
      throw new LabelsmithError('BUSY', 'Something is under way already.', { hint: 'Wait for its end, or stop it.' });
    }
    const id = ++this.#lastId;
    const job: JobState = {
      id,
      request,
      state: 'running',
      startedAtMs: Date.now(),
      endedAtMs: null,
      progress: null,
      lines: [],
      result: null,
      error: null,
    };
    this.#jobs.unshift(job);
    this.#jobs.length = Math.min(this.#jobs.length, MAX_JOBS);
    this.#running = this.#begin(id, request);
    this.#update(id, () => ({}));
    return job;
  }

  stop(id: number): void {
    if (this.#running?.id !== id) return;
    this.#running.isStopped = true;
    this.#running.child.kill('SIGTERM');
  }

  watch(onChange: (job: JobState) => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  async close(): Promise<void> {
    this.#running?.child.kill('SIGTERM');
    await this.#running?.ended;
  }

  #begin(id: number, request: JobRequest): Running {
    const child = fork(this.#module, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { id, child, ended, isStopped: false };
    child.on('message', (message) => {
      const told = message as JobMessage;
      if (told.kind === 'done' || told.kind === 'failed') running.end = endOf(told);
      else this.#update(id, (job) => changeOf(told, job));
    });
    child.on('error', (error) => {
      running.end = { state: 'failed', error: { message: error.message } };
    });
    child.on('close', () => {
      this.#running = undefined;
      // One that is stopped before it listens is ended by the signal itself.
      const silent: Partial<JobState> = running.isStopped
        ? { state: 'stopped' }
        : { state: 'failed', error: { message: said.trim() || 'its process was ended' } };
      this.#update(id, () => ({ ...(running.end ?? silent), endedAtMs: Date.now() }));
      resolve();
    });
    child.send({ ...this.#order, request } satisfies JobOrder);
    return running;
  }

  #update(id: number, change: (job: JobState) => Partial<JobState>): void {
    const place = this.#jobs.findIndex((job) => job.id === id);
    if (place < 0) return;
    this.#jobs[place] = { ...this.#jobs[place], ...change(this.#jobs[place]) };
    for (const watcher of this.#watchers) watcher(this.#jobs[place]);
  }
}

type JobEnd = Extract<JobMessage, { kind: 'done' | 'failed' }>;

function changeOf(message: Exclude<JobMessage, JobEnd>, { lines }: JobState): Partial<JobState> {
  switch (message.kind) {
    case 'progress':
      return { progress: message.progress };
    case 'line':
      return { lines: [...lines, message.text].slice(-MAX_LINES) };
    default:
      throw new Error(`unknown message ${JSON.stringify(message satisfies never)}`);
  }
}

function endOf(message: JobEnd): Partial<JobState> {
  switch (message.kind) {
    case 'done':
      return { state: message.interrupted ? 'stopped' : 'done', result: message.result };
    case 'failed':
      return { state: 'failed', error: { message: message.message, hint: message.hint } };
    default:
      throw new Error(`unknown message ${JSON.stringify(message satisfies never)}`);
  }
}
