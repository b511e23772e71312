/**
 * Searches hashed vectors in this thread: buckets in the order of `probing.ts`, candidates ranked by their codes, the
 * best of them compared exactly.
 *
 * Codes are compared with the query asymmetrically (Gordo et al., "Asymmetric distances for binary embeddings", TPAMI
 * 2014): the query keeps its margins m, and a code scores Σ ±m, plus where its bit is set. A table of 256 sums for each
 * byte of a code makes that as many look-ups as a code has bytes. Scores are whole numbers, margins being rounded to a
 * millionth of their sum: that is far finer than the bits are.
 */
import { type Neighbours, offer } from '../knn/neighbours.ts';
import type { Matrix } from '../matrix.ts';
import { type ProbeOrder, probeKeys, probeOrder } from './probing.ts';

/** What a search reads, in shared memory, so that several threads have it at once. */
export interface HashedVectors {
  readonly codeBits: number;
  readonly keyBits: number;
  readonly size: number;
  readonly tables: readonly Table[];
  /** The vectors in the order they were added, in parts. */
  readonly parts: readonly Matrix[];
}

/**
 * The vectors in order of bucket. Every table has its own copy of the codes in that order: a bucket is then read from one
 * end to the other, where looking codes up by index would wait for memory at each.
 */
export interface Table {
  /** Where each bucket starts, and one more, [2^keyBits + 1]. */
  readonly starts: Uint32Array;
  /** [size] */
  readonly members: Uint32Array;
  /** [size, codeBits / 32] */
  readonly codes: Uint32Array;
}

export interface SearchSettings {
  /** Buckets looked into in each table. */
  readonly probes: number;
  /** Codes read at most, those of a vector in several buckets each time; the last bucket is cut. */
  readonly maxCodes: number;
}

/** Scores lie in 0 to 2^SCORE_BITS; the best are found by sorting them into bins of 2^BIN_BITS each. */
const SCORE_BITS = 21;
const BIN_BITS = 10;

export class Searcher {
  readonly #hashed: HashedVectors;
  /** The number of the query that last saw a vector, so that one in several tables is taken once. */
  readonly #seen: Uint32Array;
  #query = 0;
  /** [codeBits / 8, 256] */
  readonly #sums: Int32Array;
  readonly #candidates: Uint32Array;
  readonly #sorted: Uint32Array;
  readonly #scores: Int32Array;
  readonly #bins = new Uint32Array((1 << (SCORE_BITS - BIN_BITS)) + 1);
  readonly #order: ProbeOrder;
  readonly #keys: Uint32Array;
  readonly #partStarts: Float64Array;

  constructor(hashed: HashedVectors, settings: SearchSettings) {
    this.#hashed = hashed;
    this.#seen = new Uint32Array(hashed.size);
    this.#sums = new Int32Array((hashed.codeBits / 8) * 256);
    const most = Math.min(settings.maxCodes, hashed.size * hashed.tables.length);
    this.#candidates = new Uint32Array(most);
    this.#sorted = new Uint32Array(most);
    this.#scores = new Int32Array(most);
    this.#order = probeOrder(hashed.keyBits, settings.probes);
    this.#keys = new Uint32Array(this.#order.parents.length);
    this.#partStarts = new Float64Array(hashed.parts.length);
    let start = 0;
    for (const [p, part] of hashed.parts.entries()) {
      this.#partStarts[p] = start;
      start += part.rows;
    }
  }

  /**
   * Finds the neighbours of one query and adds what it read to `read`.
   *
   * @param margins distances to every plane, from `marginsAt` on. @param at the query's place in `found`.
   * @param rerank candidates compared exactly.
   */
  search(
    margins: Float32Array,
    marginsAt: number,
    query: Float32Array,
    rerank: number,
    found: Neighbours,
    at: number,
    read: { codes: number; vectors: number },
  ): void {
    this.#tabulate(margins, marginsAt);
    const count = this.#collect(margins, marginsAt + this.#hashed.codeBits);
    const kept = this.#keepBest(count, rerank);
    for (let i = 0; i < kept; i++) {
      const index = this.#candidates[i] as number;
      offer(found, at, index, Math.fround(this.#similarity(query, index)));
    }
    read.codes += count;
    read.vectors += kept;
  }

  /** Sums of ±margin for every value of every byte, moved up so that no score is below 0. */
  #tabulate(margins: Float32Array, at: number): void {
    const { codeBits } = this.#hashed;
    const sums = this.#sums;
    let range = 0;
    for (let b = 0; b < codeBits; b++) range += Math.abs(margins[at + b] as number);
    // Half a unit is lost on each bit at most.
    const scale = range > 0 ? (2 ** (SCORE_BITS - 1) - codeBits) / range : 0;
    for (let table = 0, bit = at; table < sums.length; table += 256, bit += 8) {
      sums[table] = 0;
      for (let b = 0; b < 8; b++) {
        const margin = Math.round((margins[bit + b] as number) * scale);
        // A bit with a positive margin adds it when set, one with a negative margin when not set.
        const set = margin > 0 ? 2 * margin : 0;
        const unset = margin > 0 ? 0 : -2 * margin;
        const half = 1 << b;
        for (let v = 0; v < half; v++) {
          const sum = sums[table + v] as number;
          sums[table + half + v] = sum + set;
          sums[table + v] = sum + unset;
        }
      }
    }
  }

  /** Fills candidates, with repetitions, and their scores from the buckets; returns how many there are. */
  #collect(margins: Float32Array, at: number): number {
    const { tables, codeBits, keyBits } = this.#hashed;
    const words = codeBits / 32;
    const [sums, keys, candidates, scores, bins] = [this.#sums, this.#keys, this.#candidates, this.#scores, this.#bins];
    const most = candidates.length;
    bins.fill(0);
    let count = 0;
    for (let t = 0; t < tables.length && count < most; t++) {
      const { members, starts, codes } = tables[t] as Table;
      probeKeys(this.#order, margins, at + t * keyBits, keys);
      for (let probe = 0; probe < keys.length; probe++) {
        const key = keys[probe] as number;
        const start = starts[key] as number;
        const end = Math.min(starts[key + 1] as number, start + most - count);
        for (let i = start, code = start * words; i < end; i++) {
          let score = 0;
          for (let w = 0; w < words; w++, code++) {
            const bits = codes[code] as number;
            const table = w << 10;
            score =
              (score +
                (sums[table | (bits & 255)] as number) +
                (sums[table | 256 | ((bits >>> 8) & 255)] as number) +
                (sums[table | 512 | ((bits >>> 16) & 255)] as number) +
                (sums[table | 768 | (bits >>> 24)] as number)) |
              0;
          }
          candidates[count] = members[i] as number;
          scores[count++] = score;
          const bin = score >> BIN_BITS;
          bins[bin] = (bins[bin] as number) + 1;
        }
      }
    }
    return count;
  }

  /** Moves the best candidates to the front, best bin first and each once; returns how many. */
  #keepBest(count: number, most: number): number {
    const [bins, candidates, scores, sorted, seen] = [
      this.#bins,
      this.#candidates,
      this.#scores,
      this.#sorted,
      this.#seen,
    ];
    // A vector may be in every table, so this many are sure to be enough.
    const enough = Math.min(count, most * this.#hashed.tables.length);
    let least = bins.length;
    let above = 0;
    while (above < enough) above += bins[--least] as number;
    // Where each bin starts among the sorted ones, best first.
    for (let bin = bins.length - 1, start = 0; bin >= least; bin--) {
      const size = bins[bin] as number;
      bins[bin] = start;
      start += size;
    }
    for (let i = 0; i < count; i++) {
      const bin = (scores[i] as number) >> BIN_BITS;
      if (bin < least) continue;
      const place = bins[bin] as number;
      sorted[place] = candidates[i] as number;
      bins[bin] = place + 1;
    }
    const query = ++this.#query;
    let kept = 0;
    for (let i = 0; i < above && kept < most; i++) {
      const index = sorted[i] as number;
      if (seen[index] === query) continue;
      seen[index] = query;
      candidates[kept++] = index;
    }
    return kept;
  }

  #similarity(query: Float32Array, index: number): number {
    let p = this.#partStarts.length - 1;
    while ((this.#partStarts[p] as number) > index) p--;
    const { data, columns } = this.#hashed.parts[p] as Matrix;
    const at = (index - (this.#partStarts[p] as number)) * columns;
    const vector = data.subarray(at, at + columns);
    // Four sums, which the processor adds up side by side; written so that V8 keeps them in registers.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    const fours = columns - (columns % 4);
    for (let j = 0; j < fours; j += 4) {
      a += (query[j] as number) * (vector[j] as number);
      b += (query[j + 1] as number) * (vector[j + 1] as number);
      c += (query[j + 2] as number) * (vector[j + 2] as number);
      d += (query[j + 3] as number) * (vector[j + 3] as number);
    }
    for (let j = fours; j < columns; j++) a += (query[j] as number) * (vector[j] as number);
    return a + b + (c + d);
  }
}
