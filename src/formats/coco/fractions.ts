/**
 * Boxes in fractions of the image, as Azure exports them (learn.microsoft.com/azure, "COCO files", ABSOLUTE_BOUNDING_BOX
 * false): COCO says pixels, but no object is smaller than one.
 */
import type { ImportedRegion } from '../../core/dataset.ts';
import { shown } from '../check.ts';
import type { Reckoning } from '../reckoning.ts';

/** Regions of one image as they are, or all of them as fractions, which is told. */
export function regionsInFractions(regions: readonly ImportedRegion[], reckoning: Reckoning): ImportedRegion[] {
  if (!regions.every(isInFractions)) return [...regions];
  return regions.map(({ area: _, ...region }) => {
    reckoning.note('box-in-fractions', region.where ?? '', shown(region.box));
    return { ...region, unit: 'fractions' };
  });
}

function isInFractions({ box, polygons, mask, keypoints, details }: ImportedRegion): boolean {
  const numbers = [...box, ...(polygons ?? []).flat()];
  return mask === null && keypoints === null && details?.rotatedBox === undefined && numbers.every(isFraction);
}

function isFraction(number: number): boolean {
  return number >= 0 && number <= 1 + 1e-6;
}
