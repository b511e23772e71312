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

/**
 * The pairs (i, j) that belong together, one after the other, ordered by i: a window of picture i looks like picture j.
 *
 * @param roots shape [n]: pictures with the same number are joined already, and are not compared
 * @param threads has no influence on what is found
 */
export async function findCopies(prints: SharedPrints, roots: Uint32Array, threads: number): Promise<Uint32Array> {
  const columns = printColumns(prints);
  const wholes = hashWholes(columns);
  if (threads < 2 || prints.count < MIN_FOR_THREADS) {
    return copiesFrom(new CopySearch(columns, wholes, roots), 0, prints.count);
  }
  const data: CopiesWorkerData = { prints, wholes, roots };
  const pool = new WorkerPool<CopiesRequest, Uint32Array>({
    worker: WORKER,
    threads: Math.min(threads, Math.ceil(prints.count / PICTURES_A_REQUEST)),
    data,
    what: 'a thread that looks for copies',
  });
  try {
    const asked: Promise<Uint32Array>[] = [];
    for (let from = 0; from < prints.count; from += PICTURES_A_REQUEST) {
      const request = { from, to: Math.min(prints.count, from + PICTURES_A_REQUEST) };
      asked.push(pool.run(() => ({ request })));
    }
    const found = await Promise.all(asked);
    const pairs = new Uint32Array(found.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of found) {
      pairs.set(part, at);
      at += part.length;
    }
    return pairs;
  } finally {
    await pool.close();
  }
}
