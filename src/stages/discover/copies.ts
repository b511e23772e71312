/**
 * Near copies count once in a clustering: of every set of near-duplicates and copies one item is clustered, and the others go
 * where it goes. Seventy copies of one cup would otherwise be the densest thing in the pile, and several clusters.
 *
 * By their looks alone, as `add` compared them: frames of one video are a group too, but they may show one thing after another.
 * Resident: about 50 bytes an image that has a copy.
 */
import { IdMap } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';

export interface Copies {
  /** Which set of copies an item belongs to; undefined for one that stands alone. */
  setOf(id: ItemId): number | undefined;
  /** Items that are left out where of every set one stays. */
  readonly count: number;
}

export const NO_COPIES: Copies = { setOf: () => undefined, count: 0 };

/** Of regions nobody knows copies. */
export async function copiesIn(store: Pick<Store, 'similarPairs'>, items: ItemKind): Promise<Copies> {
  if (items !== 'images') return NO_COPIES;
  const places = new IdMap();
  const parent: number[] = [];
  const placeOf = (id: ItemId) => {
    const there = places.get(id);
    if (there !== undefined) return there;
    places.set(id, parent.length);
    return parent.push(parent.length) - 1;
  };
  const rootOf = (place: number) => {
    let at = place;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  for await (const page of store.similarPairs()) {
    for (const { a, b, kind } of page) {
      if (kind === 'near-duplicate' || kind === 'copy') parent[rootOf(placeOf(a))] = rootOf(placeOf(b));
    }
  }
  return {
    count: parent.reduce((sum, up, place) => sum + (up === place ? 0 : 1), 0),
    setOf(id) {
      const place = places.get(id);
      return place === undefined ? undefined : rootOf(place);
    },
  };
}
