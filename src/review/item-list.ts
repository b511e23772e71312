/**
 * A CSV of items with a class each: `file,class`, with `x1,y1,x2,y2` for regions, as `export csv` writes them. Read back
 * after somebody changed the class column, it says which items belong to another class.
 */
import type { Box } from '../core/boxes.ts';
import type { ItemId } from '../core/ids.ts';
import { Reckoning } from '../formats/reckoning.ts';
import { resolveLabels } from '../stages/import/resolve.ts';
import type { Store, StoredRegion } from '../store/store.ts';

export interface ListedItem {
  readonly itemId: ItemId;
  readonly className: string;
  /** `labels.csv:17`. */
  readonly where: string;
}

/** CSV rounds corners; regions whose corners differ by more, in pixels, are others. */
const SAME_CORNER = 0.51;

/**
 * @param from the class that the items have now: several regions may have one box, and then it says which is meant
 */
export async function readItemList(
  store: Store,
  path: string,
  from: string,
): Promise<{ readonly items: readonly ListedItem[]; readonly unmatched: readonly string[] }> {
  const reckoning = new Reckoning();
  const resolved = await resolveLabels(store, 'csv', path, { reckoning });
  const items: ListedItem[] = [];
  const unmatched: string[] = reckoning
    .report()
    .problems.filter(({ outcome }) => outcome === 'left out')
    .flatMap(({ text, examples }) => examples.map(({ where, what }) => `${where}: ${what ?? text}`));
  const taken = new Set<ItemId>();
  for await (const entry of resolved.read()) {
    const { image } = await resolved.find(entry);
    if (!image) {
      unmatched.push(`${entry.where}: ${entry.file} is no image of this workspace`);
      continue;
    }
    for (const { className } of entry.labels) items.push({ itemId: image.id, className, where: entry.where });
    if (entry.regions.length === 0) continue;
    const regions = (await store.regionsOf([image.id])).get(image.id) ?? [];
    const labels = await store.labelsOf(regions.map(({ id }) => id));
    const bears = (id: ItemId) =>
      (labels.get(id) ?? []).some(({ className, present }) => present && className === from);
    for (const { box, unit, labels: said } of entry.regions) {
      const [sx, sy] = unit === 'fractions' ? [image.width, image.height] : [1, 1];
      const asked: Box = [box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy];
      const there = regionsAt(regions, asked).filter(({ id }) => !taken.has(id));
      const region = there.find(({ id }) => bears(id)) ?? there[0];
      if (!region) {
        unmatched.push(`${entry.where}: ${entry.file} has no region at ${asked.map(Math.round).join(',')}`);
        continue;
      }
      taken.add(region.id);
      for (const { className } of said) items.push({ itemId: region.id, className, where: entry.where });
    }
  }
  return { items, unmatched };
}

/** Those with this box but for rounding, nearest first. */
function regionsAt(regions: readonly StoredRegion[], box: Box): StoredRegion[] {
  const distance = (region: StoredRegion) => Math.max(...region.box.map((corner, i) => Math.abs(corner - box[i])));
  return regions
    .filter((region) => !region.deleted && distance(region) <= SAME_CORNER)
    .sort((a, b) => distance(a) - distance(b) || (a.id < b.id ? -1 : 1));
}
