/** Splits many queries over threads that each search the same hashed vectors. */
import { Worker } from 'node:worker_threads';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { Neighbours } from '../knn/neighbours.ts';
import type { Matrix } from '../matrix.ts';
import type { SearchReply, SearchRequest, SearchWorkerData } from './search.worker.ts';
import type { Effort } from './searcher.ts';

export interface SearchBatch {
  /** Of rows `start` to `end`, [end − start, planes]. */
  readonly margins: Float32Array;
  readonly queries: Matrix;
  readonly start: number;
  readonly end: number;
  readonly n: number;
  readonly effort: Effort;
}

const WORKER = new URL(`./search.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

interface Pending {
  readonly resolve: (reply: SearchReply) => void;
  readonly reject: (error: Error) => void;
}

export class SearchThreads {
  readonly #data: SearchWorkerData;
  readonly #threads: number;
  #workers: { readonly worker: Worker; readonly pending: Pending[] }[] = [];

  constructor(data: SearchWorkerData, threads: number) {
    this.#data = data;
    this.#threads = threads;
  }

  /** Searches a batch; the answers are put into `found`, what was read is added to `read`. */
  async search(batch: SearchBatch, found: Neighbours, read: { codes: number; vectors: number }): Promise<void> {
    const { margins, queries, start, end, n, effort } = batch;
    const rows = end - start;
    const width = margins.length / rows;
    const share = Math.ceil(rows / this.#threads);
    const asked: Promise<void>[] = [];
    for (let t = 0, from = 0; from < rows; t++, from += share) {
      const to = Math.min(rows, from + share);
      const request: SearchRequest = {
        margins: margins.slice(from * width, to * width),
        queries: queries.data.slice((start + from) * queries.columns, (start + to) * queries.columns),
        rows: to - from,
        n,
        effort,
      };
      asked.push(
        this.#ask(t, request).then((reply) => {
          found.indices.set(reply.indices, (start + from) * n);
          found.similarities.set(reply.similarities, (start + from) * n);
          read.codes += reply.read.codes;
          read.vectors += reply.read.vectors;
        }),
      );
    }
    await Promise.all(asked);
  }

  async close(): Promise<void> {
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }

  #ask(thread: number, request: SearchRequest): Promise<SearchReply> {
    this.#workers[thread] ??= this.#startWorker();
    const { worker, pending } = this.#workers[thread];
    const { promise, resolve, reject } = Promise.withResolvers<SearchReply>();
    pending.push({ resolve, reject });
    worker.ref();
    worker.postMessage(request, [request.margins.buffer as ArrayBuffer, request.queries.buffer as ArrayBuffer]);
    return promise;
  }

  #startWorker() {
    const worker = new Worker(WORKER, { workerData: this.#data });
    const pending: Pending[] = [];
    worker.unref();
    // Answers come in the order of the requests.
    worker.on('message', (reply: SearchReply) => {
      pending.shift()?.resolve(reply);
      if (pending.length === 0) worker.unref();
    });
    let failure: unknown;
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', (code) => {
      const reason = failure === undefined ? `exit code ${code}` : messageOf(failure);
      this.#workers = this.#workers.filter((other) => other.worker !== worker);
      for (const { reject } of pending.splice(0)) {
        reject(new LabelsmithError('UNSUPPORTED', `a search thread ended (${reason})`));
      }
    });
    return { worker, pending };
  }
}
