/** Splits many queries over threads that each search the same hashed vectors. */
import { WorkerPool } from '../../threads/worker-pool.ts';
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

export class SearchThreads {
  readonly #pool: WorkerPool<SearchRequest, SearchReply>;

  constructor(data: SearchWorkerData, threads: number) {
    this.#pool = new WorkerPool({ worker: WORKER, threads, data, queuePerThread: 1, what: 'a search thread' });
  }

  /** Searches a batch; the answers are put into `found`, what was read is added to `read`. */
  async search(batch: SearchBatch, found: Neighbours, read: { codes: number; vectors: number }): Promise<void> {
    const { margins, queries, start, end, n, effort } = batch;
    const rows = end - start;
    const width = margins.length / rows;
    const share = Math.ceil(rows / this.#pool.threads);
    const asked: Promise<void>[] = [];
    for (let from = 0; from < rows; from += share) {
      const to = Math.min(rows, from + share);
      const replied = this.#pool.run(() => {
        const request: SearchRequest = {
          margins: margins.slice(from * width, to * width),
          queries: queries.data.slice((start + from) * queries.columns, (start + to) * queries.columns),
          rows: to - from,
          n,
          effort,
        };
        return { request, transfer: [request.margins.buffer, request.queries.buffer] };
      });
      asked.push(
        replied.then((reply) => {
          found.indices.set(reply.indices, (start + from) * n);
          found.similarities.set(reply.similarities, (start + from) * n);
          read.codes += reply.read.codes;
          read.vectors += reply.read.vectors;
        }),
      );
    }
    await Promise.all(asked);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
