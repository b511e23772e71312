/**
 * Locality-sensitive hashing: random hyperplanes, several tables, multi-probe, packed codes, exact re-ranking.
 *
 * Vectors must have length 1. Beside them the index holds, a vector, codeBits / 8 · (1 + tables) + 8 · tables bytes (192 by
 * default), and 4 for each thread that searches. Vectors can be added at any time; the hyperplanes stay those of the first fit. A few
 * queries are answered in this thread (a fraction of a millisecond each), many by threads of their own.
 */
import { LabelsmithError } from '../../errors.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { checkSearch, type NeighbourIndex, type Neighbours, noNeighbours } from '../knn/neighbours.ts';
import { type Matrix, shareMatrix } from '../matrix.ts';
import { fitHashing, type Hashed, type HashFamily, type HashOptions, hashVectors, overMargins } from './family.ts';
import { SearchThreads } from './search-threads.ts';
import { type Effort, type HashedVectors, Searcher, type SearchSettings } from './searcher.ts';

export interface LshOptions extends HashOptions, LshSearchOptions {}

export interface LshSearchOptions {
  /** Buckets of each table that a query may look into (default 128); those nearest to it come first. */
  readonly probes?: number;
  /** Codes that a query reads (default 1,500 and 50 for each neighbour asked for): more find more, and cost in proportion. */
  readonly maxCodes?: number;
  /** Candidates compared exactly, for each neighbour asked for (default 8, and at least 64 in all). */
  readonly rerankPerNeighbour?: number;
}

const MIN_RERANK = 64;
/** Up to so many queries are not worth the way to another thread. */
const FEW = 16;
/** Queries of a block: the threads search one while the margins of the next are worked out. */
const QUERY_STEP = 256;

export class LshIndex implements NeighbourIndex {
  readonly family: HashFamily;
  readonly #pool: InferencePool;
  readonly #options: LshSearchOptions;
  readonly #parts: { readonly vectors: Matrix; readonly hashed: Hashed }[] = [];
  #size = 0;
  /** Made at the first search after vectors were added. */
  #ready: { searcher: Searcher; threads: SearchThreads } | undefined;

  constructor(pool: InferencePool, family: HashFamily, options: LshSearchOptions = {}) {
    this.#pool = pool;
    this.family = family;
    this.#options = options;
  }

  /** Fits hyperplanes to the points and indexes them. */
  static async fit(pool: InferencePool, points: Matrix, options: LshOptions = {}): Promise<LshIndex> {
    const shared = shareMatrix(points);
    const index = new LshIndex(pool, await fitHashing(pool, shared, options), options);
    await index.add(shared);
    return index;
  }

  get size(): number {
    return this.#size;
  }

  get columns(): number {
    return this.family.planes.columns;
  }

  /** Appends vectors: the first gets the number `size`. With `hashed`, as stored, they are not hashed again. */
  async add(points: Matrix, hashed?: Hashed): Promise<void> {
    const vectors = shareMatrix(points);
    const { codeBits, tables } = this.family;
    const own = hashed ?? (await hashVectors(this.#pool, this.family, vectors));
    if (own.codes.length !== (vectors.rows * codeBits) / 32 || own.keys.length !== vectors.rows * tables) {
      throw new LabelsmithError('BAD_FILE', `the stored index is not of these ${vectors.rows} vectors`, {
        hint: 'Delete the index: it is made again from the vectors.',
      });
    }
    if (vectors.rows > 0) this.#parts.push({ vectors, hashed: own });
    this.#size += vectors.rows;
    await this.close();
  }

  /** Codes and keys of all vectors, for storing. */
  hashed(): Hashed {
    const { codeBits, tables } = this.family;
    const codes = new Uint32Array((this.#size * codeBits) / 32);
    const keys = new Uint32Array(this.#size * tables);
    let start = 0;
    for (const { vectors, hashed } of this.#parts) {
      codes.set(hashed.codes, (start * codeBits) / 32);
      for (let t = 0; t < tables; t++) {
        keys.set(hashed.keys.subarray(t * vectors.rows, (t + 1) * vectors.rows), t * this.#size + start);
      }
      start += vectors.rows;
    }
    return { codes, keys };
  }

  async search(queries: Matrix, n: number): Promise<Neighbours> {
    checkSearch(this.columns, queries, n);
    const found = noNeighbours(queries.rows, n);
    if (this.#size === 0) return found;
    const { maxCodes = 1500 + 50 * n, rerankPerNeighbour = 8 } = this.#options;
    const effort: Effort = { codes: maxCodes, rerank: Math.max(MIN_RERANK, rerankPerNeighbour * n) };
    const { searcher, threads } = this.#prepare();
    const read = { codes: 0, vectors: 0 };
    const asked: Promise<void>[] = [];
    await overMargins(this.#pool, this.family, queries, QUERY_STEP, (margins, start, end) => {
      if (queries.rows > FEW) {
        asked.push(threads.search({ margins, queries, start, end, n, effort }, found, read));
        return;
      }
      const { columns } = queries;
      const width = this.family.planes.rows;
      for (let q = start; q < end; q++) {
        const query = queries.data.subarray(q * columns, (q + 1) * columns);
        searcher.search({ margins, marginsAt: (q - start) * width, query, effort }, { found, at: q * n, read });
      }
    });
    await Promise.all(asked);
    return { ...found, read };
  }

  /** Ends the search threads; the next search starts them again. They do not keep the process alive. */
  async close(): Promise<void> {
    const ready = this.#ready;
    this.#ready = undefined;
    await ready?.threads.close();
  }

  #prepare() {
    if (this.#ready) return this.#ready;
    const { codeBits, tables, keyBits } = this.family;
    const settings: SearchSettings = { probes: this.#options.probes ?? 128 };
    const { codes, keys } = this.hashed();
    const hashed: HashedVectors = {
      codeBits,
      keyBits,
      size: this.#size,
      tables,
      ...bucketed(keys, tables, keyBits, codes, codeBits / 32),
      parts: this.#parts.map(({ vectors }) => vectors),
    };
    this.#ready = {
      searcher: new Searcher(hashed, settings),
      threads: new SearchThreads({ hashed, settings }, this.#pool.threads),
    };
    return this.#ready;
  }
}

/** Sorts vectors into each table's buckets by counting; within a bucket they stay in order. */
function bucketed(
  keys: Uint32Array,
  tables: number,
  bits: number,
  codes: Uint32Array,
  words: number,
): Pick<HashedVectors, 'starts' | 'members' | 'codes'> {
  const buckets = 1 << bits;
  const size = keys.length / tables;
  const starts = sharedWords(tables * buckets + 1);
  const members = sharedWords(keys.length);
  const ordered = sharedWords(keys.length * words);
  const bucketOf = (i: number) => Math.floor(i / size) * buckets + keys[i];
  for (let i = 0; i < keys.length; i++) starts[bucketOf(i) + 1] = starts[bucketOf(i) + 1] + 1;
  for (let b = 0; b < tables * buckets; b++) starts[b + 1] = starts[b + 1] + starts[b];
  const next = starts.slice(0, tables * buckets);
  for (let i = 0; i < keys.length; i++) {
    const place = next[bucketOf(i)];
    const member = i % size;
    members[place] = member;
    ordered.set(codes.subarray(member * words, (member + 1) * words), place * words);
    next[bucketOf(i)] = place + 1;
  }
  return { starts, members, codes: ordered };
}

function sharedWords(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}
