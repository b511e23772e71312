/**
 * Threads that answer requests: the one pool that inference, search, segmentation and HEIF decoding are built on.
 *
 * - A request goes to the thread with the least to do. At most `queuePerThread` are with a thread at once; further ones
 *   wait here, and are put together only when a thread is ready for them.
 * - A thread that dies, or takes too long, fails the requests that it had with its reason; another takes its place.
 * - A thread keeps the process alive only while it has something to do.
 *
 * The module in the thread calls `serve`. Requests and replies are cloned; memory that is shared or transferred is not.
 */
import { availableParallelism } from 'node:os';
import { type Transferable, Worker } from 'node:worker_threads';
import { LabelsmithError, messageOf } from '../errors.ts';
import { errorOf } from './plain-error.ts';
import { type Answer, GATE, type Message, type ThreadSetup } from './serve.ts';

export interface WorkerPoolOptions<Request, Reply> {
  /** URL of a module that calls `serve`. */
  readonly worker: URL;
  /** Threads at most. */
  readonly threads: number;
  /** Given to every thread. */
  readonly data?: unknown;
  /** What one is called in errors: `an inference thread`. */
  readonly what: string;
  /** Requests a thread holds at once (default 2: one under way, one ready); more costs their bytes. */
  readonly queuePerThread?: number;
  /** `now`: all threads are there from the start (default: each when it is needed). */
  readonly start?: 'now' | 'when-needed';
  /** A thread that has had nothing to do for so long is ended (default: never). */
  readonly idleMs?: number;
  /** Of a request, from when a thread has it; meant for one request a thread at a time (default: no bound). */
  readonly timeoutMs?: number;
  /**
   * Threads work in native code, in which they must not be ended: closing waits for what is under way, and so does the
   * end of the process (default false: they are ended as they are).
   */
  readonly native?: boolean;
  /** What each new thread has to know before its first request. */
  readonly onStart?: (ask: (request: Request) => Promise<Reply>) => void;
  /** Whether the thread that gave this reply is to be ended. */
  readonly isSpent?: (reply: Reply) => boolean;
}

/** A request as it is sent. */
export interface Posted<Request> {
  readonly request: Request;
  readonly transfer?: readonly Transferable[];
}

/** The thread that had a request ended before it answered. */
export class ThreadEnded extends LabelsmithError {
  readonly reason: string;

  constructor(what: string, reason: string) {
    super('UNSUPPORTED', `${what} died (${reason})`, { hint: 'If it ran out of memory, use fewer --threads.' });
    this.reason = reason;
  }
}

/** Threads past which memory is used and nothing won: for every thread holds its own working memory. */
export const MAX_THREADS = Math.max(64, 4 * availableParallelism());

/** Longer than any one request should take; past it the process ends as it may. */
const EXIT_WAIT_MS = 10_000;

/** Past it threads that die are not replaced at once, but when they are needed, so that a broken module ends in errors. */
const MAX_FRUITLESS = 3;

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly onAnswer?: () => void;
  /** Counts against `queuePerThread`. */
  readonly queued: boolean;
}

interface Waiting<Request, Reply> extends Pending<Reply> {
  readonly post: () => Posted<Request>;
}

interface Thread<Reply> {
  readonly worker: Worker;
  readonly gate: Int32Array;
  readonly pending: Map<number, Pending<Reply>>;
  /** Of those, what counts against `queuePerThread`. */
  queued: number;
  timer?: NodeJS.Timeout;
  answered: boolean;
  /** It is no longer of the pool. */
  ended: boolean;
}

export class WorkerPool<Request, Reply> {
  readonly #options: WorkerPoolOptions<Request, Reply>;
  readonly #queuePerThread: number;
  readonly #threads: Thread<Reply>[] = [];
  readonly #waiting: Waiting<Request, Reply>[] = [];
  #nextId = 0;
  /** Threads in a row that died before they had answered anything. */
  #fruitless = 0;
  #closed = false;

  constructor(options: WorkerPoolOptions<Request, Reply>) {
    const { threads, queuePerThread = 2 } = options;
    requireThreads(threads);
    this.#options = options;
    this.#queuePerThread = queuePerThread;
    if (options.native) process.on('exit', this.#waitForNative);
    if (options.start === 'now') for (let i = 0; i < threads; i++) this.#startThread();
  }

  get threads(): number {
    return this.#options.threads;
  }

  /** Requests that are with the threads or ready for them when the pool is busy; more in flight brings nothing. */
  get capacity(): number {
    return this.#options.threads * this.#queuePerThread;
  }

  /**
   * The reply of the first thread that is free.
   *
   * @param post is called when a thread is ready for it, not before
   * @param onAnswer is called before the promise settles and before the thread is given anything else; not when the
   *   thread has ended
   */
  run(post: () => Posted<Request>, onAnswer?: () => void): Promise<Reply> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#waiting.push({ post, resolve, reject, onAnswer, queued: true });
    this.#dispatch();
    return promise;
  }

  /** The replies of all threads that are there now; these requests wait for no other. */
  runOnEach(request: Request): Promise<Reply[]> {
    if (this.#closed) return Promise.reject(this.#closedError());
    return Promise.all(this.#threads.map((thread) => this.#ask(thread, request)));
  }

  /** Requests that no thread had yet fail. Native threads finish what they have; others are ended. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closedError());
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
    process.off('exit', this.#waitForNative);
  }

  async #end(thread: Thread<Reply>): Promise<void> {
    clearTimeout(thread.timer);
    if (!this.#options.native) {
      this.#drop(thread, () => this.#closedError());
      await thread.worker.terminate();
      return;
    }
    const exited = new Promise((resolve) => thread.worker.once('exit', resolve));
    thread.worker.ref();
    thread.worker.postMessage('close' satisfies Message);
    await exited;
  }

  #ask(thread: Thread<Reply>, request: Request): Promise<Reply> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#send(thread, { resolve, reject, queued: false }, { request });
    return promise;
  }

  /** Gives waiting requests to the threads with the least to do. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      let thread: Thread<Reply> | undefined;
      for (const one of this.#threads) if (!thread || one.queued < thread.queued) thread = one;
      if ((!thread || thread.queued > 0) && this.#threads.length < this.#options.threads) thread = this.#startThread();
      if (!thread || thread.queued >= this.#queuePerThread) return;
      const next = this.#waiting.shift();
      if (!next) return;
      try {
        this.#send(thread, next, next.post());
      } catch (error) {
        next.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  #send(thread: Thread<Reply>, pending: Pending<Reply>, { request, transfer }: Posted<Request>): void {
    const id = this.#nextId++;
    // First, since it throws where a request cannot be cloned.
    thread.worker.postMessage({ id, request } satisfies Message, transfer ? [...transfer] : undefined);
    thread.pending.set(id, pending);
    if (pending.queued) thread.queued++;
    clearTimeout(thread.timer);
    const { timeoutMs } = this.#options;
    if (timeoutMs !== undefined) {
      thread.timer = setTimeout(() => this.#lose(thread, 'it takes too long'), timeoutMs);
    }
    thread.worker.ref();
  }

  #startThread(): Thread<Reply> {
    const { worker: url, data, onStart } = this.#options;
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const workerData: ThreadSetup = { gate, data };
    // Node hands `--input-type` on to threads and then refuses it there; all else is best inherited.
    const evaluated = process.execArgv.some((flag) => flag.startsWith('--input-type'));
    const worker = new Worker(url, evaluated ? { workerData, execArgv: [] } : { workerData });
    const thread: Thread<Reply> = { worker, gate, pending: new Map(), queued: 0, answered: false, ended: false };
    worker.unref();
    let failure: string | undefined;
    worker.on('message', (answer: Answer) => this.#settle(thread, answer));
    worker.on('messageerror', (error) => this.#lose(thread, messageOf(error)));
    worker.on('error', (error) => {
      failure = messageOf(error);
    });
    worker.on('exit', (code) => this.#lose(thread, failure ?? `exit code ${code}`));
    this.#threads.push(thread);
    onStart?.((request) => this.#ask(thread, request));
    return thread;
  }

  #settle(thread: Thread<Reply>, answer: Answer): void {
    const pending = thread.pending.get(answer.id);
    if (!pending) return;
    thread.pending.delete(answer.id);
    thread.answered = true;
    this.#fruitless = 0;
    if (pending.queued) thread.queued--;
    clearTimeout(thread.timer);
    pending.onAnswer?.();
    if (answer.kind === 'failed') pending.reject(errorOf(answer.error));
    else {
      // The module in the thread says what a reply is.
      const reply = answer.reply as Reply;
      pending.resolve(reply);
      if (this.#options.isSpent?.(reply)) this.#lose(thread, 'it was spent');
    }
    if (thread.pending.size === 0 && !thread.ended) this.#rest(thread);
    this.#dispatch();
  }

  /** It has nothing to do. */
  #rest(thread: Thread<Reply>): void {
    thread.worker.unref();
    const { idleMs } = this.#options;
    if (idleMs !== undefined) thread.timer = setTimeout(() => this.#lose(thread, 'idle'), idleMs).unref();
  }

  /** Takes a thread out, fails what it had, and ends it where it still runs. */
  #lose(thread: Thread<Reply>, reason: string): void {
    if (thread.ended) return;
    this.#drop(thread, () => new ThreadEnded(this.#options.what, reason));
    void thread.worker.terminate();
    if (this.#closed) return;
    if (!thread.answered) this.#fruitless++;
    if (this.#options.start === 'now' && this.#fruitless < MAX_FRUITLESS) this.#startThread();
    this.#dispatch();
  }

  #drop(thread: Thread<Reply>, error: () => Error): void {
    thread.ended = true;
    clearTimeout(thread.timer);
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    const lost = [...thread.pending.values()];
    thread.pending.clear();
    for (const { reject } of lost) reject(error());
  }

  #closedError(): LabelsmithError {
    return new LabelsmithError('INTERRUPTED', `the pool of ${this.#options.what.replace(/^an? /, '')}s is closed`);
  }

  /**
   * When the process ends (`process.exit`, an error nobody caught) its threads are ended too, which inside a native call
   * would abort it with a core dump. So no thread may start one, and those under way are waited for.
   */
  readonly #waitForNative = (): void => {
    for (const { gate } of this.#threads) Atomics.store(gate, GATE.stop, 1);
    for (const { gate } of this.#threads) Atomics.wait(gate, GATE.busy, 1, EXIT_WAIT_MS);
  };
}

/** Refuses a number of threads that cannot be, or that no machine like this one profits from. */
export function requireThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return;
  throw new LabelsmithError('USAGE', `threads must be a whole number from 1 to ${MAX_THREADS}, not ${threads}`, {
    hint: `This machine has ${availableParallelism()} cores; each thread takes memory of its own.`,
  });
}
