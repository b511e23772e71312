/** Shapes and marks of a region of a file, beside those of the workspace's. Pure. */
import type { ImportedRegion, MaskRle } from '../../core/dataset.ts';
import type { Keeps } from '../../formats/format.ts';
import type { StoredRegion } from '../../store/store.ts';
import type { PlannedEntry } from './plan.ts';

/** How far a point may be off in the file though nobody moved it, in pixels. */
const POINT_TOLERANCE_PIXELS = 0.02;

/** Whether somebody changed the polygons, the keypoints, the mask or what is said of the region. */
export function hasOtherShapes(
  given: ImportedRegion,
  now: StoredRegion,
  { keeps }: { readonly keeps: Keeps; readonly entry: PlannedEntry },
): boolean {
  if (saysOtherwise(given, now, keeps)) return true;
  // Other formats have shapes as they can, and not as they were.
  if (keeps.boxes !== 'exact') return false;
  if (keeps.keypoints && !sameNumbers(given.keypoints?.flat() ?? [], now.keypoints?.flat() ?? [])) return true;
  const polygons = given.polygons?.flat() ?? [];
  if (keeps.polygons && now.polygons !== null && !sameNumbers(polygons, now.polygons.flat())) return true;
  if (keeps.polygons && now.polygons === null && now.mask === null && polygons.length > 0)
    return now.details?.rotatedBox === undefined;
  // COCO has one place for polygons and mask; a mask that is drawn as its contours is the same one.
  if (!keeps.masks || now.mask === null || now.polygons !== null || given.polygons !== null) return false;
  return given.mask === null || !sameNumbers(given.mask.counts, now.mask.counts);
}

/** Formats write what they keep of the details as they are; what one leaves out is not taken back. */
function saysOtherwise({ details }: ImportedRegion, now: StoredRegion, keeps: Keeps): boolean {
  if (details === undefined) return false;
  return keeps.details.some((name) => {
    const [said, held] = [details[name], now.details?.[name]];
    if (said === undefined || name === 'rotatedBox') return false;
    return held === undefined ? said !== false : JSON.stringify(sorted(said)) !== JSON.stringify(sorted(held));
  });
}

function sorted(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    : value;
}

export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) <= POINT_TOLERANCE_PIXELS);
}

function isSameMask(a: MaskRle, b: MaskRle | null): boolean {
  return b !== null && sameNumbers(a.counts, b.counts);
}

/** Shapes that the format has are those of the file; others stay while the box does. */
export function withShapes(before: StoredRegion, made: StoredRegion, moved: boolean, keeps: Keeps): StoredRegion {
  const stays = <T>(shape: T): T | null => (moved ? null : shape);
  // COCO has one place for polygons and mask.
  const own = made.mask ?? (made.polygons === null ? null : stays(before.mask));
  const { maskMaker, ...rest } = before;
  // A model's mask is of the box that it was made for.
  const isOfOldBox = moved && maskMaker !== undefined && own !== null && isSameMask(own, before.mask);
  const given = isOfOldBox ? null : own;
  const mask = keeps.masks ? given : stays(before.mask);
  const maker = mask === null || isSameMask(mask, before.mask) ? maskMaker : made.maskMaker;
  return {
    ...rest,
    box: moved ? made.box : before.box,
    touched: true,
    runId: made.runId,
    mask,
    ...(mask === null || maker === undefined ? {} : { maskMaker: maker }),
    polygons: keeps.polygons ? made.polygons : stays(before.polygons),
    keypoints: keeps.keypoints ? made.keypoints : stays(before.keypoints),
    crowd: keeps.crowd ? made.crowd : before.crowd,
    ...(keeps.details.length === 0 || made.details === undefined
      ? {}
      : { details: { ...before.details, ...made.details } }),
  };
}
