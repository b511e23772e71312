/**
 * Which buckets of a table to look into, best first: query-directed probing (Lv et al., "Multi-probe LSH", VLDB 2007).
 *
 * A bucket that differs from the query's own in some bits is the likelier to hold neighbours, the nearer the query is to
 * those hyperplanes. Which sets of bits come first depends on the query's margins; but once the bits are sorted by margin,
 * the order of sets is nearly the same for every query, so it is worked out once for the margins to be expected
 * (section 4.4 of the paper; found here to lose nothing against an order made for each query).
 */

/** How each bucket follows from an earlier one by flipping bits, ranks counting from the smallest margin. */
export interface ProbeOrder {
  /** Bits of a key. */
  readonly bits: number;
  /** The bucket it is made from: an earlier one. The first bucket is the query's own. */
  readonly parents: Uint16Array;
  /** Rank of the bit that is flipped. */
  readonly flips: Uint8Array;
  /** Rank of the bit that is flipped back, or 255. */
  readonly returns: Uint8Array;
}

export const NO_RETURN = 255;

/** The first `count` buckets (or all 2^bits). */
export function probeOrder(bits: number, count: number): ProbeOrder {
  const most = Math.min(count, 2 ** bits, 65_536);
  // The expected square of the j-th smallest of `bits` margins that are evenly spread (formula of the paper).
  const squares = Array.from({ length: bits }, (_, j) => ((j + 1) * (j + 2)) / (4 * (bits + 1) * (bits + 2)));
  const parents = new Uint16Array(most);
  const flips = new Uint8Array(most);
  const returns = new Uint8Array(most).fill(NO_RETURN);
  /** Sets not given yet; each set comes from one other alone, by moving its last bit on or by adding the next one. */
  const open = [{ score: squares[0], last: 0, parent: 0, from: NO_RETURN }];
  for (let given = 1; given < most; given++) {
    let best = 0;
    for (let i = 1; i < open.length; i++) if (open[i]?.score < open[best]?.score) best = i;
    const [set] = open.splice(best, 1);
    if (!set) break;
    parents[given] = set.parent;
    flips[given] = set.last;
    returns[given] = set.from;
    const next = set.last + 1;
    if (next === bits) continue;
    const added = squares[next];
    open.push({ score: set.score - squares[set.last] + added, last: next, parent: given, from: set.last });
    open.push({ score: set.score + added, last: next, parent: given, from: NO_RETURN });
  }
  return { bits, parents, flips, returns };
}

/**
 * The keys of the buckets for one query and table, and the sum of squared margins that each flips: how far the query is from
 * the bucket, comparable between tables. Both are written from `to` on. @param margins of the table's planes, from `at` on.
 */
export function probeKeys(
  order: ProbeOrder,
  margins: Float32Array,
  at: number,
  keys: Uint32Array,
  distances: Float64Array,
  to: number,
): void {
  const { bits, parents, flips, returns } = order;
  let own = 0;
  // Insertion sort: there are a dozen or two.
  for (let b = 0; b < bits; b++) {
    const margin = margins[at + b];
    if (margin > 0) own |= 1 << b;
    const size = Math.abs(margin);
    let place = b;
    while (place > 0 && sizes[place - 1] > size) {
      sizes[place] = sizes[place - 1];
      flipOf[place] = flipOf[place - 1];
      place--;
    }
    sizes[place] = size;
    flipOf[place] = 1 << b;
  }
  keys[to] = own;
  distances[to] = 0;
  for (let i = 1; i < parents.length; i++) {
    const parent = to + parents[i];
    const flip = flips[i];
    const back = returns[i];
    let key = keys[parent] ^ flipOf[flip];
    let distance = distances[parent] + sizes[flip] ** 2;
    if (back !== NO_RETURN) {
      key ^= flipOf[back];
      distance -= sizes[back] ** 2;
    }
    keys[to + i] = key;
    distances[to + i] = distance;
  }
}

/** Margins in ascending order and the bits they belong to, for the query at hand. */
const sizes = new Float64Array(32);
const flipOf = new Int32Array(32);
