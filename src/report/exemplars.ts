/**
 * Which few of many are shown of a class: typical ones that differ, each from a group of its own.
 */

/**
 * Keeps the best few of a stream, one a group: what is shown of a class should be many things, not one thing many times.
 * Exact, and independent of the order of the stream. An offer that comes too late costs O(1), any other O(places).
 */
export class BestOfGroups<T> {
  readonly #places: number;
  readonly #best = new Map<string, { readonly rank: number; readonly key: string; readonly item: T }>();
  /** The group that would go next, once all places are taken. */
  #last: string | undefined;

  constructor(places: number) {
    this.#places = places;
  }

  /** @param rank the higher the better. @param key unique; the smaller one is kept between equal ranks. */
  offer(group: string, rank: number, key: string, item: T): void {
    const entry = { rank, key, item };
    const mine = this.#best.get(group);
    if (mine ? !before(entry, mine) : this.#last !== undefined && !before(entry, this.#best.get(this.#last)!)) return;
    this.#best.set(group, entry);
    if (this.#best.size > this.#places) this.#best.delete(this.#last ?? group);
    this.#last = this.#best.size === this.#places ? this.#worst() : undefined;
  }

  /** Best first. */
  list(): T[] {
    return [...this.#best.values()].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ item }) => item);
  }

  #worst(): string | undefined {
    let last: string | undefined;
    for (const [name, other] of this.#best) {
      if (last === undefined || before(this.#best.get(last)!, other)) last = name;
    }
    return last;
  }
}

function before(a: { rank: number; key: string }, b: { rank: number; key: string }): boolean {
  return a.rank !== b.rank ? a.rank > b.rank : a.key < b.key;
}

/**
 * Places of items that stand for all of them: the first is the most typical, each next one adds what those before it do
 * not show. Facility location by the greedy rule (G. Cornuéjols, M. Fisher, G. Nemhauser, "Location of Bank Accounts to
 * Optimize Float", Management Science 23, 1977): maximise Σ_i max_{j chosen} s(i, j), within 1 − 1/e of the best choice.
 * Cost n² similarities and n² for each one chosen.
 *
 * @param similarity 0 to 1, symmetric. @param eligible which may be chosen; the others count as shown or not all the same.
 */
export function typicalAndVaried(
  n: number,
  similarity: (i: number, j: number) => number,
  places: number,
  eligible: (i: number) => boolean = () => true,
): number[] {
  const matrix = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 1;
    for (let j = 0; j < i; j++) matrix[i * n + j] = matrix[j * n + i] = similarity(i, j);
  }
  const shown = new Float32Array(n);
  const chosen: number[] = [];
  while (chosen.length < places) {
    let [best, most] = [-1, 0];
    for (let j = 0; j < n; j++) {
      if (chosen.includes(j) || !eligible(j)) continue;
      let gain = 0;
      for (let i = 0; i < n; i++) gain += Math.max(0, matrix[j * n + i] - shown[i]);
      if (best < 0 || gain > most) [best, most] = [j, gain];
    }
    if (best < 0) return chosen;
    chosen.push(best);
    for (let i = 0; i < n; i++) shown[i] = Math.max(shown[i], matrix[best * n + i]);
  }
  return chosen;
}
