/** The calling thread's end of a connection in a thread of its own. It keeps the process alive only while it is busy. */
import { Worker } from 'node:worker_threads';
import { LabelsmithError } from '../../errors.ts';
import { errorOf } from '../../threads/plain-error.ts';
import type { Answers, Reply, Request, WorkerSetup } from './protocol.ts';

interface Pending {
  resolve(value: Answers[keyof Answers]): void;
  reject(error: Error): void;
}

export class DatabaseThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: Error | undefined;

  constructor(setup: WorkerSetup) {
    // Run from src under type stripping it is a .ts file, from dist a .js file.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#worker = new Worker(new URL(`./database.worker${extension}`, import.meta.url), { workerData: setup });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#end(new LabelsmithError('WORKSPACE', 'The workspace is closed')));
  }

  ask<K extends Request['kind']>(request: Extract<Request, { kind: K }>): Promise<Answers[K]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Answers[keyof Answers]>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, request });
    }) as Promise<Answers[K]>;
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    await this.ask({ kind: 'close' });
    this.#worker.ref();
    await exited;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (reply.kind === 'answer') pending?.resolve(reply.value);
    else pending?.reject(errorOf(reply.error));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
