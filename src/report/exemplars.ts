/**
 * Keeps the best few of a stream, one a group: what is shown of a class should be many things, not one thing many times.
 * Exact, and independent of the order of the stream. An offer costs O(places), which are a few dozen.
 */
export class BestOfGroups<T> {
  readonly #places: number;
  readonly #best = new Map<string, { readonly rank: number; readonly key: string; readonly item: T }>();

  constructor(places: number) {
    this.#places = places;
  }

  /** @param rank the higher the better. @param key unique; the smaller one is kept between equal ranks. */
  offer(group: string, rank: number, key: string, item: T): void {
    const entry = { rank, key, item };
    const mine = this.#best.get(group);
    if (mine) {
      if (before(entry, mine)) this.#best.set(group, entry);
      return;
    }
    this.#best.set(group, entry);
    if (this.#best.size <= this.#places) return;
    let last = group;
    for (const [name, other] of this.#best) if (before(this.#best.get(last)!, other)) last = name;
    this.#best.delete(last);
  }

  /** Best first. */
  list(): T[] {
    return [...this.#best.values()].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ item }) => item);
  }
}

function before(a: { rank: number; key: string }, b: { rank: number; key: string }): boolean {
  return a.rank !== b.rank ? a.rank > b.rank : a.key < b.key;
}
