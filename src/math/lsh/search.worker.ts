/** The thread behind `search-threads.ts`: answers one request after the other from what it was started with. */
import { parentPort, workerData } from 'node:worker_threads';
import { LabelsmithError } from '../../errors.ts';
import { noNeighbours } from '../knn/neighbours.ts';
import { type Effort, type HashedVectors, Searcher, type SearchSettings } from './searcher.ts';

export interface SearchRequest {
  /** [rows, planes] */
  readonly margins: Float32Array;
  /** [rows, columns] */
  readonly queries: Float32Array;
  readonly rows: number;
  readonly n: number;
  readonly effort: Effort;
}

export interface SearchWorkerData {
  readonly hashed: HashedVectors;
  readonly settings: SearchSettings;
}

export interface SearchReply {
  readonly indices: Int32Array;
  readonly similarities: Float32Array;
  readonly read: { readonly codes: number; readonly vectors: number };
}

const port = parentPort;
if (!port)
  throw new LabelsmithError('UNSUPPORTED', 'search.worker is started by SearchThreads, in a thread of its own');

const { hashed, settings } = workerData as SearchWorkerData;
const searcher = new Searcher(hashed, settings);

port.on('message', ({ margins, queries, rows, n, effort }: SearchRequest) => {
  const found = noNeighbours(rows, n);
  const read = { codes: 0, vectors: 0 };
  const columns = queries.length / rows;
  const width = margins.length / rows;
  for (let q = 0; q < rows; q++) {
    const query = queries.subarray(q * columns, (q + 1) * columns);
    searcher.search(margins, q * width, query, effort, found, q * n, read);
  }
  const reply: SearchReply = { indices: found.indices, similarities: found.similarities, read };
  port.postMessage(reply, [found.indices.buffer as ArrayBuffer, found.similarities.buffer as ArrayBuffer]);
});
