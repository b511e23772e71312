/** Finds all copies among many pictures, in as many threads as are given. */
import { WorkerPool } from '../../threads/worker-pool.ts';
import type { CopiesRequest, CopiesWorkerData } from './copies.worker.ts';
import { printColumns, type SharedPrints } from './prints.ts';
import { CopySearch, copiesFrom } from './search.ts';
import { hashWholes } from './wholes.ts';

/** Below it, starting threads takes longer than they save. */
const MIN_FOR_THREADS = 2000;
const PICTURES_A_REQUEST = 256;

const WORKER = new URL(`./copies.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Looks for the copies of any pictures among many; closed by whoever opens it. */
export class CopyFinder {
  readonly #find: (request: CopiesRequest) => Promise<Uint32Array>;
  readonly #close: () => Promise<void>;

  /**
   * @param roots shape [n]: pictures with the same number are joined already, and are not compared
   * @param threads has no influence on what is found
   */
  constructor(prints: SharedPrints, roots: Uint32Array, threads: number) {
    const columns = printColumns(prints);
    const wholes = hashWholes(columns);
    if (threads < 2 || prints.count < MIN_FOR_THREADS) {
      const search = new CopySearch(columns, wholes, roots);
      this.#find = async ({ from, to }) => copiesFrom(search, from, to);
      this.#close = async () => {};
      return;
    }
    const data: CopiesWorkerData = { prints, wholes, roots };
    const pool = new WorkerPool<CopiesRequest, Uint32Array>({
      worker: WORKER,
      threads: Math.min(threads, Math.ceil(prints.count / PICTURES_A_REQUEST)),
      data,
      what: 'a thread that looks for copies',
    });
    this.#find = (request) => pool.run(() => ({ request }));
    this.#close = () => pool.close();
  }

  /** The pairs (i, j) that belong together, one after the other, ordered by i, from `from` to before `to`: a window of picture i looks like picture j. */
  async find({ from, to }: CopiesRequest): Promise<Uint32Array<ArrayBuffer>> {
    const asked: Promise<Uint32Array>[] = [];
    for (let at = from; at < to; at += PICTURES_A_REQUEST) {
      asked.push(this.#find({ from: at, to: Math.min(to, at + PICTURES_A_REQUEST) }));
    }
    return joinedPairs(await Promise.all(asked));
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Pairs of all pictures. */
export async function findCopies(prints: SharedPrints, roots: Uint32Array, threads: number): Promise<Uint32Array> {
  const finder = new CopyFinder(prints, roots, threads);
  try {
    return await finder.find({ from: 0, to: prints.count });
  } finally {
    await finder.close();
  }
}

/** The lists one after the other. */
export function joinedPairs(parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
