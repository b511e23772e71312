/**
 * Which region of a file is which of those that an export showed. Pure.
 *
 * Many formats write a region once for each of its classes, and a detector may find two things in one box; so an entry is one
 * region with another entry of its place only where no other region of the export is left for it.
 */
import { BoxIndex, NEAR_IOU, nearest } from '../../core/box-index.ts';
import { type Box, iou } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { RegionId } from '../../core/ids.ts';
import { pushTo } from '../../core/lists.ts';
import type { Keeps } from '../../formats/format.ts';
import type { ShownRegion } from '../export/shown.ts';
import type { PlannedEntry } from './plan.ts';

/** A region is at the place of another from here on: as far as is looked. */
export const SAME_PLACE_IOU = NEAR_IOU;

export interface Pair {
  /** All that the file says of it. */
  readonly given: ImportedRegion;
  /** Null: the export did not show it. */
  readonly before: ShownRegion | null;
}

/** By id first, then where nothing was changed, then by place, the best first; of one class before another. */
export function paired(entry: PlannedEntry, shown: readonly ShownRegion[], keeps: Keeps): Pair[] {
  const beforeOf = new Map<ImportedRegion, ShownRegion>();
  const free = new Map(shown.map((region) => [region.id, region]));
  const places = new Places(shown);
  for (const region of entry.regions) {
    const known = shownAs(region, entry, free) ?? places.unchanged(region, { keeps, entry });
    if (known !== undefined) beforeOf.set(region, known);
  }
  for (const { id } of beforeOf.values()) free.delete(id);
  const index = new BoxIndex<ShownRegion>();
  for (const region of free.values()) index.add(region.box, region);
  const options = entry.regions
    .filter((region) => !beforeOf.has(region))
    .flatMap((region) =>
      nearest(index, region.box, (before) => iou(region.box, before.box)).map(({ value: before, overlap }) => {
        const same = region.labels.some(({ className }) => before.classes.includes(className));
        return { region, before, rank: overlap + Number(same) };
      }),
    )
    .sort((a, b) => b.rank - a.rank || (a.before.id < b.before.id ? -1 : 1));
  for (const { region, before } of options) {
    if (beforeOf.has(region) || !free.has(before.id)) continue;
    beforeOf.set(region, before);
    free.delete(before.id);
  }
  return joined(entry, beforeOf);
}

function shownAs(
  region: ImportedRegion,
  entry: PlannedEntry,
  shown: ReadonlyMap<RegionId, ShownRegion>,
): ShownRegion | undefined {
  const own = entry.sha256 === entry.image.id ? region.id : undefined;
  const key = region.writtenAs ?? own;
  return key === undefined ? undefined : shown.get(key);
}

/** Entries of one region of the export, and of what is left those of just one place, a class each, together. */
function joined(entry: PlannedEntry, beforeOf: ReadonlyMap<ImportedRegion, ShownRegion>): Pair[] {
  const pairs = new Map<string, Pair>();
  const atPlace = new Map<string, string>();
  const join = (region: ImportedRegion, key: string, before: ShownRegion | null) => {
    const known = pairs.get(key);
    const isNew = region.labels.every(({ className }) =>
      known?.given.labels.every((label) => label.className !== className),
    );
    if (known === undefined) pairs.set(key, { given: region, before });
    else if (isNew)
      pairs.set(key, { ...known, given: { ...known.given, labels: [...known.given.labels, ...region.labels] } });
    else if (before === null) pairs.set(`${key} ${pairs.size}`, { given: region, before });
    const place = placeOf(region);
    if (!atPlace.has(place)) atPlace.set(place, key);
  };
  for (const region of entry.regions) {
    const before = beforeOf.get(region);
    if (before !== undefined) join(region, before.id, before);
  }
  for (const region of entry.regions) {
    const place = placeOf(region);
    if (!beforeOf.has(region)) join(region, atPlace.get(place) ?? place, null);
  }
  return [...pairs.values()];
}

function placeOf({ box, writtenAs }: ImportedRegion): string {
  return writtenAs ?? box.map((edge) => edge.toFixed(2)).join(' ');
}

/** Regions by where their left edge is, so that one that nobody moved is found without looking at all. */
class Places {
  readonly #byColumn = new Map<number, ShownRegion[]>();

  constructor(shown: readonly ShownRegion[]) {
    for (const region of shown) {
      const column = Math.floor(region.box[0]);
      pushTo(this.#byColumn, column, region);
    }
  }

  unchanged(given: ImportedRegion, format: Parameters<typeof isMoved>[2]): ShownRegion | undefined {
    const column = Math.floor(given.box[0]);
    for (let near = column - 2; near <= column + 2; near++) {
      const found = this.#byColumn
        .get(near)
        ?.find(
          ({ box, classes }) =>
            given.labels.some(({ className }) => classes.includes(className)) && !isMoved(given.box, box, format),
        );
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Whether somebody moved an edge further than the format itself does. */
export function isMoved(
  box: Box,
  before: Box,
  { keeps, entry }: { readonly keeps: Keeps; readonly entry: Pick<PlannedEntry, 'image'> },
): boolean {
  return box.some((edge, i) => Math.abs(edge - before[i]) > tolerancePixels(keeps, entry, i));
}

function tolerancePixels({ boxes }: Keeps, { image }: Pick<PlannedEntry, 'image'>, axis: number): number {
  const size = axis % 2 === 0 ? image.width : image.height;
  if (boxes === 'whole-pixels' || boxes === 'outlines') return 1.01;
  return 0.02 + (boxes === 'millionths' ? 3e-6 * size : 0);
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a);
  return names.size === new Set(b).size && b.every((name) => names.has(name));
}
