/**
 * A CSV of items with a class each: `file,class`, with `x1,y1,x2,y2` for regions, as `export csv` writes them. Read back
 * after somebody changed the class column, it says which items belong to another class.
 */
import type { Box } from '../core/boxes.ts';
import type { ItemId } from '../core/ids.ts';
import type { Store, StoredRegion } from '../store/store.ts';
import { resolveLabels } from './resolve.ts';

export interface ListedItem {
  readonly itemId: ItemId;
  readonly className: string;
  /** `labels.csv:17`. */
  readonly where: string;
}

/** CSV rounds corners; regions whose corners differ by more, in pixels, are others. */
const SAME_CORNER = 0.51;

export async function readItemList(
  store: Store,
  path: string,
): Promise<{ readonly items: readonly ListedItem[]; readonly unmatched: readonly string[] }> {
  const resolved = await resolveLabels(store, 'csv', path);
  const items: ListedItem[] = [];
  const unmatched: string[] = [];
  for await (const entry of resolved.read()) {
    const { image } = await resolved.find(entry);
    if (!image) {
      unmatched.push(`${entry.where}: ${entry.file} is no image of this workspace`);
      continue;
    }
    for (const { className } of entry.labels) items.push({ itemId: image.id, className, where: entry.where });
    if (entry.regions.length === 0) continue;
    const regions = (await store.regionsOf([image.id])).get(image.id) ?? [];
    for (const { box, unit, labels } of entry.regions) {
      const [sx, sy] = unit === 'fractions' ? [image.width, image.height] : [1, 1];
      const asked: Box = [box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy];
      const region = nearest(regions, asked);
      if (region) for (const { className } of labels) items.push({ itemId: region.id, className, where: entry.where });
      else unmatched.push(`${entry.where}: ${entry.file} has no region at ${asked.map(Math.round).join(',')}`);
    }
  }
  return { items, unmatched };
}

function nearest(regions: readonly StoredRegion[], box: Box): StoredRegion | undefined {
  let best: { region: StoredRegion; distance: number } | undefined;
  for (const region of regions) {
    if (region.deleted) continue;
    const distance = Math.max(...region.box.map((corner, i) => Math.abs(corner - (box[i] as number))));
    if (distance <= SAME_CORNER && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { region, distance };
  }
  return best?.region;
}
