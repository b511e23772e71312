/** The same object twice on one image, as merged files and doubled rows have it: kept once, and told. */
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { Reckoning } from '../../formats/reckoning.ts';

/** Regions of our own exports, and those with an identity, are what they are however alike. */
export function withoutRepeats(
  entry: ImportedImage,
  regions: readonly ImportedRegion[],
  reckoning: Reckoning,
): readonly ImportedRegion[] {
  if (regions.length < 2 || entry.ownExport || entry.sha256 !== undefined) return regions;
  const known = new Map<string, Alike>();
  return regions.filter((region) => {
    if (region.id !== undefined || region.about !== undefined || region.writtenAs !== undefined) return true;
    const key = JSON.stringify([region.box, region.labels.map(({ className }) => className)]);
    const alike = known.get(key);
    if (alike === undefined) {
      known.set(key, { first: region, said: null });
      return true;
    }
    alike.said ??= new Set([saidOf(alike.first)]);
    const said = saidOf(region);
    if (!alike.said.has(said)) {
      alike.said.add(said);
      return true;
    }
    reckoning.note('object-twice', region.where ?? entry.where);
    return false;
  });
}

/** Regions of one box and class, and all else that was said of them: made only where there are several. */
interface Alike {
  readonly first: ImportedRegion;
  said: Set<string> | null;
}

function saidOf({ labels, score, mask, polygons, keypoints, crowd, details, rejected }: ImportedRegion): string {
  return JSON.stringify([labels, score, mask, polygons, keypoints, crowd, details, rejected]);
}
