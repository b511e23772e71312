/** The thread behind `search-threads.ts`: answers one request after the other from what it was started with. */
import { type Served, serve } from '../../threads/serve.ts';
import { noNeighbours } from '../knn/neighbours.ts';
import { type Effort, type HashedVectors, Searcher, type SearchSettings } from './searcher.ts';

export interface SearchRequest {
  /** [rows, planes] */
  readonly margins: Float32Array<ArrayBuffer>;
  /** [rows, columns] */
  readonly queries: Float32Array<ArrayBuffer>;
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

function answer(searcher: Searcher, { margins, queries, rows, n, effort }: SearchRequest): Served<SearchReply> {
  const found = noNeighbours(rows, n);
  const read = { codes: 0, vectors: 0 };
  const columns = queries.length / rows;
  const width = margins.length / rows;
  for (let q = 0; q < rows; q++) {
    const query = queries.subarray(q * columns, (q + 1) * columns);
    searcher.search({ margins, marginsAt: q * width, query, effort }, { found, at: q * n, read });
  }
  const { indices, similarities } = found;
  const transfer = [indices.buffer as ArrayBuffer, similarities.buffer as ArrayBuffer];
  return { reply: { indices, similarities, read }, transfer };
}

serve<SearchWorkerData, SearchRequest, SearchReply>(({ hashed, settings }) => {
  const searcher = new Searcher(hashed, settings);
  return (request) => answer(searcher, request);
});
