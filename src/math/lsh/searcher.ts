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
  readonly tables: number;
  readonly keyBits: number;
  readonly size: number;
  /** [size, codeBits / 32] */
  readonly codes: Uint32Array;
  /** Indices in order of bucket, and where each bucket starts: a pair a table, [size] and [2^keyBits + 1]. */
  readonly buckets: readonly { readonly members: Uint32Array; readonly starts: Uint32Array }[];
  /** The vectors in the order they were added, in parts. */
  readonly parts: readonly Matrix[];
}

export interface SearchSettings {
  /** Buckets looked into in each table. */
  readonly probes: number;
  /** Codes read at most; the bucket at which it is reached is cut. */
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
  readonly #scores: Int32Array;
  readonly #bins = new Uint32Array((1 << (SCORE_BITS - BIN_BITS)) + 1);
  readonly #order: ProbeOrder;
  readonly #keys: Uint32Array;
  readonly #partStarts: Float64Array;

  constructor(hashed: HashedVectors, settings: SearchSettings) {
    this.#hashed = hashed;
    this.#seen = new Uint32Array(hashed.size);
    this.#sums = new Int32Array((hashed.codeBits / 8) * 256);
    const most = Math.min(settings.maxCodes, hashed.size);
    this.#candidates = new Uint32Array(most);
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

  /** Fills candidates and their scores from the buckets; returns how many there are. */
  #collect(margins: Float32Array, at: number): number {
    const { buckets, codes, codeBits, keyBits, tables } = this.#hashed;
    const words = codeBits / 32;
    const [seen, sums, keys, candidates, scores] = [this.#seen, this.#sums, this.#keys, this.#candidates, this.#scores];
    const query = ++this.#query;
    const most = candidates.length;
    let count = 0;
    for (let t = 0; t < tables && count < most; t++) {
      const { members, starts } = buckets[t] as { members: Uint32Array; starts: Uint32Array };
      probeKeys(this.#order, margins, at + t * keyBits, keys);
      for (let probe = 0; probe < keys.length; probe++) {
        const key = keys[probe] as number;
        const end = starts[key + 1] as number;
        for (let i = starts[key] as number; i < end && count < most; i++) {
          const index = members[i] as number;
          if (seen[index] === query) continue;
          seen[index] = query;
          let score = 0;
          for (let w = 0, code = index * words; w < words; w++, code++) {
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
          candidates[count] = index;
          scores[count++] = score;
        }
      }
    }
    return count;
  }

  /** Moves the candidates with the best scores to the front, in no order; returns how many. */
  #keepBest(count: number, most: number): number {
    if (count <= most) return count;
    const [bins, candidates, scores] = [this.#bins, this.#candidates, this.#scores];
    bins.fill(0);
    for (let i = 0; i < count; i++) {
      const bin = (scores[i] as number) >> BIN_BITS;
      bins[bin] = (bins[bin] as number) + 1;
    }
    let bin = bins.length;
    let above = 0;
    while (above + (bins[bin - 1] as number) <= most) above += bins[--bin] as number;
    // Of the bin that only partly fits, the first ones found are taken.
    let partly = most - above;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const own = (scores[i] as number) >> BIN_BITS;
      if (own >= bin || (own === bin - 1 && partly-- > 0)) candidates[kept++] = candidates[i] as number;
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
