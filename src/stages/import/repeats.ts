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
  const known = new Map<string, ImportedRegion[]>();
  return regions.filter((region) => {
    if (region.id !== undefined || region.about !== undefined || region.writtenAs !== undefined) return true;
    const key = JSON.stringify([region.box, region.labels.map(({ className }) => className)]);
    const alike = known.get(key) ?? [];
    known.set(key, alike);
    if (alike.some((other) => isSame(other, region))) {
      reckoning.note('object-twice', region.where ?? entry.where);
      return false;
    }
    alike.push(region);
    return true;
  });
}

function isSame(a: ImportedRegion, b: ImportedRegion): boolean {
  return JSON.stringify(saidOf(a)) === JSON.stringify(saidOf(b));
}

function saidOf({ labels, score, mask, polygons, keypoints, crowd, details, rejected }: ImportedRegion): unknown[] {
  return [labels, score, mask, polygons, keypoints, crowd, details, rejected];
}
