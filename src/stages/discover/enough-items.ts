/** More clusters than there are items: refused before anything is detected or embedded, as far as it is known then. */
import { plural } from '../../core/count-text.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { copiesIn } from './copies.ts';

/** Items that clusters could be made of. */
interface ItemsHere {
  readonly items: ItemKind;
  readonly count: number;
  /** Those that are left where near copies count once. */
  readonly differing: number;
}

/** @param k clusters that are asked for */
export async function requireEnoughItems(
  store: Pick<Store, 'countImages' | 'similarPairs' | 'summary'>,
  items: ItemKind,
  k: number | 'auto' | undefined,
): Promise<void> {
  if (k === undefined || k === 'auto') return;
  const count = items === 'images' ? await store.countImages() : (await store.summary()).regions;
  const { count: alike } = await copiesIn(store, items);
  const differing = count - alike;
  // Where there is nothing at all, others say so.
  if (count > 0 && k > differing) throw tooManyClusters(k, { items, count, differing });
}

export function tooManyClusters(k: number, { items, count, differing }: ItemsHere): LabelsmithError {
  const noun = items === 'images' ? 'image' : 'region';
  const alike = differing < count ? ` that differ (of ${count}, near copies counted once)` : '';
  return new LabelsmithError('USAGE', `${plural(k, 'cluster')} cannot be made of ${plural(differing, noun)}${alike}.`, {
    hint: `Ask for ${differing} at most, or leave the number out: it is found then.`,
  });
}
