/** Which region of a file is which of those that an export showed. Pure. */
import { iou } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { RegionId } from '../../core/ids.ts';
import type { ShownRegion } from '../export/shown.ts';
import { SAME_PLACE_IOU } from './base.ts';
import type { PlannedEntry } from './plan.ts';

/** A region of the file, with the region of the workspace that it says to be. */
export type GivenRegion = ImportedRegion & { readonly key: RegionId | null };

/** Entries of one region, a class each, together: those of one id, or of just one place. */
export function grouped(entry: PlannedEntry): GivenRegion[] {
  const groups = new Map<string, GivenRegion>();
  for (const region of entry.regions) {
    const own = entry.sha256 === entry.image.id ? region.id : undefined;
    const key = region.writtenAs ?? own ?? null;
    const place = key ?? region.box.map((edge) => edge.toFixed(2)).join(' ');
    const known = groups.get(place);
    const isNew = region.labels.every(({ className }) => known?.labels.every((label) => label.className !== className));
    if (known !== undefined && isNew) groups.set(place, { ...known, labels: [...known.labels, ...region.labels] });
    else groups.set(known === undefined ? place : `${place} ${groups.size}`, { ...region, key });
  }
  return [...groups.values()];
}

/** By id first, then by place, the best first; of one class before another. */
export function paired(
  given: readonly GivenRegion[],
  shown: readonly ShownRegion[],
): Map<GivenRegion, ShownRegion | null> {
  const pairs = new Map<GivenRegion, ShownRegion | null>(given.map((region) => [region, null]));
  const free = new Map(shown.map((region) => [region.id, region]));
  for (const region of given) {
    const known = region.key === null ? undefined : free.get(region.key);
    if (known === undefined) continue;
    pairs.set(region, known);
    free.delete(known.id);
  }
  const options = given
    .filter((region) => pairs.get(region) === null)
    .flatMap((region) =>
      [...free.values()].flatMap((before) => {
        const overlap = iou(region.box, before.box);
        if (overlap < SAME_PLACE_IOU) return [];
        const same = region.labels.some(({ className }) => before.classes.includes(className));
        return [{ region, before, rank: overlap + Number(same) }];
      }),
    )
    .sort((a, b) => b.rank - a.rank || (a.before.id < b.before.id ? -1 : 1));
  for (const { region, before } of options) {
    if (pairs.get(region) !== null || !free.has(before.id)) continue;
    pairs.set(region, before);
    free.delete(before.id);
  }
  return pairs;
}
